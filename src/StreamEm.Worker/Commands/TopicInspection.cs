using System.Globalization;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Commands;

/// <summary>Reads the topic of <c>streamem inspect kafka://...</c>.</summary>
internal static class TopicInspection
{
    private const string FileSuffix = "_file";
    private const string Section = "inspect", PropertyOption = "--property";

    /// <summary>The topic's snapshots, of one model if the address names one; never none.</summary>
    /// <param name="address">The topic.</param>
    /// <param name="properties">Each <c>name=value</c>, or <c>name_file=path</c>, of the Kafka client.</param>
    /// <param name="patience">How long the brokers may be away.</param>
    /// <param name="stop">Stops reading.</param>
    /// <exception cref="CommandException">The topic or the model is not there (66), the brokers are not (69), access is denied (77), a
    /// property is wrong (64, 78).</exception>
    public static KafkaSnapshotLog Read(TopicAddress address, IReadOnlyList<string> properties, TimeSpan patience, CancellationToken stop)
    {
        var target = new KafkaTarget(address.Brokers, address.Topic, Settings(properties), Section) { PropertiesName = PropertyOption };
        var outage = new Outage(address.Brokers, patience, Section, TimeProvider.System);
        using var topic = new KafkaTopic(target, outage, stop);
        try
        {
            if (topic.CountPartitions() is null)
                throw new CommandException(ExitCode.InputMissing, $"{address}: topic '{address.Topic}' does not exist.");
            KafkaSnapshotLog log = KafkaSnapshotLog.Read(topic);
            if (log.Models.Count == 0)
                throw new CommandException(ExitCode.InputMissing, $"{address} holds no snapshot. {Summary(address, log)}");
            if (address.Model is { } id && log.Models.All(model => model.Id != id))
                throw new CommandException(ExitCode.InputMissing,
                    $"{address} holds no snapshot of model '{id}'; it holds {string.Join(", ", log.Models.Select(model => model.Id))}.");
            return log;
        }
        catch (CommandException failure) when (failure.ExitCode == ExitCode.Unavailable && outage.Reason is { } reason)
        {
            throw new CommandException(ExitCode.Unavailable, string.Create(CultureInfo.InvariantCulture,
                $"{reason} That has lasted {patience.TotalSeconds:0.#} s. Check the address; --timeout waits longer, --property sets TLS "
                    + $"and SASL."), failure);
        }
    }

    /// <summary>One line about what was read.</summary>
    public static string Summary(TopicAddress address, KafkaSnapshotLog log)
    {
        string foreign = log.Foreign == 0
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"; {log.Foreign} of them are no snapshots, the last {log.LastForeign}");
        return string.Create(CultureInfo.InvariantCulture, $"{address}: {log.Models.Count} model(s) in {log.Records} record(s){foreign}");
    }

    private static Dictionary<string, string> Settings(IReadOnlyList<string> given)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string text in given)
        {
            string[] parts = text.Split('=', 2);
            if (parts.Length != 2 || parts[0].Length == 0)
                throw new CommandException(ExitCode.Usage, $"--property {text}: expected name=value, or name_file=path for a secret");
            bool isFile = parts[0].EndsWith(FileSuffix, StringComparison.Ordinal);
            properties[isFile ? parts[0][..^FileSuffix.Length] : parts[0]] = isFile ? ReadSecret(parts[1]) : parts[1];
        }

        return properties;
    }

    private static string ReadSecret(string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd('\n', '\r');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputMissing, $"--property: '{path}' cannot be read: {failure.Message}", failure);
        }
    }
}
