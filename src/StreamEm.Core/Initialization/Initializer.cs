using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Initialization;

/// <summary>
/// The first parameters, from the buffered start of the stream, by short and long runs of EM (Biernacki, Celeux &amp; Govaert 2003): each
/// of <c>n_init</c> restarts tries several choices of centres with a few iterations each and carries the best one on; runs and restarts are
/// ranked by log-likelihood on the fifth of the buffer left out, and the best is refined on the whole buffer. Works for every model that
/// responds to labels: hard assignments enter as labels of one M-step. A pure function of buffer, options and seed.
/// </summary>
/// <param name="options">Restarts, method and seed.</param>
/// <param name="threads">Threads for an E-step; the result does not depend on it.</param>
internal sealed class Initializer(InitializationOptions options, int threads) : ModelStart
{
    private const int ShortRuns = 8;

    /// <summary>What rows are labelled here by a partition, and what their own labels say, counts as it is.</summary>
    private static readonly Pass Certain = new(null) { LabelsAreCertain = true };

    private static readonly BatchEmOptions Short = new() { Tolerance = 1e-3, MaxIterations = 8 };
    private static readonly BatchEmOptions Long = new() { Tolerance = 1e-4, MaxIterations = 100 };
    private static readonly BatchEmOptions Refinement = new() { Tolerance = 1e-6, MaxIterations = 200 };

    /// <summary>Every fifth row is left out to judge by, when there are this many rows per component: the likelihood of the rows learned
    /// from would prefer a component that has shrunk onto a few of them.</summary>
    private const int HeldOut = 5, MinRowsPerComponent = 20;

    /// <summary>Fewer sequences are not split: what is left out would be a part of the stream of its own.</summary>
    private const int MinSequences = 10;

    /// <summary>
    /// Below this many values per parameter a held-out likelihood prefers too few components to well-separated ones, because each
    /// covariance is badly known: k-means' own distortion is judged instead.
    /// </summary>
    private const double MinValuesPerParameter = 10;

    /// <inheritdoc/>
    public override int Restarts => options.NInit;

    /// <inheritdoc/>
    public override SplitMix64 Chance(int restart) => new(options.Seed + (ulong)restart * 0xD1B54A32D192ED03);

    /// <inheritdoc/>
    public override double[] Partition(ComponentModel model, Minibatch buffer)
    {
        (Minibatch training, Minibatch judging) = Split(model, buffer);
        bool byDistortion = buffer.Count * model.Dimension < MinValuesPerParameter * model.ParameterLayout.Length;
        var best = new BestStart();
        for (int restart = 0; restart < options.NInit; restart++)
        {
            SplitMix64 chance = Chance(restart);
            if (byDistortion)
            {
                TryPartitions(model, buffer, chance, best);
                continue;
            }
            double[] theta =
                BatchEm.Run(
                    model, training, BestShortRun(model, training, judging, chance), Long with { Threads = threads }, Certain).Parameters;
            best.Offer(theta, MeanLogLikelihood(model, judging, theta));
        }
        return BatchEm.Run(model, buffer, best.Parameters, Refinement with { Threads = threads }, Certain).Parameters;
    }

    /// <inheritdoc/>
    public override double[] Best(LatentModel model, Minibatch buffer, Func<SplitMix64, double[]> start)
    {
        var best = new BestStart();
        for (int restart = 0; restart < options.NInit; restart++)
        {
            double[] theta = BatchEm.Run(model, buffer, start(Chance(restart)), Long with { Threads = threads }, Certain).Parameters;
            best.Offer(theta, MeanLogLikelihood(model, buffer, theta));
        }
        return BatchEm.Run(model, buffer, best.Parameters, Refinement with { Threads = threads }, Certain).Parameters;
    }

    private void TryPartitions(ComponentModel model, Minibatch buffer, SplitMix64 chance, BestStart best)
    {
        for (int run = 0; run < ShortRuns; run++)
        {
            double[] centres = CentreSelection.Choose(options.Method, buffer, model.Components, chance);
            int[] assignments = Lloyd.Assign(buffer, centres, model.Components);
            double score = -Lloyd.MeanDistortion(buffer, centres, assignments);
            if (best.IsBeatenBy(score)) best.Offer(FromAssignments(model, buffer, assignments), score);
        }
    }

