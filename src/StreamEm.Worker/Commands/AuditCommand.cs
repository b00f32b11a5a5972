using System.CommandLine;
using System.Globalization;
using System.Text;
using StreamEm.Worker.Auditing;
using StreamEm.Worker.Display;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>streamem audit FILE | kafka://BROKER/TOPIC[?model=ID]</c>: whether a published feed of snapshots is whole and as it was written.
/// </summary>
public static class AuditCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var what = new Argument<string>("feed")
        {
            Description = "A published log of snapshots (NDJSON), a snapshot (JSON), or a topic: kafka://host:port/topic, with ?model=id "
                + "for one model.",
        };
        var gaps = new Option<bool>("--allow-gaps")
        {
            Description = "Versions may be missing: of a feed that does not take each (every_updates, every), and of a topic that was "
                + "compacted.",
        };
        var statistics = new Option<string?>("--statistics")
        {
            Description = "Beside the model topic of a model that several workers learn (scale_out), its statistics topic: it is folded "
                + "again, and every snapshot and the newest state are held against that.",
            HelpName = "topic",
        };
        var json = new Option<bool>("--json") { Description = "The result as one JSON object." };
        var kafka = new KafkaArguments();
        Command command = new("audit",
            "Verifies a feed of snapshots: that each is as it was written, that the versions of a run follow each other without a gap, and "
                + "that each comes from the one before. Exit code 65 and the first break when they do not.")
        { what, gaps, statistics, json };
        kafka.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            string name = parsed.GetRequiredValue(what);
            var audit = new FeedAudit(parsed.GetValue(gaps));
            if (TopicAddress.IsOne(name)) ReadTopic(TopicAddress.Parse(name), kafka.Access(parsed), audit, stop);
            else ReadFile(name, audit, parsed.InvocationConfiguration.Error);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) output.WriteLine(AuditReport.Json(audit));
            else AuditReport.Write(audit, output);
            if (audit.Break is null && parsed.GetValue(statistics) is { } history)
                Fold(name, history, kafka.Access(parsed), output, stop);
            if (audit.Break is not { } broken) return Task.FromResult(ExitCode.Ok);
            throw new CommandException(ExitCode.DataCorrupt,
                $"{name}: {broken.Place}: {broken.Text.TrimEnd('.')}. What is before it is whole; what comes from there on cannot be "
                    + "relied on."
                    + (broken.Kind == BreakKind.Gap ? " A feed that does not take each version is audited with --allow-gaps." : ""));
        });
        return command;
    }

    private static void Fold(string model, string statistics, KafkaAccess kafka, TextWriter output, CancellationToken stop)
    {
        if (!TopicAddress.IsOne(model))
            throw new CommandException(ExitCode.Usage, "--statistics: expected a model topic beside it, kafka://host:port/topic");
        HistoryAudit history = HistoryVisit.Read(TopicAddress.Parse(model), statistics, kafka, stop);
        output.WriteLine(HistoryVisit.Summary(history));
        if (history.Break is { } broken)
            throw new CommandException(ExitCode.DataCorrupt, $"{model}: {broken.Place}: {broken.Text}.");
    }

    private static void ReadFile(string path, FeedAudit audit, TextWriter error)
    {
        bool isUnfinished = FeedFile.Read(path, (line, place) =>
        {
            audit.Take(line, place);
            return audit.Break is null;
        });
        if (isUnfinished) error.WriteLine($"'{path}': its last line has no end and is left out: it is being written, or was cut short.");
    }

    private static void ReadTopic(TopicAddress address, KafkaAccess kafka, FeedAudit audit, CancellationToken stop)
    {
        byte[]? wanted = address.Model is { } id ? Encoding.UTF8.GetBytes(id) : null;
        TopicVisit.Read(address, kafka, "audit", topic =>
        {
            topic.ReadToEnd(since: null, record =>
            {
                // Without a value a record takes the model away, and says nothing of what was learned; with a slash in the key it is a
                // state of a model that several workers learn.
                if (record.Message is not { Key: { } key, Value: { } value } || key.Contains((byte)'/')
                    || (wanted is not null && !key.AsSpan().SequenceEqual(wanted))) return;
                audit.Take(value, string.Create(CultureInfo.InvariantCulture,
                    $"offset {record.Offset.Value} of partition {record.Partition.Value}"), Encoding.UTF8.GetString(key));
            });
            return true;
        }, stop);
        if (audit.Snapshots == 0 && audit.Break is null)
            throw new CommandException(ExitCode.InputMissing,
                $"{address} holds no snapshot{(address.Model is { } model ? $" of model '{model}'" : "")}.");
    }
}
