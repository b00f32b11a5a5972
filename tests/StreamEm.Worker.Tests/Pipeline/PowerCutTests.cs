using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>
/// What killing a process never shows, because the kernel outlives it: whether what the worker counts on was on disk before it did.
/// </summary>
public sealed class PowerCutTests : IDisposable
{
    private const int Records = 1000;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task PowerCut_BeforeAnyStep_LosesAndRepeatsNothing()
    {
        var images = new List<IReadOnlyDictionary<string, byte[]>>();
        var disk = new FragileDisk(_directory.Path);
        using (var record = new DiskRecord(_directory))
        {
            record.Before = step =>
            {
                lock (images) images.Add(disk.Remains());
                disk.Take(step);
            };
            Assert.Null((await Drain(_directory)).Failure);
        }

        images.Add(disk.Remains());
        Assert.True(images.Count > 20, $"There were {images.Count} steps only.");
        Assert.Contains(images, image => image.Count > 2);
        IReadOnlyList<string> snapshots = PublishedLog.Contents(_directory["out/snapshots.ndjson"]);
        string rejected = await File.ReadAllTextAsync(_directory["out/rejected.ndjson"]);
        // In place and backwards, so that a file that was there is the very same one, by device and inode.
        for (int cut = images.Count - 1; cut >= 0; cut--)
        {
            await Restore(images[cut]);
            PipelineEnd end = await Drain(_directory);

            Assert.True(end.Failure is null, $"cut {cut}: {end.Failure}");
            Assert.True(snapshots.SequenceEqual(PublishedLog.Contents(_directory["out/snapshots.ndjson"])),
                $"cut {cut}: versions {string.Join(", ", PublishedLog.Versions(_directory["out/snapshots.ndjson"]))}");
            Assert.Equal(rejected, await File.ReadAllTextAsync(_directory["out/rejected.ndjson"]));
        }
    }

    [Fact]
    public async Task Publish_AnyVersion_ComesWhenTheCheckpointAndWhatItCountsOnAreOnDisk()
    {
        using var record = new DiskRecord(_directory);
        var publisher = new NotingPublisher(record);
        // The clock stands still: one checkpoint at the start, one of the first version, one at the end.
        ModelOptions options = Pipelines.Model(_directory) with
        {
            Checkpoint = new CheckpointOptions { EveryUpdates = 1_000_000, Every = TimeSpan.FromDays(1) },
        };
        await using ModelPipeline pipeline = Pipelines.Create(_directory, options,
            position => new MemorySource(Pipelines.Clouds(96, badEvery: 10), position), publisher: _ => publisher);
        await pipeline.StartAsync(CancellationToken.None);
        Assert.Null((await Eventually.Within(pipeline.Completion)).Failure);

        IReadOnlyList<string> events = record.Events;
        int rejected = events.ToList().FindIndex(line => line == "write out/rejected.ndjson");
        Assert.True(rejected >= 0, string.Join('\n', events));
        Assert.Equal(
            [
                "sync out/rejected.ndjson",
                "write state/clouds/checkpoint-00000000000000000002.sem.tmp",
                "sync state/clouds/checkpoint-00000000000000000002.sem.tmp",
                "rename to state/clouds/checkpoint-00000000000000000002.sem",
                "sync directory state/clouds",
                "publish 1",
            ],
            events.Skip(rejected + 1).Where(line => line != "write out/rejected.ndjson").Take(6));
    }

    [Fact]
    public async Task SyncFails_OfARejectedFileOrACheckpoint_EndsThePipelineAndPublishesNothingAfterIt()
    {
        foreach (string broken in (string[])["out/rejected.ndjson", "checkpoint-00000000000000000002.sem.tmp", "state/clouds"])
        {
            using var directory = new TemporaryDirectory();
            using var record = new DiskRecord(directory);
            bool isBroken = false;
            record.Before = step =>
            {
                bool isMeant = step.Act is DurableAct.Sync or DurableAct.SyncDirectory
                    && step.Path.EndsWith(broken, StringComparison.Ordinal);
                if (isMeant && isBroken) throw new IOException("Input/output error", hresult: 5);
            };
            var publisher = new NotingPublisher(record);
            // From the first checkpoint on, which is made before anything is read.
            record.Before += step => isBroken |= step.Act == DurableAct.Rename;
            await using ModelPipeline pipeline = Pipelines.Create(directory, Pipelines.Model(directory),
                position => new MemorySource(Pipelines.Clouds(Records, badEvery: 10), position), publisher: _ => publisher);
            await pipeline.StartAsync(CancellationToken.None);
            PipelineEnd end = await Eventually.Within(pipeline.Completion);

            Assert.Equal((ModelState.Failed, ExitCode.InputOutput), (end.State, end.Code));
            Assert.DoesNotContain(record.Events, line => line.StartsWith("publish", StringComparison.Ordinal));
        }
    }

    private static async Task<PipelineEnd> Drain(TemporaryDirectory directory)
    {
        // Batches of less than a minibatch, so that a checkpoint may come after each.
        await using ModelPipeline pipeline = Pipelines.Create(directory, Pipelines.Model(directory),
            position => new MemorySource(Pipelines.Clouds(Records, badEvery: 17), position) { MostPerBatch = 10 });
        await pipeline.StartAsync(CancellationToken.None);
        return await Eventually.Within(pipeline.Completion);
    }

    private async Task Restore(IReadOnlyDictionary<string, byte[]> image)
    {
        var kept = image.Keys.Select(name => _directory[name]).ToHashSet(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(_directory.Path, "*", SearchOption.AllDirectories))
            if (!kept.Contains(file)) File.Delete(file);
        foreach ((string name, byte[] bytes) in image)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_directory[name])!);
            await File.WriteAllBytesAsync(_directory[name], bytes);
        }
    }

    private sealed class NotingPublisher(DiskRecord record) : SnapshotPublisher
    {
        public override string Name => "noting";

        public override int EveryUpdates => 1;

        public override Task<long> OpenAsync(RunClaim claim, DateTimeOffset? since, CancellationToken cancellationToken) =>
            Task.FromResult(0L);

        public override Task PublishAsync(IReadOnlyList<OutboxEntry> snapshots, CancellationToken cancellationToken)
        {
            foreach (OutboxEntry snapshot in snapshots) record.Note($"publish {snapshot.Version}");
            return Task.CompletedTask;
        }
    }
}
