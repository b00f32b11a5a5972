using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace StreamEm.Sources.Avro;

/// <summary>
/// Single values as the text that CSV or JSON of the same values would have: decimals in digits, instants in ISO 8601 and UTC (for which a
/// local one is taken), dates and times of day alike, an enum's symbol, bytes as the text that they are. One value at a time, each valid
/// until the next; nothing is allocated but for decimals of more than 16 bytes.
/// </summary>
internal sealed class AvroText
{
    private const int Int128Bytes = 16, MaxDecimalBytes = 128;

    /// <summary>Room for the longest number with the longest scale.</summary>
    private readonly byte[] _text = new byte[2048];

    /// <summary>Reads the next value.</summary>
    /// <param name="bytes">Where it is.</param>
    /// <param name="type">Its type: neither a union nor one that holds others.</param>
    /// <param name="isInRange">Whether it can be written: not so an instant outside the years 1 to 9999.</param>
    /// <returns>The text; empty for null, and for what is not in range.</returns>
    public ReadOnlySpan<byte> Read(ref AvroBytes bytes, AvroType type, out bool isInRange)
    {
        isInRange = true;
        switch (type.Kind)
        {
            case AvroKind.Null:
                return default;
            case AvroKind.Boolean:
                return bytes.Boolean() ? "true"u8 : "false"u8;
            case AvroKind.Float:
                return Number(bytes.Float());
            case AvroKind.Double:
                return Number(bytes.Double());
            case AvroKind.Enum:
                int symbol = bytes.Choice(type.Symbols.Length);
                return bytes.Damage is null ? type.Symbols[symbol] : default;
            case AvroKind.Int or AvroKind.Long:
                return Integer(type.Kind == AvroKind.Int ? bytes.Int() : bytes.Long(), type.Meaning, out isInRange);
            case AvroKind.Fixed:
                return Meant(bytes.Take(type.Size), type, out isInRange);
            default:
                return Meant(bytes.Bytes(), type, out isInRange);
        }
    }

    private ReadOnlySpan<byte> Number(double value) => Format(value, null);

    private ReadOnlySpan<byte> Integer(long value, AvroMeaning meaning, out bool isInRange)
    {
        isInRange = true;
        switch (meaning)
        {
            case AvroMeaning.Date:
                return Instant(value, TimeSpan.TicksPerDay, 1, "yyyy-MM-dd", out isInRange);
            case AvroMeaning.TimestampMillis:
                return Instant(value, TimeSpan.TicksPerMillisecond, 1, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", out isInRange);
            case AvroMeaning.TimestampMicros:
                return Instant(value, TimeSpan.TicksPerMicrosecond, 1, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", out isInRange);
            case AvroMeaning.TimestampNanos:
                return Instant(value, 1, TimeSpan.NanosecondsPerTick, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", out isInRange);
            case AvroMeaning.TimeMillis or AvroMeaning.TimeMicros:
                long perUnit = meaning == AvroMeaning.TimeMillis ? TimeSpan.TicksPerMillisecond : TimeSpan.TicksPerMicrosecond;
                isInRange = value >= 0 && value < TimeSpan.TicksPerDay / perUnit;
                return isInRange ? Format(new TimeOnly(value * perUnit), "HH:mm:ss.FFFFFFF") : default;
            default:
                return Format(value, null);
        }
    }

    /// <summary>An instant counted from 1970 in units of <paramref name="ticks"/> / <paramref name="parts"/> ticks, rounded down.</summary>
    private ReadOnlySpan<byte> Instant(long value, long ticks, long parts, string format, out bool isInRange)
    {
        Int128 at = (Int128)value * ticks;
        at = parts == 1 ? at : (at / parts) - (at % parts < 0 ? 1 : 0);
        at += DateTime.UnixEpoch.Ticks;
        isInRange = at >= 0 && at <= DateTime.MaxValue.Ticks;
        return isInRange ? Format(new DateTime((long)at, DateTimeKind.Utc), format) : default;
    }

    private ReadOnlySpan<byte> Meant(ReadOnlySpan<byte> value, AvroType type, out bool isInRange)
    {
        isInRange = true;
        switch (type.Meaning)
        {
            case AvroMeaning.Decimal:
                isInRange = value.Length is > 0 and <= MaxDecimalBytes;
                return isInRange ? Decimal(value, type.Scale) : default;
            case AvroMeaning.Uuid when type.Kind == AvroKind.Fixed && value.Length == type.Size:
                return Format(new Guid(value, bigEndian: true), null);
            case AvroMeaning.Duration when value.Length == type.Size:
                return Duration(value);
            default:
                return value;
        }
    }

    /// <summary>Months, days and milliseconds in ISO 8601: <c>P1M2DT3.004S</c>.</summary>
    private ReadOnlySpan<byte> Duration(ReadOnlySpan<byte> value)
    {
        uint months = BinaryPrimitives.ReadUInt32LittleEndian(value), days = BinaryPrimitives.ReadUInt32LittleEndian(value[4..]);
        uint milliseconds = BinaryPrimitives.ReadUInt32LittleEndian(value[8..]);
        return System.Text.Unicode.Utf8.TryWrite(
            _text, CultureInfo.InvariantCulture, $"P{months}M{days}DT{milliseconds / 1000}.{milliseconds % 1000:000}S", out int written)
            ? _text.AsSpan(0, written) : default;
    }

    /// <summary>A whole number in big-endian two's complement, divided by 10 to the power of a scale.</summary>
    private ReadOnlySpan<byte> Decimal(ReadOnlySpan<byte> value, int scale)
    {
        Span<byte> digits = stackalloc byte[3 * MaxDecimalBytes];
        int length;
        if (value.Length <= Int128Bytes)
        {
            Int128 whole = (value[0] & 0x80) == 0 ? Int128.Zero : Int128.NegativeOne;
            foreach (byte part in value) whole = (whole << 8) | part;
            whole.TryFormat(digits, out length, default, CultureInfo.InvariantCulture);
        }
        else
        {
            string text = new BigInteger(value, isUnsigned: false, isBigEndian: true).ToString(CultureInfo.InvariantCulture);
            length = System.Text.Encoding.ASCII.GetBytes(text, digits);
        }
        int sign = digits[0] == '-' ? 1 : 0, written = sign;
        _text[0] = (byte)'-';
        ReadOnlySpan<byte> number = digits[sign..length];
        int before = Math.Max(1, number.Length - scale), zeros = Math.Max(0, scale + 1 - number.Length);
        Span<byte> padded = _text.AsSpan(sign);
        padded[..zeros].Fill((byte)'0');
        number.CopyTo(padded[zeros..]);
        written += zeros + number.Length;
        if (scale == 0) return _text.AsSpan(0, written);
        padded[before..(written - sign)].CopyTo(padded[(before + 1)..]);
        padded[before] = (byte)'.';
        return _text.AsSpan(0, written + 1);
    }

    private ReadOnlySpan<byte> Format<T>(T value, string? format)
        where T : IUtf8SpanFormattable =>
        value.TryFormat(_text, out int written, format, CultureInfo.InvariantCulture) ? _text.AsSpan(0, written) : default;
}
