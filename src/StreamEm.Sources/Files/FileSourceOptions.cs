using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Files;

/// <summary><c>source.file</c>: records from files.</summary>
public sealed record FileSourceOptions : SourceOptions
{
    /// <summary>
    /// <c>path</c>: files and globs (<c>*</c>, <c>?</c>, <c>**</c> for any depth), read in the order written, the matches of a glob in
    /// ordinal order of their names; a file matched twice is read once. A name ending in <c>.gz</c> or <c>.zst</c> is
    /// decompressed.
    /// </summary>
    public required IReadOnlyList<string> Path { get; init; }

    /// <summary>
    /// <c>format</c>: <c>csv</c>, <c>ndjson</c> or <c>parquet</c>. A file that is a Parquet file, by its name or by what it begins with, is
    /// read as one whatever the others are.
    /// </summary>
    public RecordFormat Format { get; init; } = RecordFormat.Csv;

    /// <summary><c>follow</c>: go on waiting for growth, rotated files and new files instead of ending. A compressed file, and a
    /// Parquet file, is read once it is whole.</summary>
    public bool Follow { get; init; }

    /// <summary>How often growth is looked for when there is nothing to read. Not part of the YAML.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Size of the read buffer in bytes; it grows up to what one record of the largest size needs. Not part of the YAML.</summary>
    public int BufferBytes { get; init; } = 256 * 1024;

    /// <summary>The name of a file without the ending that says it is compressed.</summary>
    public static string NameOfText(string path) => FileText.NameOfText(path);

    /// <summary>Whether the name of a file says that it is a Parquet file.</summary>
    public static bool SaysParquet(string path) => FileText.SaysParquet(path);

    /// <summary>Of files that end by themselves: of a followed log the old files go their way.</summary>
    public override bool HoldsWhatWasRead(SourceContext context)
    {
        if (Follow) return true;
        using var register = new FileRegister(this, context, isEndless: false);
        try
        {
            register.Scan();
        }
        catch (SourceException failure)
        {
            // Whatever else is wrong is told when the files are read.
            return failure.Failure != SourceFailure.Changed;
        }
        return !register.IsAnyGone;
    }
}
