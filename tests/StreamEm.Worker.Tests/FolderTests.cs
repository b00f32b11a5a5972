using System.Reflection;
using StreamEm.Worker.Api;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests;

/// <summary>A folder is a room: what it needs does not need it back, by whatever way round.</summary>
public sealed class FolderTests
{
    private static readonly Assembly Worker = typeof(ApiServer).Assembly;

    [Fact]
    public void Folders_OfTheWorker_NeedEachOtherOneWay()
    {
        var graph = new FolderGraph(Worker);

        Assert.Contains("StreamEm.Worker.Failures", graph.Folders);
        Assert.Empty(graph.Cycles());
    }

    [Fact]
    public void Cycles_OfTwoRoomsWithDoorsBothWays_AreNamed()
    {
        const string One = "StreamEm.Worker.Tests.Support.Rooms.One", Other = "StreamEm.Worker.Tests.Support.Rooms.Other";

        Assert.Equal(
            [$"{One} -> {Other} (Here uses There)", $"{Other} -> {One} (There uses Here)"],
            new FolderGraph(typeof(FolderTests).Assembly).Cycles().Where(cycle => cycle.Contains(".Rooms.", StringComparison.Ordinal)));
    }
}
