using System.Text;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Publishing;

public sealed class FileSnapshotPublisherTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ListLogger _log = new();

    private string Log => _directory["out/log.ndjson"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Publish_Versions_AppendsALineEach()
    {
        Assert.Equal(0, await Publish("run", 1, 2));
        Assert.Equal(2, await Publish("run", 3));

        Assert.Equal([1L, 2L, 3L], PublishedLog.Versions(Log));
    }

    [Fact]
    public async Task Publish_Versions_AreOnDiskWhenItReturns()
    {
        using var record = new DiskRecord(_directory);
        var disk = new FragileDisk(_directory.Path);
        record.Before = disk.Take;
        await using var publisher = new FileSnapshotPublisher(new FilePublisherOptions { Path = Log }, _log);
        await publisher.OpenAsync("run", null, CancellationToken.None);

        for (int version = 1; version <= 3; version++)
        {
            await publisher.PublishAsync([new OutboxEntry(version, false, Snapshot("run", version, padding: 0))], CancellationToken.None);
            Assert.Equal(version, Encoding.UTF8.GetString(disk.Remains()["out/log.ndjson"]).Split('\n').Length - 1);
        }
    }

    [Fact]
    public async Task Open_FileThatIsThere_MakesItsNameDurableAgain()
    {
        await Publish("run", 1);
        using var record = new DiskRecord(_directory);

        await Publish("run", 2);

        // The process that made the file may have been killed before it had made the name durable.
        Assert.Equal("sync directory out", record.Events[0]);
    }

    [Fact]
    public async Task Open_TornLastLine_IsCutAndTheVersionBeforeCounts()
    {
        await Publish("run", 1, 2);
        await File.AppendAllTextAsync(Log, """{"model":{"run_id":"run"},"vers""");

        Assert.Equal(2, await Publish("run", 3));

        Assert.Equal([1L, 2L, 3L], PublishedLog.Versions(Log));
        Assert.Contains("snapshot_log_cut", _log.Events);
    }

    [Fact]
    public async Task Open_OnlyATornLine_StartsAtZero()
    {
        Directory.CreateDirectory(_directory["out"]);
        await File.WriteAllTextAsync(Log, "{");

        Assert.Equal(0, await Publish("run", 1));
        Assert.Equal([1L], PublishedLog.Versions(Log));
    }

    [Fact]
    public async Task Open_LastLineOfAnotherRun_StartsAtZero()
    {
        await Publish("run", 1, 2);

        Assert.Equal(0, await Publish("other", 1));
        Assert.Equal([1L, 2L, 1L], PublishedLog.Versions(Log));
    }

    [Fact]
    public async Task Open_LineLongerThanTheLookBack_IsFound()
    {
        await Publish("run", 1);
        await PublishPadded("run", 200_000, 2);

        Assert.Equal(2, await Publish("run", 3));
    }

    [Fact]
    public async Task Open_FileOfAnotherKind_IsRefusedWith65AndLeftAlone()
    {
        Directory.CreateDirectory(_directory["out"]);
        await File.WriteAllTextAsync(Log, "a,b\n1,2\n");

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Publish("run", 1));

        Assert.Equal(ExitCode.DataCorrupt, refusal.ExitCode);
        Assert.Equal("a,b\n1,2\n", await File.ReadAllTextAsync(Log));
    }

    private Task<long> Publish(string runId, params long[] versions) => PublishPadded(runId, 0, versions);

    private async Task<long> PublishPadded(string runId, int padding, params long[] versions)
    {
        await using var publisher = new FileSnapshotPublisher(new FilePublisherOptions { Path = Log }, _log);
        long last = await publisher.OpenAsync(runId, null, CancellationToken.None);
        await publisher.PublishAsync(
            [.. versions.Select(version => new OutboxEntry(version, false, Snapshot(runId, version, padding)))], CancellationToken.None);
        return last;
    }

    private static byte[] Snapshot(string runId, long version, int padding) =>
        Encoding.UTF8.GetBytes($$"""{"model":{"run_id":"{{runId}}"},"version":{{version}},"padding":"{{new string('x', padding)}}"}""");
}
