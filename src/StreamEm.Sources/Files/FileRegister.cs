using System.Globalization;
using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>
/// Which files there are, which of them were read before, and how far, whatever their names are now. A file is known by device and inode as
/// long as it holds what was read of it; what was read and is no longer there is looked for in new files (<see cref="PastFiles"/>).
/// </summary>
internal sealed class FileRegister : IDisposable
{
    /// <summary>Files held open beyond which those with nothing to read are closed.</summary>
    private const int MostOpen = 200;

    /// <summary>Different headers beyond which the state does not keep the columns of more.</summary>
    private const int MostHeaders = 64;

    private readonly FileSourceOptions _options;
    private readonly FileFinder _finder;
    private readonly bool _isEndless;
    private readonly TimeProvider _time;
    private readonly PastFiles _past = new();
    private readonly Newcomers _newcomers;
    private readonly PartitionNames _names = new();
    private readonly LostFiles _lost;
    private readonly Dictionary<string, IReadOnlyList<string>> _headers = new(StringComparer.Ordinal);
    private List<KnownFile> _files = [];
    private volatile string? _problem;
    private bool _hasScanned;

    /// <summary>Knows what an earlier run knew.</summary>
    public FileRegister(FileSourceOptions options, SourceContext context, bool isEndless)
    {
        (_options, _isEndless, _time) = (options, isEndless, context.Time);
        _finder = new FileFinder(options.Path, context.Own);
        Aside = new SetAsideFiles(context.Tell);
        _newcomers = new Newcomers(_past, Aside, context.Time, isEndless);
        _lost = new LostFiles(context.Own, context.Time);
        foreach ((string name, PartitionPosition position) in context.Position.Partitions)
        {
            var file = new KnownFile(name, position);
            _names.Restore(file);
            if (file.Gone is null) _files.Add(file);
            else _past.Restore(file);
        }
    }

    /// <summary>The files that are there: first those without a name of the configuration, then the others in its order.</summary>
    public IReadOnlyList<KnownFile> Files => _files;

    /// <summary>Whether something of which records were read is gone.</summary>
    public bool IsAnyGone => _past.Files.Any(file => file.IsInState);

    /// <summary>What cannot be read.</summary>
    public SetAsideFiles Aside { get; }

    /// <summary>How many times what was read of a file was found gone from it.</summary>
    public int Truncations { get; private set; }

    /// <summary>How many times the name of a file was found given to another file.</summary>
    public int Rotations => _lost.Rotations;

    /// <summary>Patterns without any file, by the last scan.</summary>
    public IReadOnlyList<string> Empty => _finder.Empty;

    /// <summary>Why nothing can be read although there are files; null when something can, or there is nothing. Any thread.</summary>
    public string? Problem => _problem;

    /// <summary>The partitions whose names changed since the last call, with their positions.</summary>
    public IReadOnlyList<MovedPartition> TakeMoves() => _names.Take(_files, _past.Files);

    /// <summary>Says that the position of a file becomes known to the state with what is read next.</summary>
    public void Told(KnownFile file)
    {
        _names.Told(file);
        if (Aside.List.Count > 0 && file.Path is { } path) Aside.Remove(path);
    }

    /// <summary>Looks for what happened to the files since.</summary>
    /// <exception cref="SourceException">A file named by itself cannot be read, or is not what was read before.</exception>
    public void Scan()
    {
        var unreadable = new HashSet<string>(StringComparer.Ordinal);
        List<FoundFile> found = _finder.Find((failure, path, isNamed) =>
        {
            if (isNamed && !_hasScanned) throw failure;
            unreadable.Add(path);
            Aside.Add(path, status: null, failure);
        });
        var names = found.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        Aside.Keep(path => unreadable.Contains(path) || names.Contains(path));
        var changed = new List<KnownFile>();
        var guessed = new HashSet<KnownFile>();
        List<FoundFile> fresh = Locate(found, guessed);
        foreach (KnownFile file in _files.Where(file => file.Path is null).ToList())
            if (!_lost.TryFollow(file, found)) Forget(file);
        foreach (KnownFile file in _files.Where(file => file.Path is not null).ToList())
        {
            var item = new FoundFile(file.Path!, file.Status, file.IsNamed);
            if (HoldsOrWaits(file, item)) continue;
            fresh.Add(item);
            file.Mistake();
            if (guessed.Contains(file) && _lost.TryFollow(file, found)) continue;
            Truncations++;
            _files.Remove(file);
            _past.Add(file);
            changed.Add(file);
        }
        _newcomers.Begin(fresh, _files, isFirst: !_hasScanned);
        if (!_options.Follow && changed.Find(file => _past.Files.Contains(file)) is { } lost) throw Changed(lost);
        Arrange(found);
        _past.Trim(_files);
        _names.Assign(_files, _past.Files);
        CloseIdle();
        _problem = Aside.First is { } first && _files.TrueForAll(file => file.SetAside is not null)
            ? $"none of the files of source.file.path can be read: {first.Message}"
            : null;
        _hasScanned = true;
    }

    /// <summary>
    /// Sets a file aside whose reading failed, unless it is named by itself and has never been read: then that is for the caller to tell.
    /// </summary>
    public bool TrySetAside(KnownFile file, SourceException failure)
    {
        if (file.IsNamed && (!_isEndless || (!file.IsInState && !file.IsSuccessor && file.Next == 0))) return false;
        file.SetAside = file.Status;
        file.Dispose();
        if (file.Path is null) Forget(file);
        else Aside.Add(file.Path, file.Status, failure);
        return true;
    }

