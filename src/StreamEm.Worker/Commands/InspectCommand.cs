using System.CommandLine;
using System.Globalization;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem inspect FILE</c>: a snapshot, the last one of a published log, or a checkpoint, as a person reads it.</summary>
public static class InspectCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A snapshot (JSON), a published log of snapshots (NDJSON), or a checkpoint (.sem)." };
        Command command = new("inspect", "Shows a snapshot or checkpoint as a table: parameters in the user's units, version, records, health.") { file };
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(file);
            TextWriter output = parsed.InvocationConfiguration.Output;
            byte[] bytes = SnapshotFile.ReadBytes(path);
            if (CheckpointFile.IsCheckpoint(bytes)) WriteCheckpoint(path, bytes, output);
            else ComponentTable.Write(SnapshotFile.Parse(path, bytes), output);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void WriteCheckpoint(string path, byte[] bytes, TextWriter output)
    {
        Checkpoint checkpoint;
        try
        {
            checkpoint = CheckpointFile.Decode(bytes);
        }
        catch (InvalidDataException failure)
        {
            throw new CommandException(ExitCode.DataCorrupt, $"'{path}': {failure.Message}", failure);
        }

        void Line(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
        Line($"checkpoint of model {checkpoint.ModelId}, {bytes.Length} bytes, made {checkpoint.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, verified");
        Line($"{checkpoint.Updates} updates, {checkpoint.Records} records; {checkpoint.Rejections.Read} read, {checkpoint.Rejections.ByReason.Sum()} rejected");
        foreach ((string partition, Sources.PartitionPosition next) in checkpoint.Position.Partitions)
        {
            Line($"next record of {partition}: {next.Next}");
            if (next.Skipped is { } skipped) Line($"  {skipped} of its records were gone before they were read");
        }

        Line($"{checkpoint.Outbox.Count} snapshots not yet acknowledged by every publisher");
        output.WriteLine();
        if (checkpoint.Latest is { } latest) ComponentTable.Write(latest.Snapshot, output);
        else output.WriteLine("no parameters yet: the buffer for the initialisation is filling");
    }
}
