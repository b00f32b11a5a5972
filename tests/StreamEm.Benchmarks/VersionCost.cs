using System.Buffers;
using System.Globalization;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;

namespace StreamEm.Benchmarks;

/// <summary>
/// What a published version costs beside its update: the copy on the learner's thread, and the JSON that is made beside it.
/// </summary>
internal static class VersionCost
{
    private const int MinibatchSize = 1024, Samples = 5;

    /// <summary>Writes the table.</summary>
    public static void Run(Report report, bool quick)
    {
        report.Table(
            "Making a version",
            "Full covariances, one thread, its CPU time. The learner takes the snapshot; its JSON, smallest eigenvalue included, is made "
                + "on a thread of its own.",
            "(D,K)", "numbers", "JSON, bytes", "snapshot, us", "JSON, us", "of that eigenvalue, us", "digits of a number, ns",
            "the runtime's, ns");
        foreach (Shape shape in Shape.All(quick)) Measure(report, shape, quick ? 0.02 : 0.1);
    }

    private static void Measure(Report report, Shape shape, double sampleSeconds)
    {
        Learner learner = Learned(shape);
        LearnedModel learned = learner.CreateSnapshot() ?? throw new InvalidOperationException("Nothing was learned.");
        var snapshot = new ModelSnapshot(learned, new SnapshotOrigin("bench", "bench", "sha256:bench", DateTimeOffset.UnixEpoch));
        var output = new ArrayBufferWriter<byte>();
        double Microseconds(Action call) => 1e6 * Clock.Median(call, Clock.Thread, Samples, sampleSeconds);

        double copy = Microseconds(() => learner.CreateSnapshot());
        double eigenvalue =
            Microseconds(() => snapshot.Model.Health(snapshot.Parameters, new Dictionary<string, double>(StringComparer.Ordinal)));
        // The eigenvalue is kept by the snapshot: once made it is not in the time of the text.
        double text = Microseconds(() =>
        {
            output.ResetWrittenCount();
            SnapshotJson.Write(snapshot, output);
        });
        byte[] digits = new byte[32];
        double ours = Microseconds(() =>
        {
            foreach (double value in snapshot.Parameters) ShortestNumber.Write(value, digits);
        });
        double runtime = Microseconds(() =>
        {
            foreach (double value in snapshot.Parameters) value.TryFormat(digits, out _, default, CultureInfo.InvariantCulture);
        });
        int numbers = snapshot.Parameters.Length;
        report.Row(
            shape.ToString(), $"{numbers}", $"{output.WrittenCount}", $"{copy:F1}", $"{text + eigenvalue:F1}", $"{eigenvalue:F1}",
            $"{ours / numbers * 1e3:F0}", $"{runtime / numbers * 1e3:F0}");
    }

    private static Learner Learned(Shape shape)
    {
        var options = new LearningOptions { MinibatchSize = MinibatchSize, Initialization = new InitializationOptions { NInit = 1 } };
        var learner = new Learner(
            ModelCatalog.MixtureOf(new GaussianOptions(), shape.Components), RecordSchema.OfNumbers(shape.Dimension), options, threads: 1);
        Minibatch rows = new SyntheticMixture(shape.Dimension, shape.Components).Draw(8 * MinibatchSize);
        for (int row = 0; row < rows.Count; row += MinibatchSize)
        {
            learner.Add(rows, row, MinibatchSize);
            while (learner.TryUpdate()) { }
        }
        return learner;
    }
}
