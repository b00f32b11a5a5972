using StreamEm.Sources;
using StreamEm.Worker.Auditing;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>Whatever is lost, sent twice, damaged or late, and whoever crashes: every record is in the model once.</summary>
public sealed class SimulatedClusterTests
{
    [Fact]
    public void Cluster_UnderFaults_CountsEveryRecordOnce()
    {
        for (int seed = 0; seed < 15; seed++)
        {
            var cluster = new SimulatedCluster(seed);

            cluster.Run();

            Checkpoint end = cluster.Newest;
            Assert.Equal(SimulatedCluster.Partitions * SimulatedCluster.Records, end.Records);
            Assert.All(end.Position.Partitions.Values, place => Assert.Equal(SimulatedCluster.Records, place.Next));
            // Staleness damps a step here and there: by how much is bounded, that no record is left out or doubled is told by the counts.
            Assert.Equal(end.Records, end.Rejections.Read);
        }
    }

    /// <summary>Nobody waits for what is gone, and whatever was in it is learned once.</summary>
    [Fact]
    public void Cluster_WhoseLogIsCut_CountsEveryRecordOnce()
    {
        int cuts = 0;
        for (int seed = 0; seed < 15; seed++)
        {
            var cluster = new SimulatedCluster(seed, isCut: true);

            cluster.Run();

            Checkpoint end = cluster.Newest;
            cuts += end.StatisticsCuts ?? 0;
            Assert.Equal(SimulatedCluster.Partitions * SimulatedCluster.Records, end.Records);
            Assert.Equal(end.Records, end.Rejections.Read);
        }

        Assert.InRange(cuts, 15, 1000);
    }

    [Fact]
    public void Cluster_WithoutDelay_LearnsTheMeanOfAllRecords()
    {
        var cluster = new SimulatedCluster(seed: 3);

        cluster.Run();

        // Of steps 1 / t over minibatches of one size, of which none was damped.
        Reduction again = Reduction.Restore(SimulatedCluster.Options, cluster.First);
        for (int offset = 0; offset < cluster.Log.Count; offset++) again.Take(offset, cluster.Log[offset], DateTimeOffset.UnixEpoch);
        Assert.Equal(0, again[Verdict.StaleDamped]);
        double mean = cluster.Newest.Latest!.Snapshot.Parameters[cluster.Newest.Latest.Snapshot.Layout["means"].Offset];
        Assert.Equal(SimulatedCluster.Mean, mean, 1e-9);
    }

    [Fact]
    public void Fold_OfTheSameLog_IsTheSameToTheByteWhereverItIsTakenUp()
    {
        for (int seed = 100; seed < 104; seed++)
        {
            var cluster = new SimulatedCluster(seed);
            cluster.Run();
            Reduction whole = Reduction.Restore(SimulatedCluster.Options, cluster.First),
                resumed = Reduction.Restore(SimulatedCluster.Options, cluster.First);
            for (int offset = 0; offset < cluster.Log.Count; offset++)
            {
                whole.Take(offset, cluster.Log[offset], DateTimeOffset.UnixEpoch);
                resumed.Take(offset, cluster.Log[offset], DateTimeOffset.UnixEpoch.AddSeconds(offset));
                if (offset % 7 == 0)
                    resumed = Reduction.Restore(SimulatedCluster.Options, CheckpointFile.Decode(CheckpointFile.Encode(
                        resumed.Capture(DateTimeOffset.UnixEpoch))));
            }

            Checkpoint expected = whole.Capture(DateTimeOffset.UnixEpoch), found = resumed.Capture(DateTimeOffset.UnixEpoch);
            Assert.Equal(expected.Learner.ToArray(), found.Learner.ToArray());
            Assert.Equal(expected.Position.Partitions, found.Position.Partitions);
            Assert.Equal(expected.Latest!.Snapshot.Version, found.Latest!.Snapshot.Version);
            Assert.Equal(Hash(expected), Hash(found));
        }
    }

    [Fact]
    public void Audit_OfTheTopics_IsWholeUntilSomethingIsChanged()
    {
        var cluster = new SimulatedCluster(seed: 7);
        cluster.Run();
        Checkpoint newest = cluster.Newest;
        byte[] learner = newest.Learner.ToArray();
        learner[^1] ^= 1;
        var hashes = new Dictionary<long, string> { [newest.Updates] = newest.Latest!.Snapshot.Ancestry!.Hash };
        var forged = new Dictionary<long, string> { [newest.Updates] = "sha256:" + new string('0', 64) };

        HistoryAudit whole = Audit(cluster, newest, hashes);
        Assert.Null(whole.Break);
        Assert.Equal(1, whole.Snapshots);
        Assert.Contains("version", Audit(cluster, newest, forged).Break!.Text, StringComparison.Ordinal);
        Assert.Contains("parameters", Audit(cluster, newest with { Learner = learner }, hashes).Break!.Text, StringComparison.Ordinal);
        Assert.Contains(
            "records", Audit(cluster, newest with { Records = newest.Records + 1 }, hashes).Break!.Text, StringComparison.Ordinal);
        Assert.Equal(BreakKind.Gap, Audit(cluster, newest, hashes, from: 1).Break!.Kind);
    }

    private static HistoryAudit Audit(
        SimulatedCluster cluster, Checkpoint newest, Dictionary<long, string> hashes, int from = 0)
    {
        var audit = new HistoryAudit(SimulatedCluster.Options, cluster.First, newest, hashes);
        audit.Begin(from);
        for (int offset = from; offset < cluster.Log.Count; offset++) audit.Take(offset, cluster.Log[offset]);
        audit.Finish();
        return audit;
    }

