using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Tests.Support;

/// <summary>Runs a learner over rows as a worker would.</summary>
internal static class Streams
{
    public static Learner Learn(
        LatentModelOptions model, LearningOptions options, Minibatch rows, int passes = 1, InitialParameters? from = null, int threads = 0,
        RecordSchema? schema = null)
    {
        var learner = new Learner(model, schema ?? RecordSchema.OfNumbers(rows.Dimension), options, from, threads);
        for (int pass = 0; pass < passes; pass++)
        {
            Feed(learner, rows, 0, rows.Count);
            while (learner.TryUpdate(flush: true)) { }
        }
        return learner;
    }

    public static void Feed(Learner learner, Minibatch rows, int first, int count)
    {
        for (int end = first + count, taken; first < end; first += taken)
        {
            taken = Math.Min(learner.Room, end - first);
            learner.Add(rows, first, taken);
            while (learner.TryUpdate()) { }
        }
    }

    public static void FeedOneByOne(Learner learner, Minibatch rows, int first, int count)
    {
        for (int row = first; row < first + count; row++)
        {
            learner.Add(rows, row, 1);
            while (learner.TryUpdate()) { }
        }
    }

    /// <summary>The whole state of a learner.</summary>
    public static byte[] State(Learner learner)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        learner.Save(writer);
        return stream.ToArray();
    }

    public static LearnedModel Snapshot(Learner learner) => learner.CreateSnapshot()!;

    /// <summary>Mean log p(x) of all rows under a snapshot, nats, user units.</summary>
    public static double MeanLogDensity(LearnedModel snapshot, Minibatch rows)
    {
        double[] logDensities = new double[rows.Count];
        new Scorer(snapshot).Score(rows, logDensities, new double[rows.Count * snapshot.Model.ScoreLayout.Length], new double[rows.Count]);
        return logDensities.Average();
    }
}
