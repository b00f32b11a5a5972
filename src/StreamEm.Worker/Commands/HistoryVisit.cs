using System.Globalization;
using System.Text;
using StreamEm.Worker.Auditing;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary>Reads the two topics of a model that several workers learn, and folds its history again.</summary>
internal static class HistoryVisit
{
    /// <summary>Audits; never null. Its <see cref="HistoryAudit.Break"/> says what does not fit.</summary>
    /// <param name="address">The model topic; with a model where it holds several.</param>
    /// <param name="statistics">The statistics topic.</param>
    /// <param name="kafka">How to reach them.</param>
    /// <param name="stop">Stops reading.</param>
    /// <exception cref="CommandException">Something is missing (66), or cannot be understood (65).</exception>
    public static HistoryAudit Read(TopicAddress address, string statistics, KafkaAccess kafka, CancellationToken stop)
    {
        var records = new List<(string Key, byte[] Value)>();
        TopicVisit.Read(address, kafka, "audit", topic =>
        {
            topic.ReadToEnd(since: null, record =>
            {
                if (record.Message is { Key: { } key, Value: { } value }) records.Add((Encoding.UTF8.GetString(key), value));
            });
            return true;
        }, stop);
        string id = address.Model ?? OnlyModel(address, records);
        var states = new ModelStates();
        foreach ((_, byte[] value) in records.Where(record => record.Key == Text(ScaleOutTopics.StateKeyOf(id)))) states.Take(value);
        Checkpoint newest = states.Newest
            ?? throw new CommandException(ExitCode.InputMissing, $"{address} holds no state of model '{id}'.");
        string startKey = Text(ScaleOutTopics.StartKey(id, newest.RunId));
        byte[]? start = records.Where(record => record.Key == startKey).Select(record => record.Value).FirstOrDefault();
        if (start is null)
            throw new CommandException(ExitCode.InputMissing,
                $"{address} does not hold the state that run {newest.RunId} of model '{id}' began with: it cannot be folded again.");
        if (RecordedConfiguration.Of(newest) is not { } values
            || RecordedModel.Of(values, newest.ConfigHash) is not { ScaleOut: not null } model)
            throw new CommandException(ExitCode.DataCorrupt,
                $"The state of model '{id}' does not say how it was configured in a way that this release understands.");
        Checkpoint begun = CheckpointFile.Decode(start);
        var audit = new HistoryAudit(model with { Id = id }, begun, newest, Hashes(records, id, newest.RunId));
        TopicVisit.Read(address with { Topic = statistics }, kafka, "audit", topic =>
        {
            audit.Begin(topic.Starts().Values.DefaultIfEmpty().Min());
            topic.ReadToEnd(since: null, record => audit.Take(record.Offset.Value, record.Message.Value));
            return true;
        }, stop);
        audit.Finish();
        string[] changes = [.. (newest.History ?? []).Select(item => item.Text)
            .Concat(SharedConfiguration.ChangesOf(model, begun).Select(change => change.ToString())).Distinct(StringComparer.Ordinal)];
        if (audit.Break is { Kind: BreakKind.Changed } && changes.Length > 0)
            throw new CommandException(ExitCode.DataCorrupt,
                $"The configuration of model '{id}' was changed while it was learned: {string.Join("; ", changes)}. What was folded with "
                    + "several cannot be folded again with the newest: leave --statistics out to verify the snapshots alone.");
        return audit;
    }

    /// <summary>One line.</summary>
    public static string Summary(HistoryAudit audit)
    {
        IEnumerable<string> verdicts = Enum.GetValues<Verdict>().Where(verdict => audit[verdict] > 0)
            .Select(verdict => string.Create(CultureInfo.InvariantCulture, $"{audit[verdict]} {SnakeCase.Of(verdict)}"));
        return string.Create(CultureInfo.InvariantCulture,
            $"{audit.Messages} messages of statistics folded again ({string.Join(", ", verdicts)}): {audit.Snapshots} snapshots as "
                + $"published");
    }

    private static Dictionary<long, string> Hashes(List<(string Key, byte[] Value)> records, string id, string runId)
    {
        var hashes = new Dictionary<long, string>();
        foreach ((string key, byte[] value) in records)
        {
            if (key != id || SnapshotIdentity.Read(value)?.RunId != runId) continue;
            var snapshot = SnapshotDocument.Parse(value).Snapshot;
            if (snapshot.Ancestry is { } ancestry) hashes[snapshot.Version] = ancestry.Hash;
        }

        return hashes;
    }

    private static string OnlyModel(TopicAddress address, List<(string Key, byte[] Value)> records)
    {
        string suffix = Text(ScaleOutTopics.StateKeyOf(""));
        string[] ids = [.. records.Where(record => record.Key.EndsWith(suffix, StringComparison.Ordinal))
            .Select(record => record.Key[..^suffix.Length]).Distinct(StringComparer.Ordinal)];
        return ids switch
        {
            [var only] => only,
            [] => throw new CommandException(ExitCode.InputMissing, $"{address} holds no state of a model: it is no model topic."),
            _ => throw new CommandException(
                ExitCode.Usage, $"{address} holds the models {string.Join(", ", ids)}; name one: {address}?model={ids[0]}"),
        };
    }

    private static string Text(byte[] key) => Encoding.UTF8.GetString(key);
}
