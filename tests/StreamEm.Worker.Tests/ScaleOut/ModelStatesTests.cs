using System.Text;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>States come as often as all workers together have them made: the text of their snapshots is not read with them.</summary>
public sealed class ModelStatesTests
{
    /// <summary>Those of a log that is gone are older than any of the one that took its place.</summary>
    [Fact]
    public void State_OfALogThatWasCut_IsOlderThanThoseAfterIt()
    {
        var cluster = new SimulatedCluster(seed: 1);
        cluster.Run();
        var states = new ModelStates();

        Assert.Equal(
            [true, true, false, false, true, false, true],
            new (int? Cuts, long Next)[] { (null, 70), (1, 0), (null, 90), (1, 0), (1, 5), (null, 95), (2, 3) }.Select(place =>
                states.Take(CheckpointFile.Encode(
                    cluster.Newest with { StatisticsCuts = place.Cuts, StatisticsNext = place.Next }))));
    }

    [Fact]
    public void State_WhoseSnapshotNobodyLooksAt_IsTakenWithoutReadingIt()
    {
        var cluster = new SimulatedCluster(seed: 1);
        cluster.Run();
        var unreadable = SnapshotDocument.ParseLater(Encoding.UTF8.GetBytes("no snapshot"));
        byte[] bytes = CheckpointFile.Encode(cluster.Newest with { Latest = unreadable });
        var states = new ModelStates();

        Assert.True(states.Take(bytes));

        Assert.Equal(cluster.Newest.Updates, states.Newest!.Updates);
        Assert.Equal("no snapshot", Encoding.UTF8.GetString(states.Newest.Latest!.Json.Span));
        Assert.Throws<InvalidDataException>(() => states.Newest.Latest.Snapshot);
        Assert.Throws<InvalidDataException>(() => CheckpointFile.Decode(bytes));
    }
}
