using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Tests.Support;

/// <summary>Runs a learner over rows as a worker would.</summary>
internal static class Streams
{
    public static Learner Learn(LatentModelOptions model, LearningOptions options, Minibatch rows, int passes = 1, InitialParameters? from = null, int threads = 0)
    {
        var learner = new Learner(model, rows.Dimension, options, from, threads);
        for (int pass = 0; pass < passes; pass++)
        {
            Feed(learner, rows, 0, rows.Count);
            while (learner.TryUpdate(flush: true)) { }
        }
        return learner;
    }

    public static void Feed(Learner learner, Minibatch rows, int first, int count)
    {
        for (int row = first; row < first + count; row++)
        {
            int label = rows.Labels.IsEmpty ? Minibatch.Unlabelled : rows.Labels[row];
            learner.Add(
                rows.Row(row), rows.Weights.IsEmpty ? 1 : rows.Weights[row],
                label == Minibatch.Unlabelled ? null : label.ToString(System.Globalization.CultureInfo.InvariantCulture));
            while (learner.TryUpdate()) { }
        }
    }

    public static string[] Names(int dimension) => [.. Enumerable.Range(0, dimension).Select(d => FormattableString.Invariant($"x{d}"))];

    public static ModelSnapshot Snapshot(Learner learner) => learner.CreateSnapshot(Names(learner.Dimension))!;

    /// <summary>Mean log p(x) of all rows under a snapshot, nats, user units.</summary>
    public static double MeanLogDensity(ModelSnapshot snapshot, Minibatch rows)
    {
        double[] logDensities = new double[rows.Count];
        new Scorer(snapshot).Score(rows, logDensities, new double[rows.Count * snapshot.ComponentIds.Count], new double[rows.Count]);
        return logDensities.Average();
    }
}
