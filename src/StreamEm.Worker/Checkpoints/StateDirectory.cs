using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Checkpoints;

/// <summary>A checkpoint of a model, as it lies in a state directory.</summary>
/// <param name="File">Its path.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Checkpoint">What it holds; null when it is damaged.</param>
/// <param name="Damage">What is wrong with it; null when nothing is.</param>
internal sealed record KeptCheckpoint(string File, long Bytes, Checkpoint? Checkpoint, string? Damage);

/// <summary>
/// A state directory as one looks at it from outside: the models that have states, their checkpoints. Looking changes nothing and needs no
/// lock, for a checkpoint appears whole or not at all.
/// </summary>
internal sealed partial class StateDirectory(string path)
{
    /// <summary>How the names of checkpoints begin and end; between them the sequence number in 20 digits.</summary>
    private const string Prefix = "checkpoint-", Suffix = ".sem";

    private const string PredecessorsFile = "predecessors.json";

    /// <summary>Its path.</summary>
    public string Path => path;

    /// <summary>The ids that have a directory with checkpoints, in ordinal order.</summary>
    public IReadOnlyList<string> Models => !Directory.Exists(path)
        ? []
        : [.. Directory.EnumerateDirectories(path).Select(folder => System.IO.Path.GetFileName(folder)).Where(IsId)
            .Where(id => FilesOf(id).Length > 0).Order(StringComparer.Ordinal)];

    /// <summary>Whether a text is a model's id, and so the name of a directory and not a way out of this one.</summary>
    public static bool IsId(string text) => IdPattern().IsMatch(text);

    /// <summary>A model's own directory.</summary>
    public string FolderOf(string id) => System.IO.Path.Combine(path, id);

    /// <summary>The checkpoints of a model, the newest first.</summary>
    /// <exception cref="CommandException">One cannot be read (74).</exception>
    public IReadOnlyList<KeptCheckpoint> CheckpointsOf(string id) => [.. FilesOf(id).Select(Read)];

    /// <summary>The newest checkpoint of a model that verifies; null when there is none.</summary>
    public Checkpoint? NewestOf(string id) =>
        FilesOf(id).Select(Read).Select(kept => kept.Checkpoint).FirstOrDefault(checkpoint => checkpoint is not null);

    /// <summary>The checkpoint of a version; of several the last, which has read the most. Null where none holds it.</summary>
    public Checkpoint? HolderOf(string id, long version)
    {
        foreach (string file in FilesOf(id))
        {
            try
            {
                if (CheckpointFile.HeaderIn(file)?.Updates == version && Read(file).Checkpoint is { } checkpoint) return checkpoint;
            }
            catch (CommandException) when (!File.Exists(file))
            {
                // A newer one took its place while this was looked at.
            }
        }

        return null;
    }

    /// <summary>The runs that a model's directory says were ended on purpose; null for none.</summary>
    internal static IReadOnlyList<string>? PredecessorsIn(string folder)
    {
        string file = System.IO.Path.Combine(folder, PredecessorsFile);
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(file)) : null;
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Notes runs that were ended on purpose, durably.</summary>
    internal static void WritePredecessors(string folder, IReadOnlyList<string> runs)
    {
        string file = System.IO.Path.Combine(folder, PredecessorsFile);
        DurableFile.Replace(file, JsonSerializer.SerializeToUtf8Bytes(runs));
        DurableFile.SyncDirectory(folder);
    }

    /// <summary>A path for the checkpoint of a sequence number.</summary>
    internal static string FileOf(string folder, long sequence) =>
        System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{sequence:D20}{Suffix}"));

    /// <summary>The sequence number of a checkpoint's file.</summary>
    internal static long SequenceOf(string file) =>
        long.Parse(System.IO.Path.GetFileName(file)[Prefix.Length..^Suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture);

    private string[] FilesOf(string id) => !Directory.Exists(FolderOf(id))
        ? []
        : [.. Directory.EnumerateFiles(FolderOf(id), Prefix + "*" + Suffix)
            .Where(file => FilePattern().IsMatch(System.IO.Path.GetFileName(file))).OrderDescending(StringComparer.Ordinal)];

    private static KeptCheckpoint Read(string file)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(file);
            try
            {
                return new KeptCheckpoint(file, bytes.Length, CheckpointFile.Decode(bytes), null);
            }
            catch (InvalidDataException failure)
            {
                return new KeptCheckpoint(file, bytes.Length, null, failure.Message);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputOutput, $"The checkpoint '{file}' cannot be read: {failure.Message}", failure);
        }
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}\\z", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex IdPattern();

    [GeneratedRegex("^checkpoint-[0-9]{20}\\.sem\\z", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex FilePattern();
}
