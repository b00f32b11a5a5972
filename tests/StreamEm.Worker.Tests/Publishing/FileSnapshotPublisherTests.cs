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
        Assert.DoesNotContain("snapshot_log_cut", _log.Events);
    }

    [Theory]
    [InlineData(40_000)]
    [InlineData(65_536 / 2)]
    [InlineData(100_000)]
    public async Task Publish_ManyLargeVersions_AppendsEachOnce(int bytes)
    {
        await PublishPadded("run", bytes - Snapshot("run", 1, 0).Length - 1, 1, 2, 3, 4, 5);

        Assert.Equal([1L, 2L, 3L, 4L, 5L], PublishedLog.Versions(Log));
        Assert.Equal(5 * bytes, new FileInfo(Log).Length);
    }

    [Fact]
    public async Task Publish_DiskThatTakesNothing_EndsWith74AndWhatToDo()
    {
        using var record = new DiskRecord(_directory);
        await using var publisher = new FileSnapshotPublisher(new FilePublisherOptions { Path = Log }, _log);
        await publisher.OpenAsync(new RunClaim("run"), null, CancellationToken.None);
        record.Before = _ => throw new IOException("The disk is gone.");

        CommandException failure = await Assert.ThrowsAsync<CommandException>(() => publisher.PublishAsync(
            [new OutboxEntry(1, false, Snapshot("run", 1, padding: 0))], CancellationToken.None));

        Assert.Equal(ExitCode.InputOutput, failure.ExitCode);
        Assert.Equal($"Snapshots cannot be published to '{Log}': The disk is gone. Make room or make the file writable, or set "
            + "publish.file.path to another one.", failure.Message);
    }

    [Fact]
    public async Task Publish_NotOpened_IsAMistakeOfTheCaller()
    {
        await using var publisher = new FileSnapshotPublisher(new FilePublisherOptions { Path = Log }, _log);

        InvalidOperationException mistake = await Assert.ThrowsAsync<InvalidOperationException>(
            () => publisher.PublishAsync([], CancellationToken.None));

        Assert.Equal("The publisher has not been opened.", mistake.Message);
    }

    [Fact]
    public async Task Publish_Versions_AreOnDiskWhenItReturns()
    {
        using var record = new DiskRecord(_directory);
        var disk = new FragileDisk(_directory.Path);
        record.Before = disk.Take;
        await using var publisher = new FileSnapshotPublisher(new FilePublisherOptions { Path = Log }, _log);
        await publisher.OpenAsync(new RunClaim("run"), null, CancellationToken.None);

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
        await File.AppendAllTextAsync(Log, """{"format":"streamem.snapshot","model":{"run_id":"run"},"vers""");

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

    [Theory]
    [InlineData("a,b\n1,2\n")]
    [InlineData("a,b\n1,2")]
    [InlineData("call the plumber, 0171 234")]
    [InlineData("{\"a\": 1}")]
    [InlineData("{\n  \"format\": \"streamem.snapshot\",\n  \"version\": 3\n}\n")]
    [InlineData("{\"format\":\"streamem.snapshot\",\"version\":3}\n")]
    [InlineData("\n")]
    public async Task Open_FileOfAnotherKind_IsRefusedAndLeftAsItIs(string text)
    {
        Directory.CreateDirectory(_directory["out"]);
        await File.WriteAllTextAsync(Log, text);

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Publish("run", 1));

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Equal(text, await File.ReadAllTextAsync(Log));
    }

    [Theory]
    [InlineData("a note", "or set publish.file.path to another path.")]
    [InlineData("{\"format\":\"streamem.snapshot\",\"version\":3}\n",
        "nothing is appended to a file of another kind. Move it away or set publish.file.path to another one.")]
    public async Task Open_SnapshotsThenSomethingElse_IsRefusedAndLeftAsItIs(string note, string advice)
    {
        await Publish("run", 1, 2);
        await File.AppendAllTextAsync(Log, note);
        string text = await File.ReadAllTextAsync(Log);

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Publish("run", 3));
        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Contains($"'{Log}'", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith(advice, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(text, await File.ReadAllTextAsync(Log));
    }

    [Fact]
    public async Task Open_Device_IsRefusedWith74()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux has /dev/full.");
        await using var publisher = new FileSnapshotPublisher(new FilePublisherOptions { Path = "/dev/full" }, _log);

        CommandException refusal =
            await Assert.ThrowsAsync<CommandException>(() => publisher.OpenAsync(new RunClaim("run"), null, CancellationToken.None));

        Assert.Equal(ExitCode.InputOutput, refusal.ExitCode);
    }

    private Task<long> Publish(string runId, params long[] versions) => PublishPadded(runId, 0, versions);

    private async Task<long> PublishPadded(string runId, int padding, params long[] versions)
    {
        await using var publisher = new FileSnapshotPublisher(new FilePublisherOptions { Path = Log }, _log);
        long last = await publisher.OpenAsync(new RunClaim(runId), null, CancellationToken.None);
        await publisher.PublishAsync(
            [.. versions.Select(version => new OutboxEntry(version, false, Snapshot(runId, version, padding)))], CancellationToken.None);
        return last;
    }

    private static byte[] Snapshot(string runId, long version, int padding) =>
        Encoding.UTF8.GetBytes($$"""{"format":"streamem.snapshot","model":{"run_id":"{{runId}}"},"version":{{version}},"""
            + $$""" "padding":"{{new string('x', padding)}}"}""");
}
