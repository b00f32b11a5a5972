using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;

namespace StreamEm.Benchmarks;

/// <summary>One EM iteration as the engine makes it: factor the parameters, E-step and statistics of some rows, M-step.</summary>
internal sealed class Iteration
{
    private readonly double[] _parameters, _next, _statistics;
    private readonly ModelEvents _events = new();
    private double[] _logDensities = [];
    private EStep? _eStep;

    public Iteration(SyntheticMixture data, bool full)
    {
        var family = new GaussianOptions { CovarianceType = full ? CovarianceType.Full : CovarianceType.Diag };
        Model = ModelCatalog.MixtureOf(family, data.Components).Create(FeatureSpace.Unscaled(data.Dimension));
        _parameters = data.Parameters(full);
        _next = new double[_parameters.Length];
        _statistics = new double[Model.StatisticsLayout.Length];
    }

    public LatentModel Model { get; }

    public ReadOnlyMemory<double> Parameters => _parameters;

    /// <summary>The parameters after the iteration.</summary>
    public ReadOnlySpan<double> Next => _next;

    /// <summary>The sums, then averages, of the last iteration.</summary>
    public ReadOnlySpan<double> Statistics => _statistics;

    /// <summary>
    /// Rows per second of iterations over <paramref name="batch"/>, on one thread by its own CPU time, on several by the wall.
    /// </summary>
    public double Rate(Minibatch batch, int threads, int samples, double sampleSeconds)
    {
        var executor = new ShardedEStep(Model, threads);
        return batch.Count / Clock.Median(() => Run(executor, batch), threads == 1 ? Clock.Thread : Clock.Wall, samples, sampleSeconds);
    }

    /// <summary>Rows per second of iterations of any model from given parameters, on one thread by its own CPU time.</summary>
    public static double RateOf(LatentModel model, double[] theta, Minibatch rows, int samples, double sampleSeconds)
    {
        var executor = new ShardedEStep(model, 1);
        double[] statistics = new double[model.StatisticsLayout.Length], next = new double[theta.Length],
            logDensities = new double[rows.Count];
        var events = new ModelEvents();
        EStep? eStep = null;
        return rows.Count / Clock.Median(
            () =>
            {
                eStep = model.Prepare(theta, eStep);
                executor.Average(eStep, theta, rows, statistics, logDensities);
                events.Clear();
                model.Maximize(statistics, rows.Count, theta, next, events);
            },
            Clock.Thread, samples, sampleSeconds);
    }

    /// <summary>One iteration over the whole minibatch.</summary>
    public void Run(ShardedEStep executor, Minibatch batch)
    {
        if (_logDensities.Length < batch.Count) _logDensities = new double[batch.Count];
        executor.Accumulate(_eStep = Model.Prepare(_parameters, _eStep), batch, _statistics, _logDensities);
        for (int at = 0; at < _statistics.Length; at++) _statistics[at] /= batch.Count;
        _events.Clear();
        Model.Maximize(_statistics, batch.Count, _parameters, _next, _events);
    }

    /// <summary>Seconds of the M-step and of factoring its result.</summary>
    public double MaximizeSeconds(Minibatch batch, double sampleSeconds)
    {
        Run(new ShardedEStep(Model, 1), batch);
        return Clock.Median(
            () =>
            {
                Model.Maximize(_statistics, batch.Count, _parameters, _next, _events);
                _events.Clear();
                _eStep = Model.Prepare(_next, _eStep);
            },
            Clock.Thread, 5, sampleSeconds);
    }
}
