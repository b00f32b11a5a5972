namespace StreamEm.Sources.Files;

/// <summary>
/// Files that grow. A file whose name was given to another one (rotation) is read to its end before the new one is begun; a file that
/// became shorter, or begins differently (truncation), is begun again; new files that match are added. A rotation that happened while
/// nobody was looking is found by fingerprint among the files of the same folder.
/// </summary>
internal sealed class FollowedFiles(IReadOnlyList<string> patterns, SourcePosition start) : FileQueue
{
    private readonly List<FileCursor> _cursors = [];
    private readonly Dictionary<FileNumber, string> _finished = [];
    private bool _scanned;

    /// <inheritdoc/>
    public override bool IsEndless => true;

    /// <summary>How many times a file was begun again because it was truncated.</summary>
    public int Truncations { get; private set; }

    /// <summary>How many times a name was given to another file.</summary>
    public int Rotations { get; private set; }

    /// <inheritdoc/>
    public override FileCursor? Take()
    {
        if (_cursors.Find(HasMore) is { } growing)
        {
            // What grew may be another text that was written over the one read.
            if (growing.ReadLength >= 0) Check(growing);
            return growing;
        }
        Scan();
        return _cursors.Find(HasMore);
    }

    /// <inheritdoc/>
    public override void AtEnd(FileCursor cursor)
    {
        if (!cursor.IsComplete) return;
        _finished[cursor.File.Number] = cursor.Identity;
        if (cursor.File.IsCompressed) return;
        if (TryOpen(cursor.PartitionName) is { } successor)
        {
            cursor.Restart(successor);
            return;
        }
        _cursors.Remove(cursor);
        cursor.Dispose();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (FileCursor cursor in _cursors) cursor.Dispose();
    }

    private static bool HasMore(FileCursor cursor) =>
        cursor.File.IsCompressed ? cursor.ReadLength < 0 :
        cursor.ReadLength < 0 || cursor.IsComplete || cursor.File.StoredLength > cursor.ReadLength;

    /// <summary>Looks for what happened to the files since.</summary>
    private void Scan()
    {
        foreach (FileCursor cursor in _cursors) Check(cursor);
        foreach (string path in FilePaths.Expand(patterns))
        {
            if (_cursors.Exists(cursor => string.Equals(cursor.PartitionName, path, StringComparison.Ordinal)) || IsKnown(path)) continue;
            if (Begin(path) is { } added) _cursors.Add(added);
        }
        if (_scanned) return;
        _scanned = true;
        foreach (string pattern in patterns)
        {
            // A file may still be created; a folder that is not there is more likely a mistake.
            string? folder = PathPattern.IsGlob(pattern) ? null : Path.GetDirectoryName(Path.GetFullPath(pattern));
            if (Directory.Exists(pattern) || (folder is not null && !Directory.Exists(folder))) throw NoMatch(pattern);
        }
    }

    private void Check(FileCursor cursor)
    {
        if (cursor.File.IsCompressed || cursor.IsComplete) return;
        FileNumber? now = FileNumber.Of(cursor.PartitionName);
        if (now is { } number && number != cursor.File.Number)
        {
            Rotations++;
            cursor.IsComplete = true;
        }
        else if (now is null && cursor.File.IsDeleted)
        {
            cursor.IsComplete = true;
        }
        else if (cursor.File.StoredLength < Math.Max(cursor.ReadLength, cursor.Next) || !cursor.File.Matches(cursor.Identity))
        {
            Truncations++;
            cursor.Restart(cursor.File);
        }
    }

    /// <summary>Whether a path leads to a file that is, or was, read under another name.</summary>
    private bool IsKnown(string path)
    {
        if (FileNumber.Of(path) is not { } number || number == FileNumber.Unknown) return false;
        if (_cursors.Exists(cursor => cursor.File.Number == number)) return true;
        if (!_finished.TryGetValue(number, out string? fingerprint)) return false;
        using OpenFile? file = TryOpen(path);
        return file is not null && file.Matches(fingerprint);
    }

    private FileCursor? Begin(string path)
    {
        if (TryOpen(path) is not { } file) return null;
        FileCursor cursor = At(path, file);
        cursor.IsComplete |= cursor.File.IsCompressed;
        return cursor;
    }

    /// <summary>Where the position of an earlier run says, if its file is still to be found.</summary>
    private FileCursor At(string path, OpenFile file)
    {
        if (!start.Partitions.TryGetValue(path, out PartitionPosition? position)) return new FileCursor(path, file, 0);
        if (position.Identity is null || (file.Matches(position.Identity) && (file.IsCompressed || file.StoredLength >= position.Next)))
            return new FileCursor(path, file, position.Next);
        if (Predecessor(path, position) is not { } rotated)
        {
            Truncations++;
            return new FileCursor(path, file, 0);
        }
        file.Dispose();
        Rotations++;
        return new FileCursor(path, rotated, position.Next) { IsComplete = true };
    }

    /// <summary>The file of the same folder, of a similar name, that has the position's fingerprint.</summary>
    private static OpenFile? Predecessor(string path, PartitionPosition position)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        foreach (string sibling in FilePaths.Matches(Path.Combine(folder, Path.GetFileNameWithoutExtension(path) + "*")))
        {
            if (TryOpen(sibling) is not { } candidate) continue;
            if (!candidate.IsCompressed && candidate.StoredLength >= position.Next && candidate.Matches(position.Identity!))
                return candidate;
            candidate.Dispose();
        }
        return null;
    }

    /// <summary>The open file, or null when it has just gone.</summary>
    private static OpenFile? TryOpen(string path)
    {
        try
        {
            return new OpenFile(path);
        }
        catch (SourceException e) when (e.Failure == SourceFailure.Missing)
        {
            return null;
        }
    }
}
