using System.Text;
using System.Text.Json;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Plotting;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Commands;

/// <summary>All versions that a log of snapshots has of its last run, and what a fit's trace says.</summary>
internal static class SnapshotLog
{
    /// <summary>Versions kept at once; beyond them every second one of the later ones is forgotten.</summary>
    private const int Most = 1024, Early = 256;

    /// <summary>The versions, oldest first; never none.</summary>
    /// <exception cref="CommandException">It cannot be read (66) or holds something else (65).</exception>
    public static IReadOnlyList<ModelSnapshot> Versions(string path)
    {
        var versions = new List<ModelSnapshot>();
        foreach (byte[] line in Lines(path))
        {
            ModelSnapshot snapshot = SnapshotFile.Parse(path, line);
            if (versions.Count > 0 && versions[^1].RunId != snapshot.RunId) versions.Clear();
            versions.Add(snapshot);
            if (versions.Count == Most)
                versions = [.. versions.Where((_, at) => at < Early || at % 2 == 1)];
        }

        return versions.Count > 0 ? versions : throw Empty(path);
    }

    /// <summary>What every version, or every line of a fit's trace, says of the fit.</summary>
    /// <exception cref="CommandException">It cannot be read (66) or holds something else (65).</exception>
    public static (IReadOnlyList<LearningPoint> Points, bool IsBound, string Title) Learning(string path)
    {
        using IEnumerator<byte[]> lines = Lines(path).GetEnumerator();
        if (!lines.MoveNext()) throw Empty(path);
        if (!IsTrace(lines.Current))
        {
            IReadOnlyList<ModelSnapshot> versions = Versions(path);
            ModelSnapshot last = versions[^1];
            return ([.. versions.Select(version => LearningPoint.Of(version.Training))], last.Model.IsBound,
                $"{last.ModelId}: {last.Options.Type}");
        }

        var points = new List<LearningPoint>();
        do points.Add(PointOf(path, lines.Current));
        while (lines.MoveNext());
        return (points, false, Path.GetFileNameWithoutExtension(path));
    }

    private static bool IsTrace(byte[] line) => line.AsSpan().IndexOf("\"step_size\""u8) >= 0 && line.AsSpan().IndexOf("\"format\""u8) < 0;

    private static LearningPoint PointOf(string path, byte[] line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement, likelihood = root.GetProperty("mean_log_likelihood");
            return new LearningPoint(root.GetProperty("records").GetDouble(), root.GetProperty("step_size").GetDouble(),
                likelihood.ValueKind == JsonValueKind.Number ? likelihood.GetDouble() : double.NaN, double.NaN, double.NaN);
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CommandException(ExitCode.DataCorrupt, $"'{path}' is no trace of a fit: {failure.Message}", failure);
        }
    }

    private static CommandException Empty(string path) =>
        new(ExitCode.DataCorrupt,
            $"'{path}' holds no snapshot and no trace: write one with 'streamem fit --history', or publish to a file.");

    /// <summary>The lines of a log; one, of what holds a single snapshot.</summary>
    private static IEnumerable<byte[]> Lines(string path)
    {
        if (path == PipedInput.Standard || RemoteOrMissing(path))
        {
            yield return SnapshotFile.LastOfLog(SnapshotFile.ReadBytes(path)).ToArray();
            yield break;
        }

        bool isFirst = true;
        foreach (string line in File.ReadLines(path))
        {
            // A snapshot that is indented is a file of its own.
            if (isFirst && line.Trim() == "{")
            {
                yield return SnapshotFile.ReadBytes(path);
                yield break;
            }

            isFirst = false;
            if (line.Length > 0) yield return Encoding.UTF8.GetBytes(line);
        }
    }

    /// <summary>What is no file here is asked for, or refused, as a single snapshot is.</summary>
    private static bool RemoteOrMissing(string path) => !File.Exists(path);
}