    /// <summary>
    /// Half of the runs start at k-means' partition, half at the one the chosen centres make: k-means alone misses long, thin components.
    /// </summary>
    private double[] BestShortRun(ComponentModel model, Minibatch training, Minibatch judging, SplitMix64 chance)
    {
        var best = new BestStart();
        for (int run = 0; run < ShortRuns; run++)
        {
            double[] centres = CentreSelection.Choose(options.Method, training, model.Components, chance);
            int[] assignments = Lloyd.Assign(training, centres, model.Components, run % 2 == 0 ? Lloyd.MaxIterations : 1);
            double[] theta =
                BatchEm.Run(
                    model, training, FromAssignments(model, training, assignments), Short with { Threads = threads }, Certain).Parameters;
            best.Offer(theta, MeanLogLikelihood(model, judging, theta));
        }
        return best.Parameters;
    }

    /// <summary>The best parameters offered; the first of those that differ by rounding alone, so that units do not decide.</summary>
    private sealed class BestStart
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

    /// <summary>What is learned from and what is judged by: rows apart, or whole sequences where rows belong together.</summary>
    private static (Minibatch Training, Minibatch Judging) Split(ComponentModel model, Minibatch buffer)
    {
        if (buffer.Count < MinRowsPerComponent * model.Components) return (buffer, buffer);
        bool bySequence = model.Order != RowOrder.Any;
        if (bySequence && buffer.SequenceStarts.Length < MinSequences) return (buffer, buffer);
        var training = new Minibatch(buffer.Dimension, buffer.Count);
        var judging = new Minibatch(buffer.Dimension, buffer.Count);
        ReadOnlySpan<int> starts = buffer.SequenceStarts;
        for (int row = 0, sequence = -1; row < buffer.Count; row++)
        {
            if (bySequence && sequence + 1 < starts.Length && starts[sequence + 1] == row) sequence++;
            int unit = bySequence ? sequence : row;
            (unit % HeldOut == HeldOut - 1 ? judging : training).Append(buffer, row, 1);
        }
        return (training, judging);
    }

    /// <summary>
    /// One M-step from hard assignments, weights mixed with 1/K so that no component starts without any, and so what a partition makes
    /// impossible, which EM would never make possible again: a level that none of a component's rows has.
    /// </summary>
    private double[] FromAssignments(ComponentModel model, Minibatch rows, int[] assignments)
    {
        var labelled = new Minibatch(rows.Dimension, rows.Count);
        labelled.Append(rows, 0, rows.Count);
        for (int row = 0; row < assignments.Length; row++) labelled.SetLabel(row, assignments[row]);
        double[] neutral = new double[model.ParameterLayout.Length], theta = new double[neutral.Length];
        model.Neutral(neutral);
        double[] averages = new double[model.StatisticsLayout.Length], logDensities = new double[rows.Count];
        Evidence evidence =
            new ShardedEStep(model, threads).Average(model.Prepare(neutral), neutral, labelled, averages, logDensities, Certain);
        if (!(evidence.Weight > 0)) return neutral;
        RequireLabels(model, labelled, averages, logDensities, evidence.Weight);
        model.Maximize(averages, RelativeWeights.Worth(labelled, logDensities, evidence.Weight), neutral, theta, new ModelEvents());
        foreach (VectorBlock block in model.MixingBlocks)
            Interpolation.Toward(block.Of(theta.AsSpan()), block.Of((ReadOnlySpan<double>)neutral), 0.1);
        foreach (VectorBlock block in model.ParameterLayout.Blocks.Where(block => block.Domain is Domain.Simplex or Domain.Probability))
            if (block.Of(theta.AsSpan()).ContainsAny(0.0, 1.0))
                Interpolation.Toward(block.Of(theta.AsSpan()), block.Of((ReadOnlySpan<double>)neutral), 0.1);
        return theta;
    }

    /// <summary>Throws unless each component's mass is that of the rows labelled with it: a model that does not respond to labels would
    /// start with equal components, a saddle that EM never leaves.</summary>
    private static void RequireLabels(ComponentModel model, Minibatch labelled, double[] averages, double[] logDensities, double weight)
    {
        double[] masses = new double[model.Components], expected = new double[model.Components];
        model.Masses(averages, masses);
        for (int row = 0; row < labelled.Count; row++)
            if (double.IsFinite(logDensities[row])) expected[labelled.Label(row)] += labelled.Weight(row) / weight;
        for (int k = 0; k < masses.Length; k++)
            if (!(Math.Abs(masses[k] - expected[k]) < 1e-6))
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                    $"{model.Type} does not respond to labels: rows of weight {expected[k]:R} are labelled {k}, and the component's mass "
                        + $"is {masses[k]:R}. It cannot start from a partition."));
    }

    private double MeanLogLikelihood(LatentModel model, Minibatch rows, double[] theta)
    {
        double[] sums = new double[model.StatisticsLayout.Length];
        return new ShardedEStep(model, threads).Accumulate(model.Prepare(theta), rows, sums, new double[rows.Count]).MeanLogLikelihood;
    }
}
