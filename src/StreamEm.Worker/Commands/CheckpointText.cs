using System.Globalization;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Commands;

/// <summary>A checkpoint as a person reads it.</summary>
internal static class CheckpointText
{
    /// <summary>Where it stands, and its parameters.</summary>
    public static void Write(Checkpoint checkpoint, long bytes, TextWriter output)
    {
        void Line(string text) => output.WriteLine(text);
        Line($"checkpoint of model {checkpoint.ModelId}, {bytes} bytes, made {checkpoint.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, "
            + $"verified");
        Line($"{checkpoint.Updates} updates, {checkpoint.Records} records; {checkpoint.Rejections.Read} read, "
            + $"{checkpoint.Rejections.ByReason.Sum()} rejected");
        foreach ((string partition, PartitionPosition next) in checkpoint.Position.Partitions)
        {
            Line($"next record of {partition}: {next.Next}");
            if (next.Skipped is { } skipped) Line($"  {skipped} of its records were gone before they were read");
        }

        Line($"{checkpoint.Outbox.Count(entry => !entry.IsAcknowledged)} snapshots not yet acknowledged by every publisher");
        output.WriteLine();
        if (checkpoint.Latest is { } latest) ComponentTable.Write(latest.Snapshot, output);
        else output.WriteLine("no parameters yet: the buffer for the initialisation is filling");
    }

    /// <summary>Which run it is of, with which configuration, what was done to it, and which versions can be gone back to.</summary>
    public static void WriteOrigin(Checkpoint checkpoint, IReadOnlyList<KeptCheckpoint> kept, TextWriter output)
    {
        output.WriteLine($"run {checkpoint.RunId}");
        foreach (string run in checkpoint.Predecessors ?? []) output.WriteLine($"  in the place of run {run}");
        output.WriteLine($"versions that can be rolled back to: {Versions(kept)}");
        if (checkpoint.History is { Count: > 0 } history)
        {
            output.WriteLine("history");
            foreach (RunEvent item in history)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {item.At.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, after version {item.Version}: {item.Text}"));
        }

        if (checkpoint.Configuration is not { Count: > 0 } configuration) return;
        output.WriteLine("configuration");
        foreach ((string key, string value) in configuration) output.WriteLine($"  {key}: {value}");
    }

    /// <summary>The versions of checkpoints that verify, the newest first.</summary>
    public static string Versions(IReadOnlyList<KeptCheckpoint> kept)
    {
        long[] versions = [.. kept.Where(one => one.Checkpoint is { Updates: > 0 }).Select(one => one.Checkpoint!.Updates).Distinct()];
        return versions.Length == 0 ? "none" : string.Join(", ", versions);
    }
}
