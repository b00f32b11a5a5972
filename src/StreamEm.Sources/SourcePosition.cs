namespace StreamEm.Sources;

/// <summary>The next record to read in one partition of a source.</summary>
/// <param name="Next">Byte offset for files, offset for Kafka.</param>
/// <param name="Identity">What tells that the partition is still the same one (a fingerprint of a file's beginning); null where nothing can.</param>
public sealed record PartitionPosition(long Next, string? Identity = null);

/// <summary>
/// Where a source goes on: for every partition (file, topic partition) the next record to read. Part of the checkpoint, so that a record is
/// never learned twice nor left out.
/// </summary>
public sealed class SourcePosition
{
    private readonly SortedDictionary<string, PartitionPosition> _partitions = new(StringComparer.Ordinal);

    /// <summary>The partitions by name, in ordinal order.</summary>
    public IReadOnlyDictionary<string, PartitionPosition> Partitions => _partitions;

    /// <summary>Sets the next record of one partition.</summary>
    public void Set(string partition, PartitionPosition position) => _partitions[partition] = position;

    /// <summary>A copy that later changes do not touch.</summary>
    public SourcePosition Copy()
    {
        var copy = new SourcePosition();
        foreach ((string name, PartitionPosition position) in _partitions) copy.Set(name, position);
        return copy;
    }
}
