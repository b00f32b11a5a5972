namespace StreamEm.Worker.Snapshots;

/// <summary><c>snapshots</c>: which versions are kept, to be asked for and gone back to.</summary>
public sealed record RetentionOptions
{
    /// <summary><c>keep</c>: the newest versions in memory.</summary>
    public int Keep { get; init; } = RecentSnapshots.MaxCount;

    /// <summary><c>archive_every</c>: how often one is kept in the state directory; null never.</summary>
    public TimeSpan? ArchiveEvery { get; init; } = TimeSpan.FromHours(1);

    /// <summary><c>archive_keep</c>: how many of those.</summary>
    public int ArchiveKeep { get; init; } = 24;
}
