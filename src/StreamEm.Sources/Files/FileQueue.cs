using System.Globalization;

namespace StreamEm.Sources.Files;

/// <summary>Where <see cref="FileSource"/> has its files from, one at a time.</summary>
internal abstract class FileQueue : IDisposable
{
    /// <summary>Whether more may come when there is nothing now.</summary>
    public abstract bool IsEndless { get; }

    /// <summary>The file to read now; null when no file has anything to read.</summary>
    /// <exception cref="SourceException">A file is missing, changed or cannot be read.</exception>
    public abstract FileCursor? Take();

    /// <summary>A file was read to its end.</summary>
    public abstract void AtEnd(FileCursor cursor);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>The failure of a path that no file matches.</summary>
    protected static SourceException NoMatch(string pattern)
    {
        string what = Directory.Exists(pattern) ? $"'{pattern}' is a folder; name its files, for example '{pattern.TrimEnd('/')}/*.csv'."
            : PathPattern.IsGlob(pattern) ? $"No file matches '{pattern}'."
            : $"There is no file '{pattern}'.";
        return new SourceException(SourceFailure.Missing, $"{what} Paths are relative to '{Directory.GetCurrentDirectory()}'.");
    }
}

/// <summary>The files there are, one after the other, each to its end.</summary>
internal sealed class FiniteFiles(IReadOnlyList<string> patterns, SourcePosition start) : FileQueue
{
    private Queue<string>? _paths;
    private FileCursor? _current;

    /// <inheritdoc/>
    public override bool IsEndless => false;

    /// <inheritdoc/>
    public override FileCursor? Take()
    {
        _paths ??= Expand();
        if (_current is null && _paths.TryDequeue(out string? path)) _current = Open(path);
        return _current;
    }

    /// <inheritdoc/>
    public override void AtEnd(FileCursor cursor)
    {
        cursor.Dispose();
        _current = null;
    }

    /// <inheritdoc/>
    public override void Dispose() => _current?.Dispose();

    private Queue<string> Expand()
    {
        foreach (string pattern in patterns)
        {
            if (FilePaths.Matches(pattern).Count == 0) throw NoMatch(pattern);
        }
        return new Queue<string>(FilePaths.Expand(patterns));
    }

    private FileCursor Open(string path)
    {
        var file = new OpenFile(path);
        start.Partitions.TryGetValue(path, out PartitionPosition? position);
        long length = file.StoredLength;
        try
        {
            if (position?.Identity is { } identity && !file.Matches(identity))
            {
                throw new SourceException(SourceFailure.Changed,
                    $"'{path}' no longer begins as it did when its first {position.Next} bytes were read (fingerprint "
                        + $"{file.Fingerprint()}, expected {identity}). " +
                    "Put the file back, or start over with an empty state directory.");
            }
            if (!file.IsCompressed && position?.Next > length)
            {
                throw new SourceException(SourceFailure.Changed, string.Create(CultureInfo.InvariantCulture,
                    $"'{path}' has {length} bytes, but {position.Next} of it were read before. Put the file back, or start over with an "
                        + $"empty state directory."));
            }
        }
        catch (SourceException)
        {
            file.Dispose();
            throw;
        }
        return new FileCursor(path, file, position?.Next ?? 0) { IsComplete = true };
    }
}
