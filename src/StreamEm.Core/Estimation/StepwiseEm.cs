using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Estimation;

/// <summary>
/// The stepwise recursion over any model, in one of two spaces (Cappé &amp; Moulines 2009; Liang &amp; Klein 2009):
/// <code>
/// parameters:  Theta(t) = (1 - gamma_t) Theta(t-1) + gamma_t argmax Q(Theta; Theta(t-1)), Q from minibatch t alone
/// statistics:  s(t) = (1 - gamma_t) s(t-1) + gamma_t s_bar(minibatch t);  Theta(t) = M(s(t))
/// </code>
/// A minibatch shorter than the average so far (the last of a stream) counts in proportion to its rows.
/// </summary>
public sealed class StepwiseEm
{
    private readonly LatentModel _model;
    private readonly Recursion _recursion;
    private readonly StepSize _stepSize;
    private readonly ShardedEStep _executor;
    private EStep? _eStep;
    private readonly double[] _sums, _maximizer, _previous;

    /// <summary>Starts at given parameters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="recursion">Parameters or statistics.</param>
    /// <param name="stepSize">gamma_t.</param>
    /// <param name="parameters">Theta(0), copied.</param>
    /// <param name="effectiveRows">The number of observations Theta(0) stands for; infinity takes it as exact.</param>
    /// <param name="threads">Threads per minibatch; 0 takes every core. The result does not depend on it.</param>
    public StepwiseEm(
        LatentModel model, Recursion recursion, StepSize stepSize, ReadOnlySpan<double> parameters, double effectiveRows = double.PositiveInfinity, int threads = 0)
    {
        (_model, _recursion, _stepSize) = (model, recursion, stepSize);
        _executor = new ShardedEStep(model, threads);
        Parameters = parameters.ToArray();
        Statistics = new double[model.StatisticsLayout.Length];
        model.ImpliedStatistics(parameters, Statistics);
        EffectiveRows = effectiveRows;
        _sums = new double[Statistics.Length];
        _maximizer = new double[Parameters.Length];
        _previous = new double[Parameters.Length];
    }

    /// <summary>Theta(t), in the model's layout. Read only.</summary>
    public double[] Parameters { get; }

    /// <summary>s(t), in the model's layout: the running average in the statistics recursion, else the start value.</summary>
    public double[] Statistics { get; }

    /// <summary>t: updates so far.</summary>
    public long Updates { get; private set; }

    /// <summary>Rows seen so far.</summary>
    public long Rows { get; private set; }

    /// <summary>n_eff: 1 / n_eff(t) = (1 - gamma)^2 / n_eff(t-1) + gamma^2 / m.</summary>
    public double EffectiveRows { get; private set; }

    /// <summary>gamma of the last update.</summary>
    public double LastStepSize { get; private set; }

    /// <summary>The degenerate cases of the last update.</summary>
    public ModelEvents Events { get; } = new();

    /// <summary>The E-step under the current parameters, in the memory of the one before.</summary>
    private EStep Prepare() => _eStep = _model.Prepare(Parameters, _eStep);

    /// <summary>One update.</summary>
    /// <param name="batch">At least one row.</param>
    /// <param name="logDensities">Overwritten with log p(x) of every row under the parameters before the update; see <see cref="EStep.Accumulate"/>.</param>
    /// <returns>The minibatch's evidence under the parameters before the update.</returns>
    public Evidence Update(Minibatch batch, double[] logDensities)
    {
        Events.Clear();
        Evidence evidence = _executor.Accumulate(Prepare(), batch, _sums, logDensities);
        double averageRows = Updates == 0 ? batch.Count : (double)Rows / Updates;
        double gamma = _stepSize.At(Updates + 1) * Math.Min(1, batch.Count / averageRows);
        Updates++;
        Rows += batch.Count;
        LastStepSize = gamma;
        if (!(evidence.Weight > 0)) return evidence;
        Interpolation.Multiply(_sums, 1 / evidence.Weight);
        EffectiveRows = 1 / ((1 - gamma) * (1 - gamma) / EffectiveRows + gamma * gamma / evidence.Weight);
        Parameters.CopyTo(_previous, 0);
        if (_recursion == Recursion.Statistics)
        {
            Interpolation.Toward(Statistics, _sums, gamma);
            _model.Maximize(Statistics, EffectiveRows, _previous, Parameters, Events);
        }
        else
        {
            _model.Maximize(_sums, evidence.Weight, _previous, _maximizer, Events);
            Combine(gamma);
        }
        return evidence;
    }

    /// <summary>Gives a component a new start at a location; see <see cref="LatentModel.Reseed"/>.</summary>
    public void Reseed(int component, ReadOnlySpan<double> location)
    {
        double weight = Parameters[component];
        _model.Reseed(Parameters, component, location);
        _model.ImpliedStatistics(Parameters, Statistics);
        Events.Add(ModelEventKind.Reseeded, component, weight);
    }

    /// <summary>Continues from saved values.</summary>
    public void Restore(ReadOnlySpan<double> parameters, ReadOnlySpan<double> statistics, long updates, long rows, double effectiveRows, double lastStepSize)
    {
        parameters.CopyTo(Parameters);
        statistics.CopyTo(Statistics);
        (Updates, Rows, EffectiveRows, LastStepSize) = (updates, rows, effectiveRows, lastStepSize);
    }

    /// <summary>Theta = (1 - gamma) Theta + gamma maximiser, each block in its own coordinates.</summary>
    private void Combine(double gamma)
    {
        IReadOnlyList<VectorBlock> blocks = _model.ParameterLayout.Blocks;
        for (int at = 0; at < blocks.Count; at++)
        {
            VectorBlock block = blocks[at];
            Span<double> values = block.Of(Parameters.AsSpan());
            ReadOnlySpan<double> target = block.Of((ReadOnlySpan<double>)_maximizer);
            if (block.Coordinates == Coordinates.Linear)
                Interpolation.Toward(values, target, gamma);
            else
                for (int i = 0; i < values.Length; i++) values[i] *= Math.Exp(gamma * Math.Log(target[i] / values[i]));
        }
    }
}
