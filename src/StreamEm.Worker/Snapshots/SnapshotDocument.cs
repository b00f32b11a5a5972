using System.Buffers;
using System.Diagnostics;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Snapshots;

/// <summary>
/// A snapshot and its JSON, one line without the line feed. The JSON is made once, when first asked for, and then shared. Immutable.
/// </summary>
public sealed class SnapshotDocument
{
    /// <summary>A parameter as a double, and as the longest text a double gets, with its comma.</summary>
    private const int BytesPerParameter = sizeof(double) + 25;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _output;

    private readonly Lazy<ModelSnapshot> _snapshot;
    private readonly Lazy<ReadOnlyMemory<byte>> _json;
    private readonly Task<Ancestry>? _ancestry;

    /// <summary>A document of a new snapshot.</summary>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="ancestry">What it comes from, as soon as that is computed; null where the snapshot says it, or nobody does.</param>
    public SnapshotDocument(ModelSnapshot snapshot, Task<Ancestry>? ancestry = null)
    {
        (_snapshot, _ancestry) = (new Lazy<ModelSnapshot>(snapshot), ancestry);
        _json = new Lazy<ReadOnlyMemory<byte>>(Serialize);
    }

    private SnapshotDocument(Lazy<ModelSnapshot> snapshot, ReadOnlyMemory<byte> json) =>
        (_snapshot, _json) = (snapshot, new Lazy<ReadOnlyMemory<byte>>(json));

    /// <summary>The parameters.</summary>
    public ModelSnapshot Snapshot => _snapshot.Value;

    /// <summary>The snapshot's version.</summary>
    public long Version => Snapshot.Version;

    /// <summary>
    /// The most bytes it takes in memory with its JSON, whether that is made yet or not; names and words, which are few, left out.
    /// </summary>
    public long Bytes => (long)BytesPerParameter * Snapshot.Parameters.Length;

    /// <summary>UTF-8 JSON.</summary>
    public ReadOnlyMemory<byte> Json => _json.Value;

    /// <summary>The span that the version was made in; none where nobody listens, and for one that was stored.</summary>
    internal ActivityContext Trace { get; init; }

    /// <summary>The document that was stored as these bytes; it keeps them, so that it is published again as it was.</summary>
    /// <exception cref="InvalidDataException">Not a snapshot.</exception>
    public static SnapshotDocument Parse(ReadOnlyMemory<byte> json) => new(new Lazy<ModelSnapshot>(SnapshotReader.Read(json)), json);

    /// <summary>
    /// The same, read when somebody looks at it, which may be never: <see cref="Snapshot"/> fails then where it is none.
    /// </summary>
    internal static SnapshotDocument ParseLater(ReadOnlyMemory<byte> json) =>
        new(new Lazy<ModelSnapshot>(() => SnapshotReader.Read(json)), json);

    private ReadOnlyMemory<byte> Serialize()
    {
        _output ??= new ArrayBufferWriter<byte>();
        _output.ResetWrittenCount();
        SnapshotJson.Write(
            _ancestry is null ? Snapshot : Snapshot with { Ancestry = _ancestry.GetAwaiter().GetResult() }, _output);
        return _output.WrittenSpan.ToArray();
    }
}
