using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using StreamEm.Core;
using StreamEm.Sources.Columnar;

namespace StreamEm.Sources.Files;

/// <summary>
/// A Parquet file as a text with one byte a row, so that what was read of a file is told from others like that of any file. It begins with
/// the hash of how the first row group is stored; the bytes of every row group are made of such a hash too. They stand for the rows, which
/// <see cref="ParquetDecoder"/> reads.
/// </summary>
internal sealed class ParquetText(SafeFileHandle file) : FileText
{
    private ParquetTable? _table;
    private UInt128 _hash;
    private int _group = -1;

    /// <summary>The file, once it is read from.</summary>
    /// <exception cref="InvalidDataException">It is none, was cut off, or is damaged.</exception>
    public ParquetTable Table => _table ??= ParquetTable.Open(file);

    /// <inheritdoc/>
    public override string Place => FormattableString.Invariant($"row {Math.Max(0, At - ParquetDecoder.FirstRow)}");

    private long Length => Table.Rows == 0 ? 0 : ParquetDecoder.FirstRow + Table.Rows;

    /// <inheritdoc/>
    public override bool Seek(long offset)
    {
        At = Math.Min(offset, Length);
        return At == offset;
    }

    /// <inheritdoc/>
    public override void Dispose() => _table?.Dispose();

    private protected override int ReadNext(Span<byte> buffer)
    {
        if (At >= Length) return 0;
        if (At < ParquetDecoder.FirstRow)
        {
            Span<byte> start = stackalloc byte[ParquetDecoder.FirstRow];
            BinaryPrimitives.WriteUInt128LittleEndian(start, HashOf(0));
            start = start[(int)At..];
            start = start[..Math.Min(start.Length, buffer.Length)];
            start.CopyTo(buffer);
            return start.Length;
        }
        long row = At - ParquetDecoder.FirstRow;
        RowGroupPlace group = Table.Groups[Table.GroupOf(row)];
        UInt128 hash = HashOf(Table.GroupOf(row));
        int count = (int)Math.Min(buffer.Length, group.End - row);
        Span<byte> eight = stackalloc byte[sizeof(ulong)];
        for (int i = 0; i < count; i++)
        {
            (long word, long at) = Math.DivRem(row - group.First + i, sizeof(ulong));
            if (i == 0 || at == 0) BinaryPrimitives.WriteUInt64LittleEndian(eight, Bits(hash, (ulong)word));
            buffer[i] = eight[(int)at];
        }
        return count;
    }

    private protected override void Restart()
    {
    }

    /// <summary>The bytes of eight rows.</summary>
    private static ulong Bits(UInt128 hash, ulong word) => SplitMix64.Mixed((ulong)hash ^ SplitMix64.Mixed((ulong)(hash >> 64) + word));

    private UInt128 HashOf(int group)
    {
        if (_group != group) (_group, _hash) = (group, Table.HashOf(group));
        return _hash;
    }
}
