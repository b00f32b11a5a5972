using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Stdin;

/// <summary><c>source.stdin</c>: records from standard input.</summary>
public sealed record StdinSourceOptions : SourceOptions
{
    /// <summary><c>format</c>: <c>csv</c> or <c>ndjson</c>.</summary>
    public RecordFormat Format { get; init; } = RecordFormat.Ndjson;

    /// <summary>Opens what is read; null for standard input. Not part of the YAML.</summary>
    public Func<Stream>? Open { get; init; }

    /// <summary>Size of the read buffer in bytes. Not part of the YAML.</summary>
    public int BufferBytes { get; init; } = 256 * 1024;

    /// <inheritdoc/>
    public override bool IsReplayable => false;
}
