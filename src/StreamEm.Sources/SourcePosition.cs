namespace StreamEm.Sources;

/// <summary>The next record to read in one partition of a source, and what else decides what is read next.</summary>
/// <param name="Next">Byte offset for files, offset for Kafka.</param>
/// <param name="Identity">What tells that the partition is still the same one (a file's fingerprint, a topic's id); null where nothing
/// can.</param>
public sealed record PartitionPosition(long Next, string? Identity = null)
{
    /// <summary>Where a drained run ends, as found when it started; null without.</summary>
    public long? End { get; init; }

    /// <summary>Records that were gone before they were read, where the configuration allows to go on; null for none.</summary>
    public long? Skipped { get; init; }

    /// <summary>What else is known of a file; null for none.</summary>
    public PartitionFile? File { get; init; }

    /// <summary>For sources that read their partitions in turn; null for others.</summary>
    public PartitionTurn? Turn { get; init; }
}

/// <summary>What is known of a file beside how far it was read.</summary>
/// <param name="Columns">The columns of its header, to go on with where a header does not come again; null where none are kept. Files with
/// the same header share one list.</param>
/// <param name="HasNoHeader">Whether it has no header and is read with these columns; null for no.</param>
/// <param name="Gone">A number, growing with every file that goes, of one that is gone: only its identity is still of use; null for one
/// that is there.</param>
public sealed record PartitionFile(IReadOnlyList<string>? Columns = null, bool? HasNoHeader = null, long? Gone = null);

/// <summary>What the state is told of a partition that was not read just now.</summary>
/// <param name="PartitionName">Its name.</param>
/// <param name="Position">Its position; null when nothing has the name any more.</param>
public readonly record struct MovedPartition(string PartitionName, PartitionPosition? Position);

/// <summary>A partition's place in the rotation of a source that reads its partitions in turn.</summary>
/// <param name="Number">Number of its last turn, over all partitions: the partition with the highest is, or was last, at its turn. 0 before
/// its first.</param>
/// <param name="Left">Records it may still yield in that turn.</param>
/// <param name="IsIdle">Whether it is left out of the rotation until it has records again.</param>
public sealed record PartitionTurn(long Number, int Left, bool IsIdle);

/// <summary>
/// Where a source goes on: for every partition the next record to read. Part of the checkpoint, so that a record is never learned twice nor
/// left out.
/// </summary>
/// <remarks>
/// The words for it, everywhere the same. A <i>partition</i> is a sequence of records with positions of its own: a file, a partition of a
/// topic, standard input, what is posted to a model. Its <i>name</i> (<c>PartitionName</c>) tells it from the others of its source: the
/// file's path, <c>sensors/3</c>, <c>stdin</c>, <c>http</c>. An <i>offset</i> is the place of one record in it. Its <i>position</i>
/// (<see cref="PartitionPosition"/>) is the offset of the next record and what else decides what is read next, its <i>identity</i> tells
/// whether it is still the same partition. Only the partitions of a topic have a <i>number</i> (<c>PartitionNumber</c>), counted from 0.
/// </remarks>
public sealed class SourcePosition
{
    private readonly SortedDictionary<string, PartitionPosition> _partitions = new(StringComparer.Ordinal);

    /// <summary>The partitions by name, in ordinal order.</summary>
    public IReadOnlyDictionary<string, PartitionPosition> Partitions => _partitions;

    /// <summary>Sets the next record of one partition.</summary>
    public void Set(string partitionName, PartitionPosition position) => _partitions[partitionName] = position;

    /// <summary>Takes over what a source tells of a partition that it did not read just now.</summary>
    public void Take(MovedPartition moved)
    {
        if (moved.Position is { } position) Set(moved.PartitionName, position);
        else _partitions.Remove(moved.PartitionName);
    }

    /// <summary>A copy that later changes do not touch.</summary>
    public SourcePosition Copy()
    {
        var copy = new SourcePosition();
        foreach ((string name, PartitionPosition position) in _partitions) copy.Set(name, position);
        return copy;
    }
}
