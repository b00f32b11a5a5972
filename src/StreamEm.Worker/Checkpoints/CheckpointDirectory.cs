using System.Globalization;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// The checkpoints of one model: <c>checkpoint-&lt;sequence, 20 digits&gt;.sem</c> in a directory of its own. A checkpoint appears whole or
/// not at all: written to a new temporary file, flushed to disk, renamed, and the directory flushed. The newest that verifies counts; a
/// damaged one is passed over for the one before.
/// </summary>
public sealed class CheckpointDirectory
{
    private const string Prefix = "checkpoint-";
    private const string Suffix = ".sem";
    private const string TemporarySuffix = ".tmp";

    /// <summary>The folder of the models of the keys.</summary>
    internal const string KeysFolder = "keys";

    /// <summary>A checkpoint a millisecond for thirty thousand years.</summary>
    private const long MaxSequence = 1_000_000_000_000_000;

    private readonly string _path;
    private readonly int _keep;
    private readonly ILogger _log;
    /// <summary>The versions in the checkpoints, by sequence number; null in one that is damaged.</summary>
    private readonly Dictionary<long, long?> _versions = [];
    private readonly Dictionary<long, IReadOnlyList<KeySegmentMark>> _segments = [];
    private long _lastSequence;

    /// <summary>Opens the directory, creating it (mode 0700) where needed, and deletes what an interrupted write left behind.</summary>
    /// <exception cref="CommandException">It cannot be written, or anybody may write it (73).</exception>
    public CheckpointDirectory(string stateDirectory, string modelId, int keep, ILogger log)
    {
        _path = Path.Combine(stateDirectory, modelId);
        _keep = Math.Max(1, keep);
        _log = log;
        try
        {
            DurableFile.CreateDirectory(_path, DurableFile.PrivateDirectory);
            StateLock.RefuseOpenToOthers(_path);
            // Also where it was there: the process that made it may have been killed before.
            DurableFile.SyncDirectory(stateDirectory);
            foreach (string leftover in Directory.EnumerateFiles(_path, Prefix + "*" + TemporarySuffix)) DurableFile.Delete(leftover);
            _lastSequence = Sequences().FirstOrDefault();
            if (_lastSequence > MaxSequence)
                throw new CommandException(ExitCode.DataCorrupt,
                    $"'{FileOf(_lastSequence)}' has a number no run of checkpoints reaches (expected at most {MaxSequence}): it is none of "
                        + "this worker's. Move it away.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.CannotCreate,
                $"The checkpoints of model '{modelId}' cannot be kept in '{_path}': {failure.Message} Set state_directory to a directory "
                    + "this user may write.", failure);
        }
    }

    /// <summary>Where rejected records go when the configuration names no file: nothing is lost by default.</summary>
    public string RejectedFile => Path.Combine(_path, "rejected.ndjson");

    /// <summary>Where the models of the keys are.</summary>
    public string Keys => Path.Combine(_path, KeysFolder);

    /// <summary>Where those models of keys are that have no room in memory and whose state is elsewhere.</summary>
    public string SharedKeys => Path.Combine(_path, "shared-keys");

    /// <summary>Runs of the model whose state was deleted on purpose, oldest first: a new run takes their place.</summary>
    public IReadOnlyList<string>? Predecessors => StateDirectory.PredecessorsIn(_path);