    [Fact]
    public void Fold_OfAStretchWithoutRecords_MovesThePlaceAndMakesNoVersion()
    {
        var cluster = new SimulatedCluster(seed: 5);
        cluster.Run();
        Reduction reduction = Reduction.Restore(SimulatedCluster.Options, cluster.Newest);
        long before = reduction.Version, next = reduction.Next;
        byte[] message = new StatisticsMessage
        {
            ModelId = cluster.Newest.ModelId,
            RunId = cluster.Newest.RunId,
            Worker = Guid.NewGuid(),
            Sequence = 1,
            BaseVersion = before,
            Range = new RecordRange("x/0", SimulatedCluster.Records, SimulatedCluster.Records + 70),
            Read = 0,
            Rejected = [0, 0, 0],
        }.Encode();

        Assert.Equal(Verdict.Accepted, reduction.Take(next, message, DateTimeOffset.UnixEpoch));
        Assert.Equal(Verdict.Duplicate, reduction.Take(next + 1, message, DateTimeOffset.UnixEpoch));

        Assert.Empty(reduction.TakeSnapshots());
        Checkpoint end = reduction.Capture(DateTimeOffset.UnixEpoch);
        Assert.Equal((before, SimulatedCluster.Records + 70), (end.Updates, end.Position.Partitions["x/0"].Next));
        Assert.Equal((cluster.Newest.Records, cluster.Newest.Rejections.Read), (end.Records, end.Rejections.Read));
        Assert.Equal(cluster.Newest.Learner.ToArray(), end.Learner.ToArray());
    }

    [Theory]
    [InlineData(10, 20, RangeFitName.Next)]
    [InlineData(0, 10, RangeFitName.Duplicate)]
    [InlineData(3, 7, RangeFitName.Duplicate)]
    [InlineData(3, 12, RangeFitName.Overlap)]
    [InlineData(11, 20, RangeFitName.Gap)]
    public void Ledger_OnlyTheRangeThatIsNext_Fits(long from, long to, RangeFitName fit) =>
        Assert.Equal((RangeFit)fit, Ledger(10).FitOf(new RecordRange("x/0", from, to), begins: false));

    [Fact]
    public void Ledger_APartitionWithoutAPlace_BeginsOnlyWhereOneSaysSo()
    {
        RangeLedger ledger = Ledger(10);

        Assert.Equal(RangeFit.Gap, ledger.FitOf(new RecordRange("x/1", 5, 9), begins: false));
        Assert.Equal(RangeFit.Next, ledger.FitOf(new RecordRange("x/1", 5, 9), begins: true));
        // One that has a place has begun, whatever a worker believes.
        Assert.Equal(RangeFit.Duplicate, ledger.FitOf(new RecordRange("x/0", 0, 5), begins: true));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(7, 1)]
    [InlineData(14, 1.0 / 3)]
    [InlineData(28, 1.0 / 5)]
    [InlineData(29, 0)]
    [InlineData(28, 1.0 / 5, true)]
    [InlineData(693, 1.0 / 100, true)]
    public void Staleness_FullThenDampedThenNothing_UnlessAnew(long tau, double damping, bool isAgain = false) =>
        Assert.Equal(damping, Staleness.For(partitions: 3, inFlight: 2, unpublished: 1).DampingAt(tau, isAgain), 1e-15);

    [Fact]
    public void InFlight_AMessageThatTheModelPassedWithoutItsRange_IsMissed()
    {
        var inFlight = new InFlight(2);
        inFlight.Add(new RecordRange("x/0", 0, 10))(4);
        inFlight.Add(new RecordRange("x/0", 10, 20))(6);
        Assert.False(inFlight.HasRoom("x/0"));

        Assert.False(inFlight.Look(At(10), next: 5, version: 1));
        Assert.Equal(1, inFlight.Count);
        Assert.True(inFlight.HasRoom("x/0"));
        Assert.False(inFlight.Look(At(10), next: 6, version: 1));
        Assert.True(inFlight.Look(At(10), next: 7, version: 1));
    }

    [Fact]
    public void InFlight_AMessageThatIsNotInTheLogYet_IsNotMissed()
    {
        var inFlight = new InFlight(2);
        inFlight.Add(new RecordRange("x/0", 0, 10));

        Assert.False(inFlight.Look(At(0), next: 1000, version: 1));
    }

    [Fact]
    public void Message_AnyByteChanged_IsDamaged()
    {
        byte[] bytes = new StatisticsMessage
        {
            ModelId = "m",
            RunId = "r",
            Worker = Guid.NewGuid(),
            Sequence = 1,
            BaseVersion = 2,
            Range = new RecordRange("x/0", 0, 3),
            Read = 3,
            Rejected = [1, 2],
        }.Encode();

        Assert.Equal(3, StatisticsMessage.Decode(bytes).Read);
        for (int at = 0; at < bytes.Length; at++)
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 4;
            Assert.Throws<InvalidDataException>(() => StatisticsMessage.Decode(damaged));
        }
    }

    /// <summary>The fits by number: the type is the worker's own.</summary>
    public enum RangeFitName
    {
        Next,
        Duplicate,
        Overlap,
        Gap,
    }

    private static RangeLedger Ledger(long next) => new(At(next));

    private static SourcePosition At(long next)
    {
        var position = new SourcePosition();
        position.Set("x/0", new PartitionPosition(next));
        return position;
    }

    private static string Hash(Checkpoint state) => CheckpointFile.Decode(CheckpointFile.Encode(state)).Latest!.Snapshot.Ancestry!.Hash;
}
