namespace StreamEm.Worker.Scores;

/// <summary>An item of <c>scores</c>: where scored records go.</summary>
public abstract record ScoreSinkOptions
{
    /// <summary>Which records, and with what.</summary>
    public ScoreSelection Selection { get; init; } = new();
}

/// <summary><c>scores: - file</c>: one record a line.</summary>
public sealed record FileScoreOptions : ScoreSinkOptions
{
    /// <summary><c>path</c>.</summary>
    public required string Path { get; init; }
}

/// <summary><c>scores: - stdout</c>: one record a line on standard output; what the worker logs goes to standard error then.</summary>
public sealed record StdoutScoreOptions : ScoreSinkOptions
{
    /// <summary><c>format</c>.</summary>
    public StdoutFormat Format { get; init; }
}

/// <summary>How scored records are written to standard output.</summary>
public enum StdoutFormat
{
    /// <summary>For a person on a terminal, else as JSON.</summary>
    Auto,

    /// <summary>JSON, one object a line.</summary>
    Ndjson,

    /// <summary>For a person.</summary>
    Text,
}

/// <summary><c>scores: - kafka</c>: one message a record, its key the record's.</summary>
public sealed record KafkaScoreOptions : ScoreSinkOptions
{
    /// <summary><c>brokers</c>: host:port of some of the cluster's brokers.</summary>
    public required IReadOnlyList<string> Brokers { get; init; }

    /// <summary><c>topic</c>.</summary>
    public required string Topic { get; init; }

    /// <summary><c>unavailable_after</c>: brokers out of reach for this long end the model (69); null waits for ever.</summary>
    public TimeSpan? UnavailableAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary><c>properties</c>: handed to the Kafka client as they are.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary><c>scores: - webhook</c>: POST of NDJSON, signed, tried again until it is taken.</summary>
public sealed record WebhookScoreOptions : ScoreSinkOptions
{
    /// <summary><c>url</c>: http or https.</summary>
    public required string Url { get; init; }

    /// <summary><c>secret</c>: what requests are signed with; null signs none.</summary>
    public string? Secret { get; init; }

    /// <summary><c>timeout</c>: for the answer to a request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary><c>batch_records</c>: the most records of a request.</summary>
    public int BatchRecords { get; init; } = 500;

    /// <summary><c>unavailable_after</c>: without an accepted request for this long the model ends (69); null waits for ever.</summary>
    public TimeSpan? UnavailableAfter { get; init; } = TimeSpan.FromMinutes(5);
}