    /// <summary>The newest checkpoint that verifies; null when there is no checkpoint at all.</summary>
    /// <exception cref="CommandException">There are checkpoints and none verifies (65), or they cannot be read (74).</exception>
    public Checkpoint? LoadNewest()
    {
        var damage = new List<string>();
        foreach (long sequence in Sequences())
        {
            string file = FileOf(sequence);
            try
            {
                Checkpoint checkpoint = CheckpointFile.Decode(File.ReadAllBytes(file));
                WorkerLog.CheckpointLoaded(_log, checkpoint.ModelId, file, checkpoint.Updates, checkpoint.Records);
                return checkpoint;
            }
            catch (InvalidDataException failure)
            {
                WorkerLog.CheckpointDamaged(_log, file, failure.Message);
                damage.Add($"{Path.GetFileName(file)}: {failure.Message}");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new CommandException(ExitCode.InputOutput, $"The checkpoint '{file}' cannot be read: {failure.Message}", failure);
            }
        }

        if (damage.Count == 0) return null;
        throw new CommandException(ExitCode.DataCorrupt,
            $"None of the {damage.Count} checkpoints in '{_path}' can be used; restore one from a backup, or delete the directory to learn "
                + "from the start.\n  " +
            string.Join("\n  ", damage));
    }

    /// <summary>Writes a checkpoint so that it survives a power cut once this returns, then deletes those no longer kept.</summary>
    /// <returns>Its size in bytes.</returns>
    /// <exception cref="IOException">It could not be written; those before are untouched.</exception>
    public long Write(Checkpoint checkpoint)
    {
        byte[] bytes = CheckpointFile.Encode(checkpoint);
        string final = FileOf(++_lastSequence);
        string temporary = final + TemporarySuffix;
        try
        {
            WriteDurably(temporary, bytes);
            DurableFile.Rename(temporary, final);
        }
        catch
        {
            DurableFile.Delete(temporary);
            throw;
        }

        DurableFile.SyncDirectory(_path);
        _versions[_lastSequence] = checkpoint.Updates;
        _segments[_lastSequence] = checkpoint.Keys?.Segments ?? [];
        foreach (long old in Superseded()) DurableFile.Delete(FileOf(old));
        return bytes.Length;
    }

    /// <summary>The files of keys that some checkpoint kept names.</summary>
    internal IReadOnlySet<long> SegmentsNamed()
    {
        var named = new HashSet<long>();
        foreach (long sequence in Sequences())
        {
            if (!_segments.TryGetValue(sequence, out IReadOnlyList<KeySegmentMark>? segments))
                _segments[sequence] = segments = CheckpointFile.HeaderIn(FileOf(sequence))?.Keys?.Segments ?? [];
            named.UnionWith(segments.Select(segment => segment.Number));
        }

        return named;
    }

    /// <summary>
    /// Those beyond the number kept. Of a version that several hold, as starts and stops leave them, the newest two are kept and count as
    /// one: they are not to take the place of the versions before.
    /// </summary>
    private List<long> Superseded()
    {
        var superseded = new List<long>();
        int versions = 0, repeats = 0;
        long? last = null;
        foreach (long sequence in Sequences())
        {
            if (!_versions.TryGetValue(sequence, out long? version))
                _versions[sequence] = version = CheckpointFile.HeaderIn(FileOf(sequence))?.Updates;
            bool isRepeat = version is not null && version == last;
            repeats = isRepeat ? repeats + 1 : 0;
            if (!isRepeat) versions++;
            if (versions > _keep || repeats > 1) superseded.Add(sequence);
            last = version;
        }

        foreach (long sequence in superseded)
        {
            _versions.Remove(sequence);
            _segments.Remove(sequence);
        }

        return superseded;
    }

    private static void WriteDurably(string path, byte[] bytes)
    {
        using FileStream file = DurableFile.Open(path, FileMode.CreateNew, FileShare.None);
        DurableFile.Write(file.SafeFileHandle, path, bytes, 0);
        DurableFile.Sync(file.SafeFileHandle, path);
    }

    private string FileOf(long sequence) =>
        Path.Combine(_path, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{sequence:D20}{Suffix}"));

    private IEnumerable<long> Sequences() => Directory.EnumerateFiles(_path, Prefix + "*" + Suffix)
        .Select(file => Path.GetFileName(file)[Prefix.Length..^Suffix.Length])
        .Where(digits => digits.Length == 20 && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        .Select(digits => long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture))
        .OrderDescending();
}
