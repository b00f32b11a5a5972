using System.Buffers.Binary;

namespace StreamEm.Core.Data;

/// <summary>
/// Numbers one after another in few bytes: counts seven bits a byte, the lowest first (LEB128), doubles as their eight bytes,
/// little-endian. The memory is used again; in steady state nothing is allocated.
/// </summary>
internal sealed class CompactWriter
{
    private const int MostBytesOfACount = 10;

    private byte[] _bytes = new byte[1024];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written; valid until more is.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>Begins anew.</summary>
    public void Clear() => Length = 0;

    /// <summary>Writes a byte.</summary>
    public void Byte(byte value)
    {
        Reserve(1);
        _bytes[Length++] = value;
    }

    /// <summary>Writes a number of at least 0.</summary>
    public void Count(long value)
    {
        Reserve(MostBytesOfACount);
        ulong rest = (ulong)value;
        for (; rest >= 0x80; rest >>= 7) _bytes[Length++] = (byte)(rest | 0x80);
        _bytes[Length++] = (byte)rest;
    }

    /// <summary>Writes a number that may be below 0.</summary>
    public void Signed(long value) => Count((value << 1) ^ (value >> 63));

    /// <summary>Writes a double.</summary>
    public void Number(double value)
    {
        Reserve(sizeof(double));
        BinaryPrimitives.WriteDoubleLittleEndian(_bytes.AsSpan(Length), value);
        Length += sizeof(double);
    }

    /// <summary>Writes doubles, without their number.</summary>
    public void Numbers(ReadOnlySpan<double> values)
    {
        foreach (double value in values) Number(value);
    }

    private void Reserve(int bytes)
    {
        if (Length + bytes > _bytes.Length) Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, Length + bytes));
    }
}

/// <summary>Reads what a <see cref="CompactWriter"/> wrote.</summary>
/// <param name="bytes">It.</param>
internal ref struct CompactReader(ReadOnlySpan<byte> bytes)
{
    private const int MostBits = 63;

    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Whether all was read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Reads a byte.</summary>
    public byte Byte() => Next(1)[0];

    /// <summary>Reads a number of at least 0.</summary>
    /// <exception cref="InvalidDataException">It goes on beyond 63 bits, or there is none.</exception>
    public long Count()
    {
        ulong value = 0;
        for (int bits = 0; bits < MostBits; bits += 7)
        {
            byte next = Byte();
            value |= (ulong)(next & 0x7F) << bits;
            if (next < 0x80) return (long)value;
        }
        throw new InvalidDataException("The state of a key is damaged: a count has no end.");
    }

    /// <summary>Reads a count that cannot be more than there is room for.</summary>
    /// <exception cref="InvalidDataException">It is.</exception>
    public int Count(int most) => Count() is var count && count <= most
        ? (int)count
        : throw new InvalidDataException($"The state of a key is damaged: it says {count} where there can be {most}.");

    /// <summary>Reads a number that may be below 0.</summary>
    public long Signed() => Count() is var value ? (long)((ulong)value >> 1) ^ -(value & 1) : 0;

    /// <summary>Reads a double.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public double Number() => BinaryPrimitives.ReadDoubleLittleEndian(Next(sizeof(double)));

    /// <summary>Reads as many finite doubles as there is room for.</summary>
    /// <exception cref="InvalidDataException">There are not, or one is not finite.</exception>
    public void Numbers(Span<double> values)
    {
        foreach (ref double value in values)
            if (!double.IsFinite(value = Number())) throw new InvalidDataException("The state of a key is damaged: a number is none.");
    }

    private ReadOnlySpan<byte> Next(int count)
    {
        if (count > _rest.Length) throw new InvalidDataException("The state of a key is damaged: it ends too early.");
        ReadOnlySpan<byte> next = _rest[..count];
        _rest = _rest[count..];
        return next;
    }
}
