using System.Globalization;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Commands;

/// <summary>Reads the topic of <c>streamem inspect kafka://...</c>.</summary>
internal static class TopicInspection
{
    /// <summary>The topic's snapshots, of one model if the address names one; never none.</summary>
    /// <exception cref="CommandException">The model is not there (66), or as <see cref="TopicVisit"/>.</exception>
    public static KafkaSnapshotLog Read(TopicAddress address, KafkaAccess kafka, CancellationToken stop)
    {
        KafkaSnapshotLog log = TopicVisit.Read(address, kafka, "inspect", KafkaSnapshotLog.Read, stop);
        if (log.Models.Count == 0)
            throw new CommandException(ExitCode.InputMissing, $"{address} holds no snapshot. {Summary(address, log)}");
        if (address.Model is { } id && log.Models.All(model => model.Id != id))
            throw new CommandException(ExitCode.InputMissing,
                $"{address} holds no snapshot of model '{id}'; it holds {string.Join(", ", log.Models.Select(model => model.Id))}.");
        return log;
    }

    /// <summary>One line about what was read.</summary>
    public static string Summary(TopicAddress address, KafkaSnapshotLog log)
    {
        string foreign = log.Foreign == 0
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"; {log.Foreign} of them are no snapshots, the last {log.LastForeign}");
        return string.Create(CultureInfo.InvariantCulture, $"{address}: {log.Models.Count} model(s) in {log.Records} record(s){foreign}");
    }
}
