namespace StreamEm.Worker.Publishing;

/// <summary>A snapshot on its way to the publishers. Immutable.</summary>
public sealed class OutboxEntry
{
    private readonly Lazy<ReadOnlyMemory<byte>> _json;

    /// <summary>An entry of a checkpoint.</summary>
    public OutboxEntry(long version, bool isLast, ReadOnlyMemory<byte> json) => (Version, IsLast, _json) = (version, isLast, new Lazy<ReadOnlyMemory<byte>>(json));

    /// <summary>An entry whose bytes are made when they are first asked for.</summary>
    public OutboxEntry(SnapshotDocument document, bool isLast) => (Version, IsLast, _json) = (document.Version, isLast, new Lazy<ReadOnlyMemory<byte>>(() => document.Json));

    /// <summary>The snapshot's version.</summary>
    public long Version { get; }

    /// <summary>Whether it is the last version of a drained run, which every publisher wants.</summary>
    public bool IsLast { get; }

    /// <summary>Whether <see cref="Json"/> is there without being made first.</summary>
    public bool IsMade => _json.IsValueCreated;

    /// <summary>The snapshot as one line of JSON, without the line feed.</summary>
    public ReadOnlyMemory<byte> Json => _json.Value;
}
