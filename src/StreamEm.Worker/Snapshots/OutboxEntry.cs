using System.Diagnostics;

namespace StreamEm.Worker.Snapshots;

/// <summary>A snapshot on its way to the publishers. Immutable.</summary>
public sealed class OutboxEntry
{
    private readonly Lazy<ReadOnlyMemory<byte>> _json;

    /// <summary>An entry of a checkpoint.</summary>
    public OutboxEntry(long version, bool isLast, ReadOnlyMemory<byte> json, bool isAcknowledged = false)
        : this(version, isLast, new Lazy<ReadOnlyMemory<byte>>(json), isAcknowledged)
    {
    }

    /// <summary>An entry whose bytes are made when they are first asked for.</summary>
    public OutboxEntry(SnapshotDocument document, bool isLast)
        : this(document.Version, isLast, new Lazy<ReadOnlyMemory<byte>>(() => document.Json), isAcknowledged: false) =>
        Trace = document.Trace;

    private OutboxEntry(long version, bool isLast, Lazy<ReadOnlyMemory<byte>> json, bool isAcknowledged) =>
        (Version, IsLast, _json, IsAcknowledged) = (version, isLast, json, isAcknowledged);

    /// <summary>The snapshot's version.</summary>
    public long Version { get; }

    /// <summary>Whether it is the last version of a drained run, which every publisher wants.</summary>
    public bool IsLast { get; }

    /// <summary>
    /// Whether every publisher has it: it is kept because it is the newest of one that does not take each version, and may have gone from
    /// there.
    /// </summary>
    public bool IsAcknowledged { get; }

    /// <summary>The span that the version was made in; none where nobody listens, and for one of a checkpoint.</summary>
    internal ActivityContext Trace { get; init; }

    /// <summary>Whether <see cref="Json"/> is there without being made first.</summary>
    public bool IsMade => _json.IsValueCreated;

    /// <summary>The snapshot as one line of JSON, without the line feed.</summary>
    public ReadOnlyMemory<byte> Json => _json.Value;

    /// <summary>The same snapshot, acknowledged or not.</summary>
    public OutboxEntry As(bool isAcknowledged) =>
        IsAcknowledged == isAcknowledged ? this : new OutboxEntry(Version, IsLast, _json, isAcknowledged) { Trace = Trace };
}
