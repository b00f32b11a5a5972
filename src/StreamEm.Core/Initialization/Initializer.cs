using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Core.Initialization;

/// <summary>
/// The first parameters, from the buffered start of the stream, by short and long runs of EM (Biernacki, Celeux &amp; Govaert 2003): each of
/// <c>n_init</c> restarts tries several choices of centres with a few iterations each and carries the best one on; runs and restarts are ranked
/// by log-likelihood on the fifth of the buffer left out, and the best is refined on the whole buffer. Works for every model that responds to
/// labels: hard assignments enter as labels of one M-step. A pure function of buffer, options and seed.
/// </summary>
internal sealed class Initializer(LatentModel model, InitializationOptions options, int threads)
{
    private const int ShortRuns = 8;
    private static readonly BatchEmOptions Short = new() { Tolerance = 1e-3, MaxIterations = 8 };
    private static readonly BatchEmOptions Long = new() { Tolerance = 1e-4, MaxIterations = 100 };
    private static readonly BatchEmOptions Refinement = new() { Tolerance = 1e-6, MaxIterations = 200 };

    /// <summary>Every fifth row is left out to judge by, when there are this many rows per component: the likelihood of the rows learned from
    /// would prefer a component that has shrunk onto a few of them.</summary>
    private const int HeldOut = 5, MinRowsPerComponent = 20;

    /// <summary>
    /// Below this many values per parameter a held-out likelihood prefers too few components to well-separated ones, because each covariance is
    /// badly known: k-means' own distortion is judged instead.
    /// </summary>
    private const double MinValuesPerParameter = 10;

    /// <summary>Theta(0) from a buffer of standardised rows, at least one.</summary>
    public double[] Run(Minibatch buffer)
    {
        (Minibatch training, Minibatch judging) = Split(buffer);
        bool byDistortion = buffer.Count * model.Dimension < MinValuesPerParameter * model.ParameterLayout.Length;
        var best = new Best();
        for (int restart = 0; restart < options.NInit; restart++)
        {
            var chance = new SplitMix64(options.Seed + (ulong)restart * 0xD1B54A32D192ED03);
            if (byDistortion)
            {
                TryPartitions(buffer, chance, best);
                continue;
            }
            double[] theta = BatchEm.Run(model, training, BestShortRun(training, judging, chance), Long with { Threads = threads }).Parameters;
            best.Offer(theta, MeanLogLikelihood(judging, theta));
        }
        return BatchEm.Run(model, buffer, best.Parameters, Refinement with { Threads = threads }).Parameters;
    }

    private void TryPartitions(Minibatch buffer, SplitMix64 chance, Best best)
    {
        for (int run = 0; run < ShortRuns; run++)
        {
            double[] centres = CentreSelection.Choose(options.Method, buffer, model.Components, chance);
            int[] assignments = Lloyd.Assign(buffer, centres, model.Components);
            double score = -Lloyd.MeanDistortion(buffer, centres, assignments);
            if (best.IsBeatenBy(score)) best.Offer(FromAssignments(buffer, assignments), score);
        }
    }

    /// <summary>Half of the runs start at k-means' partition, half at the one the chosen centres make: k-means alone misses long, thin components.</summary>
    private double[] BestShortRun(Minibatch training, Minibatch judging, SplitMix64 chance)
    {
        var best = new Best();
        for (int run = 0; run < ShortRuns; run++)
        {
            double[] centres = CentreSelection.Choose(options.Method, training, model.Components, chance);
            int[] assignments = Lloyd.Assign(training, centres, model.Components, run % 2 == 0 ? Lloyd.MaxIterations : 1);
            double[] theta = BatchEm.Run(model, training, FromAssignments(training, assignments), Short with { Threads = threads }).Parameters;
            best.Offer(theta, MeanLogLikelihood(judging, theta));
        }
        return best.Parameters;
    }

    /// <summary>The best parameters offered; the first of those that differ by rounding alone, so that units do not decide.</summary>
    private sealed class Best
    {
        private double _score = double.NegativeInfinity;

        public double[] Parameters { get; private set; } = [];

        public bool IsBeatenBy(double score) => Parameters.Length == 0 || score > _score + 1e-9 * Math.Max(1, Math.Abs(_score));

        public void Offer(double[] parameters, double score)
        {
            if (!IsBeatenBy(score)) return;
            (Parameters, _score) = (parameters, score);
        }
    }

    private (Minibatch Training, Minibatch Judging) Split(Minibatch buffer)
    {
        if (buffer.Count < MinRowsPerComponent * model.Components) return (buffer, buffer);
        var training = new Minibatch(buffer.Dimension, buffer.Count);
        var judging = new Minibatch(buffer.Dimension, buffer.Count);
        for (int row = 0; row < buffer.Count; row++)
            (row % HeldOut == HeldOut - 1 ? judging : training).AddRange(buffer, row, 1);
        return (training, judging);
    }

    /// <summary>One M-step from hard assignments, weights mixed with 1/K so that no component starts without any.</summary>
    private double[] FromAssignments(Minibatch rows, int[] assignments)
    {
        var labelled = new Minibatch(rows.Dimension, rows.Count);
        labelled.AddRange(rows, 0, rows.Count);
        for (int row = 0; row < assignments.Length; row++) labelled.SetLabel(row, assignments[row]);
        double[] neutral = new double[model.ParameterLayout.Length], theta = new double[neutral.Length];
        model.Neutral(neutral);
        double[] sums = new double[model.StatisticsLayout.Length];
        Evidence evidence = new ShardedEStep(model, threads).Accumulate(model.Prepare(neutral), labelled, sums, new double[rows.Count]);
        if (!(evidence.Weight > 0)) return neutral;
        Interpolation.Multiply(sums, 1 / evidence.Weight);
        model.Maximize(sums, evidence.Weight, neutral, theta, new ModelEvents());
        Interpolation.Toward(theta.AsSpan(0, model.Components), neutral.AsSpan(0, model.Components), 0.1);
        return theta;
    }

    private double MeanLogLikelihood(Minibatch rows, double[] theta)
    {
        double[] sums = new double[model.StatisticsLayout.Length];
        return new ShardedEStep(model, threads).Accumulate(model.Prepare(theta), rows, sums, new double[rows.Count]).MeanLogLikelihood;
    }
}