    /// <summary>A file was read to the end that it has for good.</summary>
    public void Finish(KnownFile file)
    {
        file.StoredLength = file.ReadLength;
        if (file.Path is null)
        {
            _files.Remove(file);
            if (file.Status.Links == 0) _past.Add(file);
            else _past.AddLost(file);
        }
        else
        {
            file.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (KnownFile file in _files) file.Dispose();
    }

    /// <summary>Gives every known file the path it is at now.</summary>
    /// <returns>The files that are not known.</returns>
    private List<FoundFile> Locate(List<FoundFile> found, HashSet<KnownFile> guessed)
    {
        var fresh = new List<FoundFile>();
        var byNumber = new Dictionary<FileNumber, KnownFile>();
        var byName = new Dictionary<string, KnownFile>(StringComparer.Ordinal);
        foreach (KnownFile file in _past.Files.Concat(_files))
        {
            if (file.Number.IsKnown) byNumber[file.Number] = file;
            else if (file.Gone is null) byName[file.Name] = file;
        }
        foreach (KnownFile file in _files) file.Lose();
        foreach (FoundFile item in found)
        {
            KnownFile? file = byNumber.GetValueOrDefault(item.Status.Number) ?? byName.GetValueOrDefault(item.Path);
            if (file is not null && MayBeAnother(file, item))
            {
                // Whatever it is, it is looked at like any file that comes.
                _files.Remove(file);
                byNumber.Remove(item.Status.Number);
                file = null;
            }
            if (file is null)
            {
                fresh.Add(item);
                continue;
            }
            if (file.Gone is not null)
            {
                _past.Remove(file);
                _files.Add(file);
            }
            // Of several names of one file the one it is known by counts, or the first.
            if (!file.Number.IsKnown) guessed.Add(file);
            if (file.Path is null || item.Path == file.Name) file.MoveTo(item);
            file.IsNamed = item.IsNamed;
        }
        return fresh;
    }

    /// <summary>
    /// Whether a file may have gone, and its number be another's since: one of which no record was read, unless it is open, and a
    /// packed one of another length, which does not grow once it is whole.
    /// </summary>
    private static bool MayBeAnother(KnownFile file, in FoundFile item) =>
        (file is { IsInState: false, File: null, Gone: null, SetAside: null } && (item.Path != file.Name || item.Status != file.Status))
        || (file is { Gone: not null, IsPacked: true, StoredLength: > 0 } && item.Status.Length != file.StoredLength);

    /// <summary>Whether a file still holds what was read of it; true too when that cannot be found out now.</summary>
    private bool HoldsOrWaits(KnownFile file, in FoundFile item)
    {
        if (file.SetAside is { } then)
        {
            if (then == item.Status) return true;
            file.SetAside = null;
            file.Checked = null;
        }
        // A compressed file of the same length is the same; a Parquet file may have been written anew with as many rows.
        if (file.IsUnchanged || (file is { IsPacked: true, IsParquet: false } && file.StoredLength == item.Status.Length)) return true;
        try
        {
            if (!file.TryOpen())
            {
                Forget(file);
                return true;
            }
            bool isRead = file.IsPacked && file.StoredLength == item.Status.Length;
            if (file.IsPacked && !isRead && !_newcomers.IsWhole(item, file.File!)) return true;
            if (!file.HoldsWhatWasRead()) return false;
            if (file.IsPacked) file.ReadLength = isRead ? item.Status.Length : -1;
            file.Checked = item.Status;
        }
        catch (SourceException failure)
        {
            if (!TrySetAside(file, failure)) throw;
        }
        return true;
    }

    private void Forget(KnownFile file)
    {
        _files.Remove(file);
        _past.AddLost(file);
    }

    private void Arrange(List<FoundFile> found)
    {
        var order = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (FoundFile file in found) order.TryAdd(file.Path, order.Count);
        // What is left of a file that was renamed comes before what is in the new one.
        _files = [.. _files.OrderBy(file => file.Path is { } path && path == file.Name ? 1 : 0)
            .ThenBy(file => file.Path is { } path ? order[path] : -1)];
        foreach (KnownFile file in _files)
            file.KeepsColumns = _isEndless && (file.Columns is { } columns ? TryShare(columns, file) : _headers.Count < MostHeaders);
    }

    /// <summary>Files with the same header share one list of columns: it is in the state once, however many they are.</summary>
    private bool TryShare(IReadOnlyList<string> columns, KnownFile file)
    {
        if (_headers.ContainsValue(columns)) return true;
        string header = string.Join('\n', columns);
        if (_headers.TryGetValue(header, out IReadOnlyList<string>? known)) file.Columns = known;
        else if (_headers.Count < MostHeaders) _headers[header] = columns;
        else return false;
        return true;
    }

    private void CloseIdle()
    {
        int open = _files.Count(file => file.File is not null);
        foreach (KnownFile file in _files.Where(file => file is { Path: not null, File: not null } && (file.IsPacked || !file.HasMore)))
        {
            if (open <= MostOpen && !file.IsPacked) continue;
            file.Dispose();
            open--;
        }
    }

    private static SourceException Changed(KnownFile file) => new(SourceFailure.Changed, string.Create(CultureInfo.InvariantCulture,
        $"'{file.Name}' no longer holds the {(file.IsParquet ? "rows" : $"{file.Next} bytes")} that were read of it "
            + $"before. Put the file back, or start over with an empty state directory."));
}
