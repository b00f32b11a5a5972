using StreamEm.Sources;

namespace StreamEm.Worker.Rejections;

/// <summary>
/// How many records were read and rejected, for good and with forgetting: the recent counts are halved whenever 10 000 records have been
/// read, so that the ratio follows a stream that turns bad after a million good records. A value: part of the checkpoint.
/// </summary>
public sealed record RejectionCounts
{
    /// <summary>The recent counts are halved when this many records are in them.</summary>
    public const int Memory = 10_000;

    /// <summary>Records read, accepted or not.</summary>
    public long Read { get; init; }

    /// <summary>Records rejected, by reason; indexed by <see cref="RejectionReason"/>.</summary>
    public IReadOnlyList<long> ByReason { get; init; } = new long[Enum.GetValues<RejectionReason>().Length];

    /// <summary>Records used without their key, which could not be read.</summary>
    public long UnreadKeys { get; init; }

    /// <summary>Records used without their time, which could not be read.</summary>
    public long UnreadTimestamps { get; init; }

    /// <summary>Records read, with forgetting.</summary>
    public double RecentRead { get; init; }

    /// <summary>Records rejected, with forgetting.</summary>
    public double RecentRejected { get; init; }
}
