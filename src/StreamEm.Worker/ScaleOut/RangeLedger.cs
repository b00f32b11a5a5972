using StreamEm.Sources;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// How far every partition is in the model, W: a range counts if it begins where the partition stands, and nothing else does. So every
/// record is in the model exactly once, whatever is sent twice, lost, late, or sent by one who has lost the partition. Part of the state.
/// </summary>
/// <param name="position">Where the partitions stand; changed.</param>
internal sealed class RangeLedger(SourcePosition position)
{
    /// <summary>Where the partitions stand.</summary>
    public SourcePosition Position => position;

    /// <summary>Partitions that have a place.</summary>
    public int Count => position.Partitions.Count;

    /// <summary>The next record of a partition; null where it has none yet.</summary>
    public PartitionPosition? this[string partition] => position.Partitions.GetValueOrDefault(partition);

    /// <summary>How a range goes on from those before it.</summary>
    /// <param name="range">The range.</param>
    /// <param name="begins">Whether it begins the partition: it is the first where that has no place yet.</param>
    public RangeFit FitOf(RecordRange range, bool begins)
    {
        if (this[range.Partition] is not { Next: var next }) return begins ? RangeFit.Next : RangeFit.Gap;
        if (range.From == next) return RangeFit.Next;
        if (range.From > next) return RangeFit.Gap;
        return range.To <= next ? RangeFit.Duplicate : RangeFit.Overlap;
    }

    /// <summary>Counts a range that is next.</summary>
    /// <param name="range">The range.</param>
    /// <param name="identity">What tells that the partition is the same one; null where nothing does.</param>
    public void Advance(RecordRange range, string? identity) =>
        position.Set(range.Partition, new PartitionPosition(range.To, identity));
}
