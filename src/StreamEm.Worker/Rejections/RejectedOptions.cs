namespace StreamEm.Worker.Rejections;

/// <summary><c>rejected</c>: where records that cannot be used are kept.</summary>
public sealed record RejectedOptions
{
    /// <summary>
    /// <c>file</c>; null keeps them in <c>rejected.ndjson</c> beside the checkpoints, unless they go to a topic (<c>fit</c>, which has no
    /// checkpoints, only counts them).
    /// </summary>
    public string? File { get; init; }

    /// <summary><c>kafka</c>: a dead-letter topic, besides or instead of the file; null for none.</summary>
    public DeadLetterOptions? Kafka { get; init; }

    /// <summary>
    /// <c>stop_above_ratio</c>: the model fails (65) when more than this share of the records is rejected; of records that clients post,
    /// it goes on and holds the clients back.
    /// </summary>
    public double StopAboveRatio { get; init; } = 0.05;
}
