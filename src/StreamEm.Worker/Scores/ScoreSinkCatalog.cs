using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Scores;

/// <summary>The sinks there are, by the options that configure them: one line each.</summary>
internal static class ScoreSinkCatalog
{
    /// <summary>The sink of one entry of a model's <c>scores</c>.</summary>
    /// <exception cref="CommandException">There is none for it (78).</exception>
    public static ScoreSink Create(string modelId, ScoreSinkOptions entry, TimeProvider time, ILogger log) => entry switch
    {
        FileScoreOptions file => new FileScoreSink(file, log),
        StdoutScoreOptions stdout => StdoutScoreSink.Of(stdout),
        KafkaScoreOptions kafka => new KafkaScoreSink(kafka, modelId, time, log),
        WebhookScoreOptions webhook => new WebhookScoreSink(webhook, time),
        _ => throw new CommandException(ExitCode.Configuration, $"scores: there is no sink for {entry.GetType().Name}."),
    };
}
