namespace StreamEm.Worker.Rejections;

/// <summary>
/// <c>rejected.kafka</c>: a dead-letter topic, which gets rejected records as they came, with headers that say where from and why.
/// </summary>
public sealed record DeadLetterOptions
{
    /// <summary><c>brokers</c>: host:port of some of the cluster's brokers.</summary>
    public required IReadOnlyList<string> Brokers { get; init; }

    /// <summary><c>topic</c>.</summary>
    public required string Topic { get; init; }

    /// <summary><c>unavailable_after</c>: brokers out of reach for this long end the worker (69); null waits for ever.</summary>
    public TimeSpan? UnavailableAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary><c>properties</c>: handed to the Kafka client as they are.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}
