namespace StreamEm.Sources.Decoding;

/// <summary>
/// Tells a stream that is no UTF-8 text, by what it begins with: compressed, in UTF-16 or UTF-32, or a format of its own. Said at its
/// beginning, once, it is worth more than a rejection for every line of it.
/// </summary>
internal static class OtherContent
{
    private static readonly (byte[] Start, string What)[] Known =
    [
        ([0x1F, 0x8B], "compressed with gzip: give it a name that ends in .gz"),
        ([0x28, 0xB5, 0x2F, 0xFD], "compressed with zstd: give it a name that ends in .zst"),
        ([0xFD, .. "7zXZ\0"u8], "compressed with xz: decompress it first (xz -d)"),
        .. Enumerable.Range('1', 9).Select(level =>
            ((byte[])[.. "BZh"u8, (byte)level, .. "1AY&SY"u8], "compressed with bzip2: decompress it first (bzip2 -d)")),
        ([0x04, 0x22, 0x4D, 0x18], "compressed with lz4: decompress it first (lz4 -d)"),
        ([.. "PK\u0003\u0004"u8], "a zip archive (or a workbook, which is one): unpack it first, or save the sheet as CSV"),
        ([.. "PK\u0005\u0006"u8], "an empty zip archive: unpack it first"),
        ([.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C], "a 7-Zip archive: unpack it first"),
        ([.. "PAR1"u8], "a Parquet file, which is read from its end: give its own path, not a pipe or a compressed copy of it"),
        ([.. "PARE"u8], "an encrypted Parquet file: decrypt it first"),
        ([.. "ARROW1\0\0"u8], "an Arrow file: export it as CSV or NDJSON"),
        ([.. "Obj\u0001"u8], "an Avro file: export it as NDJSON"),
        ([0x89, .. "HDF\r\n"u8], "an HDF5 file: export it as CSV"),
        ([.. "SQLite format 3\0"u8], "an SQLite database: export it as CSV"),
        ([0xD0, 0xCF, 0x11, 0xE0], "an Office document: save it as CSV"),
        ([0xFF, 0xFE, 0, 0], "text in UTF-32: convert it to UTF-8, for example with iconv -f UTF-32 -t UTF-8"),
        ([0, 0, 0xFE, 0xFF], "text in UTF-32: convert it to UTF-8, for example with iconv -f UTF-32 -t UTF-8"),
        ([0xFF, 0xFE], Utf16),
        ([0xFE, 0xFF], Utf16),
    ];

    private const string Utf16 = "text in UTF-16: convert it to UTF-8, for example with iconv -f UTF-16 -t UTF-8";

    /// <summary>Bytes that tell text in UTF-16 without a mark.</summary>
    private const int WideBytes = 4;

    /// <summary>Refuses a stream by its first bytes.</summary>
    /// <param name="data">Bytes from its start.</param>
    /// <param name="isFinal">Whether no more bytes will come.</param>
    /// <param name="name">The stream's name, for messages.</param>
    /// <returns>False when more bytes are needed to tell.</returns>
    /// <exception cref="SourceException">It begins like something else than UTF-8 text.</exception>
    public static bool TryRefuse(ReadOnlySpan<byte> data, bool isFinal, string name)
    {
        if (!isFinal && MayBecome(data)) return false;
        return Find(data) is { } what ? throw new SourceException(SourceFailure.Changed, $"'{name}' is {what}.") : true;
    }

    private static bool MayBecome(ReadOnlySpan<byte> data)
    {
        if (data.Length < WideBytes) return true;
        foreach ((byte[] start, _) in Known)
            if (start.Length > data.Length && start.AsSpan().StartsWith(data)) return true;
        return false;
    }

    private static string? Find(ReadOnlySpan<byte> data)
    {
        foreach ((byte[] start, string what) in Known)
            if (data.StartsWith(start)) return what;
        // Without a mark: every other byte of the first characters is zero.
        bool isWide = data.Length >= WideBytes && ((IsText(data[0]) && data[1] == 0 && IsText(data[2]) && data[3] == 0) ||
            (data[0] == 0 && IsText(data[1]) && data[2] == 0 && IsText(data[3])));
        return isWide ? Utf16 : null;
    }

    private static bool IsText(byte value) => value is >= (byte)' ' and < 0x7F or (byte)'\t' or (byte)'\r' or (byte)'\n';
}
