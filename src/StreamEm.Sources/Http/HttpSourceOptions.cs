namespace StreamEm.Sources.Http;

/// <summary><c>source.http</c>: records posted to <c>/v1/models/{id}/records</c>.</summary>
public sealed record HttpSourceOptions : SourceOptions
{
    /// <summary>
    /// The most records that wait to be learned from; a request that does not fit is refused as a whole. Not part of the YAML.
    /// </summary>
    public int CapacityRecords { get; init; } = 65_536;

    /// <summary>The most bytes that they may take in memory. Not part of the YAML.</summary>
    public long CapacityBytes { get; init; } = 64L << 20;

    /// <inheritdoc/>
    public override bool IsReplayable => false;
}
