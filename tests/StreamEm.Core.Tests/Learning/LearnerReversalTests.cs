using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Going back to what was learned earlier, without a past that is written anew.</summary>
public sealed class LearnerReversalTests
{
    private const int Size = 32;

    private static readonly RecordSchema Schema = new() { Features = ["x", "y"] };

    public static TheoryData<string> Models => ["gaussian_mixture", "student_t_mixture", "exponential_mixture", "growing"];

    [Theory]
    [MemberData(nameof(Models))]
    public void GoBackTo_AnEarlierState_HasItsParametersAsTheNextVersion(string type)
    {
        Learner learner = Learned(type, rows: 5 * Size);
        byte[] state = StateOf(learner);
        LearnedModel earlier = learner.CreateSnapshot()!;
        Take(learner, 5 * Size, count: 4 * Size + 10);
        (long updates, long rows) = (learner.Updates, learner.Records + learner.Unlearned);

        Learner reverted = learner.GoBackTo(Restored(type, state));

        LearnedModel now = reverted.CreateSnapshot()!;
        Assert.Equal(updates + 1, now.Version);
        Assert.Equal(earlier.Parameters, now.Parameters);
        Assert.Equal(earlier.ComponentIds, now.ComponentIds);
        Assert.Equal(rows, reverted.Records + reverted.Unlearned);
        Assert.Equal(10, reverted.Pending);
        ModelWarning told = Assert.Single(now.Training.Warnings, warning => warning.Kind == ModelWarningKind.Reverted);
        Assert.Contains($"version {earlier.Version} with version {updates + 1}", told.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void GoBackTo_AnEarlierState_LearnsOnAsThatDid()
    {
        Learner learner = Learned("gaussian_mixture", rows: 5 * Size);
        byte[] state = StateOf(learner);
        Take(learner, 5 * Size, count: 4 * Size);

        Learner reverted = learner.GoBackTo(Restored("gaussian_mixture", state)), other = Restored("gaussian_mixture", state);
        Take(reverted, 9 * Size, Size);
        Take(other, 9 * Size, Size);

        Assert.Equal(other.CreateSnapshot()!.Parameters, reverted.CreateSnapshot()!.Parameters);
        Assert.Equal(other.CreateSnapshot()!.Training.LastStepSize, reverted.CreateSnapshot()!.Training.LastStepSize);
        Assert.Equal(other.CreateSnapshot()!.Training.EffectiveRecords, reverted.CreateSnapshot()!.Training.EffectiveRecords);
    }

    [Fact]
    public void GoBackTo_AnEarlierState_IsRestoredToTheByte()
    {
        Learner learner = Learned("gaussian_mixture", rows: 5 * Size);
        byte[] state = StateOf(learner);
        Take(learner, 5 * Size, count: 2 * Size + 3);

        Learner reverted = learner.GoBackTo(Restored("gaussian_mixture", state));
        Learner restored = Restored("gaussian_mixture", StateOf(reverted));
        Take(reverted, 7 * Size + 3, 3 * Size);
        Take(restored, 7 * Size + 3, 3 * Size);

        Assert.Equal(StateOf(reverted), StateOf(restored));
    }

    [Fact]
    public void GoBackTo_ASnapshot_HasItsParametersAsTheNextVersion()
    {
        Learner learner = Learned("gaussian_mixture", rows: 5 * Size);
        LearnedModel earlier = learner.CreateSnapshot()!;
        var snapshot = new ModelSnapshot(earlier, new SnapshotOrigin("m", "r", "h", DateTimeOffset.UnixEpoch));
        var json = new System.Buffers.ArrayBufferWriter<byte>();
        SnapshotJson.Write(snapshot, json);
        Take(learner, 5 * Size, count: 4 * Size);
        long updates = learner.Updates;

        Learner reverted = learner.GoBackTo(new Learner(
            ModelOf("gaussian_mixture"), Schema, Options, SnapshotReader.ReadInitialParameters(json.WrittenMemory)));

        Assert.Equal(updates + 1, reverted.Updates);
        // From the user's units to the inside and back again: a few roundings.
        Assert.All(earlier.Parameters.Zip(reverted.CreateSnapshot()!.Parameters), pair =>
            Assert.Equal(pair.First, pair.Second, 1e-12 * Math.Max(1, Math.Abs(pair.First))));
    }

    [Fact]
    public void GoBackTo_ALaterState_IsRefused()
    {
        Learner learner = Learned("gaussian_mixture", rows: 5 * Size), later = Learned("gaussian_mixture", rows: 8 * Size);

        ArgumentException refused = Assert.Throws<ArgumentException>(() => learner.GoBackTo(later));
        Assert.Contains("is after version", refused.Message, StringComparison.Ordinal);
    }

    private static LearningOptions Options { get; } = new()
    {
        MinibatchSize = Size,
        Initialization = new InitializationOptions { Buffer = 2 * Size, NInit = 1 },
    };

    private static LatentModelOptions ModelOf(string type) => type switch
    {
        "gaussian_mixture" => ModelCatalog.MixtureOf(new GaussianOptions(), components: 2),
        "growing" => ModelCatalog.Find("gaussian_mixture")!.Read(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["components"] = "{\"max\": 8}" }),
        _ => ModelCatalog.Find(type)!.CreateOptions(),
    };

    private static Learner Learned(string type, int rows)
    {
        var learner = new Learner(ModelOf(type), Schema, Options);
        Take(learner, 0, rows);
        Assert.True(learner.Updates > 0);
        return learner;
    }

    private static Learner Restored(string type, byte[] state)
    {
        var learner = new Learner(ModelOf(type), Schema, Options);
        using var reader = new BinaryReader(new MemoryStream(state));
        learner.Load(reader);
        return learner;
    }

    private static byte[] StateOf(Learner learner)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream)) learner.Save(writer);
        return stream.ToArray();
    }

    /// <summary>Takes rows of a stream that is a function of their numbers.</summary>
    private static void Take(Learner learner, int first, int count)
    {
        var rows = new Minibatch(2);
        for (int row = first; row < first + count; row++)
        {
            var random = new SplitMix64((ulong)row);
            double centre = row % 3 == 0 ? -3 : 4;
            rows.Add([10 + centre + 2 * random.NextDouble(), 20 + 2 * centre + 2 * random.NextDouble()]);
        }

        for (int row = 0; row < rows.Count;)
        {
            int next = Math.Min(learner.Room, rows.Count - row);
            learner.Add(rows, row, next);
            row += next;
            while (learner.TryUpdate())
            {
            }
        }
    }
}
