using System.CommandLine;
using System.Globalization;
using System.Text;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Display;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>streamem inspect FILE | kafka://BROKER/TOPIC[?model=ID]</c>: a snapshot, the last one of a published log, a checkpoint, or the newest
/// snapshot of every model in a topic, as a person reads it; with <c>-o</c> as it was published.
/// </summary>
public static class InspectCommand
{
    private const string StandardOutput = "-";

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var what = new Argument<string>("file")
        {
            Description =
                "A snapshot (JSON), a published log of snapshots (NDJSON), a checkpoint (.sem); - is standard input; a worker's model: "
                    + "http://host:port/v1/models/id (with the token in STREAMEM_TOKEN); or a topic: kafka://host:port/topic, with "
                    + "?model=id for one model.",
        };
        var output = new Option<string?>("-o", "--output")
        {
            Description =
                "Where snapshots go as they were published, instead of the table; - is standard output. One is written as its bytes, "
                    + "several one a line.",
            HelpName = "file",
        };
        var kafka = new KafkaArguments();
        var json = new Option<bool>("--json")
        { Description = "Of a snapshot file: E[x] and Cov[x] of the whole model, weights and health, as one JSON object." };
        Command command = new("inspect",
            "Shows a snapshot, a checkpoint or a topic of snapshots as a table: parameters in the user's units, version, records, health.")
        { what, output, json };
        kafka.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            string name = parsed.GetRequiredValue(what);
            string? target = parsed.GetValue(output);
            TextWriter console = parsed.InvocationConfiguration.Output;
            if (TopicAddress.IsOne(name))
                InspectTopic(TopicAddress.Parse(name), kafka.Access(parsed), target, console, stop);
            else if (parsed.GetValue(json)) console.WriteLine(MomentsJson.Of(SnapshotFile.Read(name)));
            else InspectFile(name, target, console);
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    private static void InspectTopic(
        TopicAddress address, KafkaAccess kafka, string? target, TextWriter console, CancellationToken stop)
    {
        KafkaSnapshotLog log = TopicInspection.Read(address, kafka, stop);
        TopicSnapshot[] models = [.. log.Models.Where(model => address.Model is null || model.Id == address.Model)];
        if (target is not null)
        {
            Write([.. models.Select(model => model.Document.Json)], target, console);
            return;
        }

        console.WriteLine(TopicInspection.Summary(address, log));
        foreach (TopicSnapshot model in models)
        {
            console.WriteLine();
            console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{model.Id}: partition {model.Partition}, offset {model.Offset}, {model.Document.Json.Length} bytes"));
            ComponentTable.Write(model.Document.Snapshot, console);
        }
    }

    private static void InspectFile(string path, string? target, TextWriter console)
    {
        if (target != StandardOutput) OutputFile.RefuseInputs(target, [path]);
        byte[] bytes = SnapshotFile.ReadBytes(path);
        if (CheckpointFile.IsCheckpoint(bytes))
        {
            Checkpoint checkpoint = Decode(path, bytes);
            if (target is null) CheckpointText.Write(checkpoint, bytes.Length, console);
            else
                Write([checkpoint.Latest?.Json ?? throw new CommandException(ExitCode.DataCorrupt, $"'{path}' holds no parameters yet: the "
                    + "buffer for the initialisation is filling.")], target, console);
            return;
        }

        Core.Snapshots.ModelSnapshot snapshot = SnapshotFile.Parse(path, bytes);
        if (target is null) ComponentTable.Write(snapshot, console);
        else Write([SnapshotFile.LastOfLog(bytes)], target, console);
    }

    private static void Write(IReadOnlyList<ReadOnlyMemory<byte>> snapshots, string target, TextWriter console)
    {
        using Stream? file = target == StandardOutput ? null : OutputFile.Create(target);
        foreach (ReadOnlyMemory<byte> snapshot in snapshots)
        {
            if (file is not null) file.Write(snapshot.Span);
            else console.Write(Encoding.UTF8.GetString(snapshot.Span));
            if (snapshots.Count == 1) continue;
            if (file is not null) file.WriteByte((byte)'\n');
            else console.Write('\n');
        }
    }

    private static Checkpoint Decode(string path, byte[] bytes)
    {
        try
        {
            return CheckpointFile.Decode(bytes);
        }
        catch (InvalidDataException failure)
        {
            throw new CommandException(ExitCode.DataCorrupt, $"'{path}': {failure.Message}", failure);
        }
    }
}
