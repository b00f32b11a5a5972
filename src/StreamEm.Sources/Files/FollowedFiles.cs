using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>
/// Files that grow, each read as far as it goes, in turn. Every poll interval all are looked at: for growth, for names given to other
/// files, for what was truncated or is gone.
/// </summary>
internal sealed class FollowedFiles(FileRegister register, FileSourceOptions options, TimeProvider time) : FileQueue(register)
{
    /// <summary>Batches of one file after which it is the others' turn.</summary>
    private const int MostAtATime = 64;

    /// <summary>Looking at all files takes at most one part in so many of the time, however many files there are.</summary>
    private const int ShareOfScans = 10;

    private KnownFile? _current;
    private int _left;
    private long? _scannedAt;
    private TimeSpan _scanTook;
    private bool _wasIdle, _hasScanned;

    /// <inheritdoc/>
    public override bool IsEndless => true;

    /// <inheritdoc/>
    public override KnownFile? Take()
    {
        if (_scannedAt is not { } last || (time.GetElapsedTime(last) is var since && since >= _scanTook * ShareOfScans
            && (_wasIdle || since >= options.PollInterval))) Scan();
        if (_current is { } current && _left-- > 0 && Register.Files.Contains(current) && IsReady(current)) return current;
        IReadOnlyList<KnownFile> files = Register.Files;
        int first = 1 + IndexOf(files, _current);
        _current = null;
        for (int i = 0; i < files.Count && _current is null; i++)
        {
            KnownFile file = files[(first + i) % files.Count];
            if (IsReady(file)) _current = file;
        }
        _left = MostAtATime;
        _wasIdle = _current is null;
        return _current;
    }

    /// <inheritdoc/>
    public override void AtEnd(KnownFile file)
    {
        _left = 0;
        if (file.IsComplete || file.IsPacked) Register.Finish(file);
    }

    /// <inheritdoc/>
    public override void Recheck(KnownFile file)
    {
        base.Recheck(file);
        _scannedAt = null;
    }

    /// <inheritdoc/>
    public override bool TrySetAside(KnownFile file, SourceException failure)
    {
        _left = 0;
        return base.TrySetAside(file, failure);
    }

    private bool IsReady(KnownFile file)
    {
        if (!file.HasMore) return false;
        if (file.IsPacked) file.IsComplete = true;
        try
        {
            return file.TryOpen();
        }
        catch (SourceException failure) when (Register.TrySetAside(file, failure))
        {
            return false;
        }
    }

    private void Scan()
    {
        bool isFirst = !_hasScanned;
        _hasScanned = true;
        long start = time.GetTimestamp();
        Register.Scan();
        _scannedAt = time.GetTimestamp();
        _scanTook = time.GetElapsedTime(start, _scannedAt.Value);
        if (!isFirst) return;
        foreach (string pattern in options.Path)
        {
            // A file may still be created; a folder that is not there is more likely a mistake.
            string? folder = PathPattern.IsGlob(pattern) ? null : Path.GetDirectoryName(Path.GetFullPath(pattern));
            if (Directory.Exists(pattern) || (folder is not null && !Directory.Exists(folder))) throw NoMatch(pattern);
        }
    }

    private static int IndexOf(IReadOnlyList<KnownFile> files, KnownFile? file)
    {
        for (int i = 0; i < files.Count; i++)
            if (ReferenceEquals(files[i], file)) return i;
        return -1;
    }
}
