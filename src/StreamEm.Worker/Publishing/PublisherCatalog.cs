using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Publishing;

/// <summary>The publishers there are, by the options that configure them: one line each.</summary>
public static class PublisherCatalog
{
    /// <summary>The publisher of one entry of a model's <c>publish</c>.</summary>
    /// <exception cref="CommandException">There is none for it (78).</exception>
    public static SnapshotPublisher Create(PublishedModel model, object entry, TimeProvider time, ILogger log) => entry switch
    {
        FilePublisherOptions file => new FileSnapshotPublisher(file, log),
        KafkaPublisherOptions kafka => new KafkaSnapshotPublisher(kafka, model, time, log),
        _ => throw new CommandException(ExitCode.Configuration, $"publish: there is no publisher for {entry.GetType().Name}."),
    };
}
