using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Tests.Snapshots;

public sealed class SnapshotFeedTests
{
    private const long MiB = 1 << 20;

    private static readonly Lazy<ModelSnapshot> Small = new(() => Learned(dimension: 1));

    [Fact]
    public void Publish_SmallVersions_KeepsTheNewestHundred()
    {
        using var feed = new SnapshotFeed();
        for (int version = 1; version <= 250; version++) feed.Publish(Document(version, parameters: 10));

        Assert.Equal(Enumerable.Range(151, 100).Select(version => (long)version), feed.Versions.Select(document => document.Version));
    }

    [Fact]
    public void Publish_LargeVersions_KeepsNoMoreThan64MiBOfThem()
    {
        using var feed = new SnapshotFeed();
        // A thousand features, one full covariance: 8 MB of doubles and up to 25 MB of text.
        for (int version = 1; version <= 10; version++)
        {
            feed.Publish(Document(version, parameters: 1_001_001));
            Assert.True(feed.Versions.Sum(document => document.Bytes) <= 64 * MiB);
        }

        Assert.Equal([9L, 10L], feed.Versions.Select(document => document.Version));
    }

    [Fact]
    public void Publish_OneVersionLargerThanTheBound_IsKeptAlone()
    {
        using var feed = new SnapshotFeed();
        for (int version = 1; version <= 3; version++) feed.Publish(Document(version, parameters: 3_000_000));

        Assert.Equal(3, Assert.Single(feed.Versions).Version);
        Assert.Equal(3, feed.Latest!.Version);
    }

    [Fact]
    public void Bytes_Document_BoundItsNumbersAndItsText()
    {
        var document = new SnapshotDocument(Learned(dimension: 60));
        int numbers = document.Snapshot.Parameters.Length;

        // 17 digits a number at the least for most, 25 bytes at the most; names, labels and the calibration are small beside 3661 of them.
        Assert.InRange(document.Json.Length, 15 * numbers, document.Bytes - sizeof(double) * numbers);
    }

    [Fact]
    public void Display_VersionsThatWaitForACheckpoint_AreBoundedTheSame()
    {
        using var feed = new SnapshotFeed();
        var display = new SnapshotDisplay(feed);
        display.Begin(restored: null, isReplayable: false);
        for (int version = 1; version <= 10; version++) display.Made(Document(version, parameters: 1_001_001));
        Assert.Null(feed.Latest);

        var seen = new List<long>();
        using IDisposable subscription = feed.Snapshots.Subscribe(document => seen.Add(document.Version));
        display.Durable(10);

        Assert.Equal([9L, 10L], seen);
    }

    [Fact]
    public async Task WaitFor_VersionThatIsThere_IsAnsweredAtOnceAndOneToComeWhenItComes()
    {
        using var feed = new SnapshotFeed();
        feed.Publish(Document(5, parameters: 1));

        Assert.Equal(5, (await Eventually.Within(Wait(feed, 4, CancellationToken.None)))!.Version);
        Task<SnapshotDocument?> waiting = Wait(feed, 7, CancellationToken.None);
        feed.Publish(Document(6, parameters: 1));
        Assert.False(waiting.IsCompleted);
        feed.Publish(Document(8, parameters: 1));
        Assert.Equal(8, (await Eventually.Within(waiting))!.Version);
    }

    [Fact]
    public async Task WaitFor_ReaderThatDawdles_DoesNotHoldUpWhoPublishes()
    {
        using var feed = new SnapshotFeed();
        using var hold = new ManualResetEventSlim();
        async Task ReadAsync()
        {
            await Wait(feed, 1, CancellationToken.None).ConfigureAwait(false);
            Assert.True(hold.Wait(TimeSpan.FromSeconds(10)), "The reader ran on the thread that publishes.");
        }

        Task reader = ReadAsync();
        feed.Publish(Document(1, parameters: 1));
        Assert.False(reader.IsCompleted);
        hold.Set();
        await Eventually.Within(reader);
    }

    [Fact]
    public async Task WaitFor_FeedEndsOrCallerGivesUp_EndsToo()
    {
        var feed = new SnapshotFeed();
        using var stop = new CancellationTokenSource();
        Task<SnapshotDocument?> given = Wait(feed, 1, CancellationToken.None), stopped = Wait(feed, 1, stop.Token);

        await stop.CancelAsync();
        feed.Dispose();

        Assert.Null(await Eventually.Within(given));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Eventually.Within(stopped));
    }

    private static Task<SnapshotDocument?> Wait(SnapshotFeed feed, long version, CancellationToken cancellationToken) =>
        feed.Snapshots.WaitForAsync(document => document.Version >= version, cancellationToken);

    private static SnapshotDocument Document(long version, int parameters) =>
        new SnapshotDocument(Small.Value with { Version = version, Parameters = new double[parameters] });

    private static ModelSnapshot Learned(int dimension)
    {
        var random = new Random(1);
        int rows = 4 * dimension;
        var learner = new Learner(ModelCatalog.MixtureOf(new GaussianOptions(), 1), RecordSchema.OfNumbers(dimension), new LearningOptions { MinibatchSize = rows, Initialization = new() { Buffer = rows } });
        var records = new Minibatch(dimension);
        for (int row = 0; row < rows; row++) records.Add([.. Enumerable.Range(0, dimension).Select(_ => random.NextDouble())]);
        learner.Add(records, 0, rows);
        learner.TryUpdate();
        return new ModelSnapshot(learner.CreateSnapshot()!, new SnapshotOrigin("model", "run", "", DateTimeOffset.UnixEpoch));
    }
}
