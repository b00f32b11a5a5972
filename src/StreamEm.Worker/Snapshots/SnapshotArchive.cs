using System.Globalization;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Snapshots;

/// <summary>A version in the archive, without its parameters.</summary>
/// <param name="Version">The version.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Records">Records learned from.</param>
/// <param name="MeanLogLikelihood">Of its minibatch before the update, nats per record; NaN where there is none.</param>
/// <param name="File">Where it is.</param>
internal sealed record ArchivedSnapshot(long Version, DateTimeOffset CreatedAt, long Records, double MeanLogLikelihood, string File);

/// <summary>
/// Versions of one run kept as files beside its checkpoints, one now and then, so that there is something to go back to when what memory
/// and checkpoints hold is worse already. Written of durable checkpoints alone, so a version in it is one that nobody makes otherwise; no
/// part of the state. Those of other runs of the model are left until they are the oldest. Written by one thread at a time, read by any.
/// </summary>
internal sealed class SnapshotArchive
{
    private const string Prefix = "snapshot-", Suffix = ".json";

    private readonly string _folder, _runId;
    private readonly RetentionOptions _options;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly List<ArchivedSnapshot> _entries = [];
    private DateTimeOffset _last;

    /// <summary>Looks at what is there.</summary>
    /// <param name="modelFolder">The model's folder in the state directory.</param>
    /// <param name="options">How often and how many.</param>
    /// <param name="runId">Whose versions.</param>
    /// <param name="time">The clock.</param>
    public SnapshotArchive(string modelFolder, RetentionOptions options, string runId, TimeProvider time)
    {
        (_folder, _options, _runId, _time) = (Path.Combine(modelFolder, "snapshots"), options, runId, time);
        _last = time.GetUtcNow();
        foreach (string file in Files())
            if (Read(file) is { } document && document.Snapshot.RunId == runId) _entries.Add(Of(document, file));
        _entries.Sort((one, other) => one.Version.CompareTo(other.Version));
        if (_entries.Count > 0) _last = _entries[^1].CreatedAt;
    }

    /// <summary>The versions, oldest first.</summary>
    public IReadOnlyList<ArchivedSnapshot> Entries
    {
        get
        {
            lock (_lock) return [.. _entries];
        }
    }

    /// <summary>A version; null where it is not kept, or its file is gone or damaged.</summary>
    public SnapshotDocument? Find(long version)
    {
        ArchivedSnapshot? found;
        lock (_lock) found = _entries.Find(entry => entry.Version == version);
        return found is null ? null : Read(found.File);
    }

    /// <summary>Keeps the version of a durable checkpoint if it is time to.</summary>
    /// <returns>What kept it from being written, for a person; null when nothing did. It is tried again when the next one is due.</returns>
    public string? Offer(SnapshotDocument document)
    {
        if (_options.ArchiveEvery is not { } every || _time.GetUtcNow() - _last < every) return null;
        lock (_lock)
            if (_entries.Count > 0 && _entries[^1].Version >= document.Version) return null;
        _last = _time.GetUtcNow();
        try
        {
            DurableFile.CreateDirectory(_folder, DurableFile.PrivateDirectory);
            string file = Path.Combine(
                _folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{document.Version:D20}-{_runId}{Suffix}"));
            DurableFile.Replace(file, document.Json.Span);
            DurableFile.SyncDirectory(_folder);
            lock (_lock) _entries.Add(Of(document, file));
            Prune();
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return $"Version {document.Version} could not be kept in '{_folder}': {failure.Message} Learning goes on.";
        }
    }

    /// <summary>Deletes the oldest beyond the number kept.</summary>
    private void Prune()
    {
        foreach (string file in Files().OrderByDescending(File.GetLastWriteTimeUtc).ThenByDescending(file => file, StringComparer.Ordinal)
            .Skip(_options.ArchiveKeep))
        {
            DurableFile.Delete(file);
            lock (_lock) _entries.RemoveAll(entry => entry.File == file);
        }
    }

    private string[] Files() => Directory.Exists(_folder) ? Directory.GetFiles(_folder, Prefix + "*" + Suffix) : [];

    private static ArchivedSnapshot Of(SnapshotDocument document, string file)
    {
        var training = document.Snapshot.Training;
        return new ArchivedSnapshot(document.Version, document.Snapshot.CreatedAt, training.Records, training.MeanLogLikelihood, file);
    }

    private static SnapshotDocument? Read(string file)
    {
        try
        {
            return SnapshotDocument.Parse(File.ReadAllBytes(file));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }
}
