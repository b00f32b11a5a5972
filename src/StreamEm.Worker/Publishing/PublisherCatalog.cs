using StreamEm.Worker.Commands;
using StreamEm.Worker.Configuration;

namespace StreamEm.Worker.Publishing;

/// <summary>The publishers there are, by the options that configure them: one line each.</summary>
public static class PublisherCatalog
{
    /// <summary>The publisher of one entry of <c>publish</c>.</summary>
    /// <exception cref="CommandException">There is none for it (78).</exception>
    public static SnapshotPublisher Create(object entry, ILogger log) => entry switch
    {
        FilePublisherOptions file => new FileSnapshotPublisher(file, log),
        KafkaPublisherOptions => throw new CommandException(ExitCode.Configuration, "publish: this release cannot publish to Kafka yet; publish to a file."),
        _ => throw new CommandException(ExitCode.Configuration, $"publish: there is no publisher for {entry.GetType().Name}."),
    };
}
