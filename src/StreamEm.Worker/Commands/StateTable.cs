using System.Globalization;
using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.Commands;

/// <summary>The models of a state directory, one a line.</summary>
internal static class StateTable
{
    /// <summary>Writes it.</summary>
    public static void Write(StateDirectory directory, TextWriter output)
    {
        IReadOnlyList<string> models = directory.Models;
        if (models.Count == 0)
        {
            output.WriteLine($"no model has a state in {directory.Path}");
            return;
        }

        string[] head = ["model", "version", "records", "rejected", "kept versions", "bytes", "written (UTC)", "run"];
        string[][] rows = [head, .. models.Select(id => Row(id, directory.CheckpointsOf(id)))];
        int[] widths = [.. head.Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
            output.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }

    private static string[] Row(string id, IReadOnlyList<KeptCheckpoint> kept)
    {
        static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
        string bytes = Number(kept.Sum(one => one.Bytes));
        if (kept.FirstOrDefault(one => one.Checkpoint is not null)?.Checkpoint is not { } newest)
            return [id, "-", "-", "-", "damaged", bytes, "-", "-"];
        return [
            id, Number(newest.Updates), Number(newest.Records), Number(newest.Rejections.ByReason.Sum()), CheckpointText.Versions(kept),
            bytes,
            newest.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), newest.RunId,
        ];
    }
}
