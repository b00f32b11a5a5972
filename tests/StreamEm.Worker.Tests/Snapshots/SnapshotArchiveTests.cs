using Microsoft.Extensions.Time.Testing;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Snapshots;

/// <summary>Versions kept on disk, to go back to after the worker was started again.</summary>
public sealed class SnapshotArchiveTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Offer_BeforeItIsTime_KeepsNothing()
    {
        SnapshotArchive archive = Archive();
        Assert.Null(archive.Offer(Document(1)));
        Assert.Empty(archive.Entries);

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null(archive.Offer(Document(2)));
        Assert.Null(archive.Offer(Document(3)));
        Assert.Equal([2L], archive.Entries.Select(entry => entry.Version));
    }

    [Fact]
    public void Archive_OpenedAgain_HasItsVersionsAsTheyWere()
    {
        _time.Advance(TimeSpan.FromHours(1));
        SnapshotArchive archive = Archive();
        _time.Advance(TimeSpan.FromHours(1));
        SnapshotDocument kept = Document(2);
        archive.Offer(kept);

        SnapshotArchive again = Archive();

        Assert.Equal(2, Assert.Single(again.Entries).Version);
        Assert.Equal(kept.Json.ToArray(), again.Find(2)!.Json.ToArray());
        Assert.Null(again.Find(1));
    }

    [Fact]
    public void Archive_WithMoreThanItKeeps_LosesTheOldest()
    {
        SnapshotArchive archive = Archive(keep: 2);
        for (int version = 1; version <= 4; version++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            archive.Offer(Document(version));
        }

        Assert.Equal([3L, 4L], archive.Entries.Select(entry => entry.Version));
        Assert.Equal(2, Directory.GetFiles(_directory["m/snapshots"]).Length);
    }

    [Fact]
    public void Archive_WithVersionsOfAnotherRunAndDamage_HasItsOwn()
    {
        SnapshotArchive archive = Archive();
        _time.Advance(TimeSpan.FromHours(1));
        archive.Offer(Document(2));
        File.WriteAllText(_directory["m/snapshots/snapshot-00000000000000000001-r1.json"], "{");

        Assert.Empty(Archive(run: "another").Entries);
        Assert.Equal([2L], Archive().Entries.Select(entry => entry.Version));
    }

    [Fact]
    public void Offer_WhereNothingCanBeWritten_SaysSoAndGoesOn()
    {
        SnapshotArchive archive = Archive();
        Directory.CreateDirectory(_directory["m"]);
        File.WriteAllText(_directory["m/snapshots"], "");
        _time.Advance(TimeSpan.FromHours(1));

        Assert.Contains("could not be kept", archive.Offer(Document(2)), StringComparison.Ordinal);
        Assert.Null(archive.Offer(Document(3)));
    }

    private SnapshotArchive Archive(int keep = 24, string run = "r1") =>
        new(_directory["m"], new RetentionOptions { ArchiveKeep = keep }, run, _time);

    private SnapshotDocument Document(int version) => new(new ModelSnapshot(
        Pipelines.Versions(version, minibatch: 32).Last(), new SnapshotOrigin("m", "r1", "h", _time.GetUtcNow())));
}
