namespace StreamEm.Worker.Publishing;

/// <summary><c>publish: - kafka</c>: snapshots to a compacted topic, the key is the model's id.</summary>
public sealed record KafkaPublisherOptions
{
    /// <summary><c>brokers</c>: host:port of some of the cluster's brokers.</summary>
    public required IReadOnlyList<string> Brokers { get; init; }

    /// <summary><c>topic</c>.</summary>
    public required string Topic { get; init; }

    /// <summary><c>every_updates</c>: only versions divisible by it (and the last one of a drained run).</summary>
    public int EveryUpdates { get; init; } = 1;

    /// <summary><c>every</c>: at most one snapshot in this time, the newest; null publishes each.</summary>
    public TimeSpan? Every { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary><c>unavailable_after</c>: brokers out of reach for this long end the worker (69); null waits for ever.</summary>
    public TimeSpan? UnavailableAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// <c>take_over</c>: the run that published the model there before and has ended for good; null: nobody's place is taken.
    /// </summary>
    public string? TakeOver { get; init; }

    /// <summary><c>properties</c>: handed to the Kafka client as they are.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}
