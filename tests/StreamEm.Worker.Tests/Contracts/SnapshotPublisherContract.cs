using System.Globalization;
using System.Text;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Tests.Contracts;

/// <summary>What every publisher promises. An inheriting class says how to make one and how to read what it has published.</summary>
public abstract class SnapshotPublisherContract
{
    private static readonly DateTimeOffset Start = new(2026, 11, 20, 8, 0, 0, TimeSpan.Zero);

    /// <summary>A publisher to one and the same place, each time it is asked.</summary>
    protected abstract Task<SnapshotPublisher> CreateAsync();

    /// <summary>The snapshots that are in that place, in order.</summary>
    protected abstract IReadOnlyList<byte[]> Published();

    [Fact]
    public async Task Publish_Snapshots_AreThereInOrderAsTheBytesTheyWere()
    {
        Assert.Equal(0, await PublishAsync("run", since: null, [1, 2], [3]));

        Assert.Equal(Texts("run", 1, 2, 3), Published().Select(Encoding.UTF8.GetString));
    }

    [Fact]
    public async Task Open_AfterARestart_KnowsTheLastVersionAndGoesOn()
    {
        await PublishAsync("run", since: null, [1, 2]);

        Assert.Equal(2, await PublishAsync("run", Made(1), [3]));
        Assert.Equal(3, await PublishAsync("run", Made(3)));

        Assert.Equal(Texts("run", 1, 2, 3), Published().Select(Encoding.UTF8.GetString));
    }

    [Fact]
    public async Task Open_AnotherRun_StartsAtZeroAndKeepsWhatIsThere()
    {
        await PublishAsync("run", since: null, [1, 2]);

        Assert.Equal(0, await PublishAsync("another", Made(1), [1]));

        Assert.Equal([.. Texts("run", 1, 2), .. Texts("another", 1)], Published().Select(Encoding.UTF8.GetString));
    }

    [Fact]
    public async Task Publish_Nothing_ReturnsAndLeavesNothing()
    {
        Assert.Equal(0, await PublishAsync("run", since: null, []));

        Assert.Empty(Published());
    }

    [Fact]
    public async Task Publisher_BeforeItIsOpened_HasANameAndNoProblemAndCloses()
    {
        SnapshotPublisher publisher = await CreateAsync();

        Assert.Matches("^[a-z]+:.+", publisher.Name);
        Assert.Null(publisher.Obstacle);
        Assert.True(publisher.EveryUpdates >= 1);
        Assert.True(publisher.Wants(publisher.EveryUpdates, isLast: false));
        Assert.True(publisher.Wants(publisher.EveryUpdates + 1, isLast: true));
        await publisher.DisposeAsync();
    }

    private static DateTimeOffset Made(long version) => Start.AddSeconds(version);

    private static IEnumerable<string> Texts(string run, params long[] versions) =>
        versions.Select(version => Encoding.UTF8.GetString(Snapshot(run, version)));

    private static byte[] Snapshot(string run, long version) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"format":"streamem.snapshot","model":{"id":"boiler","run_id":"{{run}}"},"""
            + $$""" "version":{{version}},"created_at":"{{TextOf(Made(version))}}"}"""));

    private static string TextOf(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Opens, publishes groups of versions, closes.</summary>
    /// <returns>What opening said.</returns>
    private async Task<long> PublishAsync(string run, DateTimeOffset? since, params long[][] groups)
    {
        await using SnapshotPublisher publisher = await CreateAsync();
        var claim = new RunClaim(run) { Predecessors = ["run", "another"] };
        long last = await Eventually.Within(publisher.OpenAsync(claim, since, CancellationToken.None));
        foreach (long[] versions in groups)
        {
            OutboxEntry[] entries = [.. versions.Select(version => new OutboxEntry(version, false, Snapshot(run, version)))];
            await Eventually.Within(publisher.PublishAsync(entries, CancellationToken.None));
        }

        return last;
    }
}
