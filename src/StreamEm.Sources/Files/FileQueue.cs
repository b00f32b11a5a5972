using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>Where <see cref="FileSource"/> has its files from, one at a time.</summary>
internal abstract class FileQueue(FileRegister register) : IDisposable
{
    /// <summary>Whether more may come when there is nothing now.</summary>
    public abstract bool IsEndless { get; }

    /// <summary>Which files there are.</summary>
    public FileRegister Register => register;

    /// <summary>The file to read now, open; null when no file has anything to read.</summary>
    /// <exception cref="SourceException">A file named by itself is missing, changed or cannot be read.</exception>
    public abstract KnownFile? Take();

    /// <summary>A file was read to its end.</summary>
    public abstract void AtEnd(KnownFile file);

    /// <summary>A file is no longer what it was.</summary>
    public virtual void Recheck(KnownFile file) => file.Checked = null;

    /// <summary>A file cannot be read.</summary>
    /// <returns>Whether the others are to be read on.</returns>
    public virtual bool TrySetAside(KnownFile file, SourceException failure) => register.TrySetAside(file, failure);

    /// <inheritdoc/>
    public void Dispose() => register.Dispose();

    /// <summary>The failure of a path that no file matches.</summary>
    protected static SourceException NoMatch(string pattern)
    {
        string what = Directory.Exists(pattern) ? $"'{pattern}' is a folder; name its files, for example '{pattern.TrimEnd('/')}/*.csv'."
            : PathPattern.IsGlob(pattern) ? $"No file matches '{pattern}'."
            : $"There is no file '{pattern}'.";
        return new SourceException(SourceFailure.Missing, $"{what} Paths are relative to '{Directory.GetCurrentDirectory()}'.");
    }
}
