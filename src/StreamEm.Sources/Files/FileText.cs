using Microsoft.Win32.SafeHandles;
using StreamEm.Sources.Columnar;

namespace StreamEm.Sources.Files;

/// <summary>
/// The text of an open file from its start, decompressed where its name says that it is compressed, with a byte for every row where it is a
/// Parquet file. One reader.
/// </summary>
internal abstract class FileText : IDisposable
{
    /// <summary>Offset of the next byte read.</summary>
    public long At { get; private protected set; }

    private const string Gzip = ".gz", Zstd = ".zst";

    private static readonly string[] ParquetEndings = [".parquet", ".parq", ".pq"];

    /// <summary>The text of a file, whose handle stays open.</summary>
    public static FileText Of(string path, SafeFileHandle file) => EndingOf(path) switch
    {
        Gzip => new GzipText(file),
        Zstd => new ZstdText(file),
        _ => SaysParquet(path) || BeginsAsParquet(file) ? new ParquetText(file) : new PlainText(file),
    };

    /// <summary>Whether the name of a file says that its text is not its bytes.</summary>
    public static bool IsPacked(string path) => EndingOf(path).Length > 0 || SaysParquet(path);

    /// <summary>Whether the name of a file says that it is a Parquet file.</summary>
    public static bool SaysParquet(string path) =>
        Array.Exists(ParquetEndings, ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static bool BeginsAsParquet(SafeFileHandle file)
    {
        Span<byte> start = stackalloc byte[ParquetTable.Mark.Length];
        try
        {
            return RandomAccess.Read(file, start, 0) == start.Length && start.SequenceEqual(ParquetTable.Mark);
        }
        catch (IOException)
        {
            // Told when it is read.
            return false;
        }
    }

    /// <summary>The name of a file without what says that it is compressed.</summary>
    public static string NameOfText(string path) => path[..^EndingOf(path).Length];

    /// <summary>Where the next byte is, for a person.</summary>
    public virtual string Place => FormattableString.Invariant($"byte {At}");

    /// <summary>Reads on; 0 at the end.</summary>
    /// <exception cref="InvalidDataException">The compressed data is damaged or was cut off.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public int Read(Span<byte> buffer)
    {
        int read = ReadNext(buffer);
        At += read;
        return read;
    }

    /// <summary>Goes to an offset.</summary>
    /// <returns>False when the text ends before it.</returns>
    public virtual bool Seek(long offset)
    {
        if (offset < At)
        {
            Restart();
            At = 0;
        }
        Span<byte> skipped = new byte[(int)Math.Min(offset - At, TextHash.BlockBytes)];
        while (At < offset)
        {
            if (Read(skipped[..(int)Math.Min(skipped.Length, offset - At)]) == 0) return false;
        }
        return true;
    }

    /// <summary>Reads until the buffer is full or the text ends.</summary>
    /// <returns>Bytes read.</returns>
    public int Fill(Span<byte> buffer)
    {
        int count = 0;
        while (count < buffer.Length && Read(buffer[count..]) is > 0 and var read) count += read;
        return count;
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    private static string EndingOf(string path) =>
        path.EndsWith(Gzip, StringComparison.OrdinalIgnoreCase) ? Gzip
            : path.EndsWith(Zstd, StringComparison.OrdinalIgnoreCase) ? Zstd : "";

    /// <summary>Reads from <see cref="At"/> on.</summary>
    private protected abstract int ReadNext(Span<byte> buffer);

    /// <summary>Goes back to the start.</summary>
    private protected abstract void Restart();

    /// <summary>The bytes of a file as they are.</summary>
    internal sealed class PlainText(SafeFileHandle file) : FileText
    {
        public override bool Seek(long offset)
        {
            At = offset;
            return true;
        }

        public override void Dispose()
        {
        }

        private protected override int ReadNext(Span<byte> buffer) => RandomAccess.Read(file, buffer, At);

        private protected override void Restart()
        {
        }
    }
}
