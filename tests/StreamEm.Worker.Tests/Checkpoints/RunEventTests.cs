using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.Tests.Checkpoints;

public sealed class RunEventTests
{
    [Fact]
    public void Append_NothingToNothing_IsNone()
    {
        Assert.Null(RunEvent.Append(null, []));
        Assert.Null(RunEvent.Append([], []));
    }

    [Fact]
    public void Append_Events_AreBehindWhatWas()
    {
        Assert.Equal([1L, 2L, 3L], Versions(RunEvent.Append(Events(1), Events(2, 3))));
        Assert.Equal([1L], Versions(RunEvent.Append(null, Events(1))));
        Assert.Equal([1L], Versions(RunEvent.Append(Events(1), [])));
    }

    [Fact]
    public void Append_MoreThanAreKept_LosesTheOldest()
    {
        long[] most = [.. Enumerable.Range(1, RunEvent.Most).Select(version => (long)version)];

        Assert.Equal(most, Versions(RunEvent.Append(Events(most), [])));
        Assert.Equal([.. most[2..], 901, 902], Versions(RunEvent.Append(Events(most), Events(901, 902))));
    }

    private static RunEvent[] Events(params long[] versions) =>
        [.. versions.Select(version => new RunEvent(DateTimeOffset.UnixEpoch, version, "something"))];

    private static IEnumerable<long> Versions(IReadOnlyList<RunEvent>? events) => events!.Select(one => one.Version);
}
