using System.Globalization;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Commands;

/// <summary>Looks into a topic that was named on the command line.</summary>
internal static class TopicVisit
{
    /// <summary>Reads something from a topic that has to exist.</summary>
    /// <param name="address">The topic.</param>
    /// <param name="kafka">How to reach it.</param>
    /// <param name="verb">Who asks, for messages.</param>
    /// <param name="read">Reads it.</param>
    /// <param name="stop">Stops reading.</param>
    /// <exception cref="CommandException">The topic is not there (66), the brokers are not (69), access is denied (77), a property is
    /// wrong (78).</exception>
    public static T Read<T>(TopicAddress address, KafkaAccess kafka, string verb, Func<KafkaTopic, T> read, CancellationToken stop)
    {
        var target = new KafkaTarget(address.Brokers, address.Topic, kafka.Settings, verb) { PropertiesName = "--property" };
        var outage = new Outage(address.Brokers, kafka.Patience, verb, TimeProvider.System);
        using var topic = new KafkaTopic(target, outage, stop);
        try
        {
            if (topic.CountPartitions() is null)
                throw new CommandException(ExitCode.InputMissing, $"{address}: topic '{address.Topic}' does not exist.");
            return read(topic);
        }
        catch (CommandException failure) when (failure.ExitCode == ExitCode.Unavailable && outage.Reason is { } reason)
        {
            throw new CommandException(ExitCode.Unavailable, string.Create(CultureInfo.InvariantCulture,
                $"{reason} That has lasted {kafka.Patience.TotalSeconds:0.#} s. Check the address; --timeout waits longer, --property sets "
                    + $"TLS and SASL."), failure);
        }
    }
}

/// <summary>How a cluster is reached.</summary>
/// <param name="Settings">Of the Kafka client.</param>
/// <param name="Patience">How long its brokers may be away.</param>
internal sealed record KafkaAccess(IReadOnlyDictionary<string, string> Settings, TimeSpan Patience);
