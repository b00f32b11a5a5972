using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Core.Initialization;

/// <summary>
/// The first parameters, from the buffered start of the stream: several restarts of centres, k-means and a few EM iterations on four fifths of
/// the buffer, ranked by log-likelihood on the fifth left out, the best refined on the whole buffer. Works for every model that responds to
/// labels: the hard assignments enter as labels of one M-step. A pure function of buffer, options and seed.
/// </summary>
internal sealed class Initializer(LatentModel model, InitializationOptions options, int threads)
{
    private static readonly BatchEmOptions Trial = new() { Tolerance = 1e-4, MaxIterations = 40 };
    private static readonly BatchEmOptions Refinement = new() { Tolerance = 1e-6, MaxIterations = 200 };

    /// <summary>Every fifth row is left out of a trial, when the rest still has this many rows per component.</summary>
    private const int HeldOut = 5, MinRowsPerComponent = 16;

    /// <summary>Theta(0) from a buffer of standardised rows, at least one.</summary>
    public double[] Run(Minibatch buffer)
    {
        (Minibatch training, Minibatch judging) = Split(buffer);
        double[] best = [];
        double bestScore = double.NegativeInfinity;
        for (int restart = 0; restart < options.NInit; restart++)
        {
            var chance = new SplitMix64(options.Seed + (ulong)restart * 0xD1B54A32D192ED03);
            double[] centres = CentreSelection.Choose(options.Method, training, model.Components, chance);
            double[] theta = FromAssignments(training, Lloyd.Assign(training, centres, model.Components));
            theta = BatchEm.Run(model, training, theta, Trial with { Threads = threads }).Parameters;
            double score = MeanLogLikelihood(judging, theta);
            if (best.Length > 0 && !(score > bestScore)) continue;
            (best, bestScore) = (theta, score);
        }
        return BatchEm.Run(model, buffer, best, Refinement with { Threads = threads }).Parameters;
    }

    private (Minibatch Training, Minibatch Judging) Split(Minibatch buffer)
    {
        if (buffer.Count * (HeldOut - 1) / HeldOut < MinRowsPerComponent * model.Components * (1 + model.Dimension)) return (buffer, buffer);
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
