using System.Buffers.Text;
using System.Text;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Event times: a number of s, ms, us or ns since 1970, whole or not, or ISO 8601 text: <c>2026-11-20</c>, <c>2026-11-20T08:00</c>,
/// <c>2026-11-20T08:00:00.123Z</c>, <c>2026-11-20 08:00:00 +01:00</c>, <c>20261120T080000Z</c>; also with <c>/</c> in the date, with
/// <c>UTC</c> or <c>GMT</c> for Z. Without an offset it is UTC. Years 1 to 9999.
/// </summary>
public static class Timestamps
{
    /// <summary>From here on a number of seconds, milliseconds or microseconds would be later than the year 5138.</summary>
    private const double SecondsEnd = 1e11, MillisecondsEnd = 1e14, MicrosecondsEnd = 1e17;

    private static readonly long Smallest = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long Largest = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>False when the text is no such time.</summary>
    /// <param name="text">The text, not empty, without blanks round it.</param>
    /// <param name="unit">What a number counts.</param>
    /// <param name="milliseconds">Milliseconds since 1970, rounded down.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, TimestampUnit unit, out long milliseconds)
    {
        if (text.Length > 7 && (text[4] is (byte)'-' or (byte)'/' || (text.Length > 8 && text[8] is (byte)'T' or (byte)'t')))
            return TryParseIso(text, out milliseconds);
        if (Utf8Parser.TryParse(text, out long whole, out int used) && used == text.Length)
        {
            (long numerator, long denominator) = Ratio(unit, Math.Abs((double)whole));
            milliseconds = denominator > 1 ? Math.DivRem(whole, denominator).Quotient - (whole % denominator < 0 ? 1 : 0) : 0;
            if (denominator > 1) return InRange(milliseconds);
            if (Math.Abs((double)whole) > Largest) return false;
            milliseconds = whole * numerator;
            return InRange(milliseconds);
        }
        milliseconds = RecordBatch.NoTimestamp;
        if (!Numbers.TryParse(text, out double number)) return false;
        (long times, long by) = Ratio(unit, Math.Abs(number));
        // To a hundredth first: .123 s times 1000 may come out below 123 ms.
        number = Math.Floor(Math.Round(number * times / by, 2));
        if (Math.Abs(number) > Largest) return false;
        milliseconds = (long)number;
        return InRange(milliseconds);
    }

    /// <summary>What a number is multiplied with and divided by to be milliseconds.</summary>
    private static (long Numerator, long Denominator) Ratio(TimestampUnit unit, double magnitude) => unit switch
    {
        TimestampUnit.S => (1000, 1),
        TimestampUnit.Ms => (1, 1),
        TimestampUnit.Us => (1, 1000),
        TimestampUnit.Ns => (1, 1_000_000),
        _ when magnitude < SecondsEnd => (1000, 1),
        _ when magnitude < MillisecondsEnd => (1, 1),
        _ when magnitude < MicrosecondsEnd => (1, 1000),
        _ => (1, 1_000_000),
    };

    private static bool InRange(long milliseconds) => milliseconds >= Smallest && milliseconds <= Largest;

    private static bool TryParseIso(ReadOnlySpan<byte> text, out long milliseconds)
    {
        if (!TryParseDate(text, out milliseconds, out ReadOnlySpan<byte> rest)) return false;
        if (rest.IsEmpty) return true;
        if (rest[0] is not ((byte)'T' or (byte)'t' or (byte)' ')) return false;
        if (!TryParseTime(rest[1..], out long ofDay, out ReadOnlySpan<byte> zone) || !TryParseZone(zone, out long zoneMilliseconds))
            return false;
        milliseconds += ofDay - zoneMilliseconds;
        return InRange(milliseconds);
    }

    /// <summary><c>yyyy-MM-dd</c>, <c>yyyy/MM/dd</c> or <c>yyyyMMdd</c>.</summary>
    private static bool TryParseDate(ReadOnlySpan<byte> text, out long milliseconds, out ReadOnlySpan<byte> rest)
    {
        milliseconds = RecordBatch.NoTimestamp;
        rest = default;
        int mark = text[4] is (byte)'-' or (byte)'/' ? 1 : 0, length = 8 + (2 * mark);
        if (text.Length < length || (mark == 1 && text[7] != text[4])) return false;
        if (!TryDigits(text[..4], out int year) || !TryDigits(text.Slice(4 + mark, 2), out int month) ||
            !TryDigits(text.Slice(6 + (2 * mark), 2), out int day))
            return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        milliseconds = new DateTimeOffset(year, month, day, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        rest = text[length..];
        return true;
    }

    /// <summary>
    /// <c>hh:mm</c>, <c>hh:mm:ss</c>, <c>hh:mm:ss.fff...</c>, or without the colons; second 60 is a leap second and counts as the next one.
    /// </summary>
    private static bool TryParseTime(ReadOnlySpan<byte> text, out long milliseconds, out ReadOnlySpan<byte> rest)
    {
        milliseconds = 0;
        rest = default;
        int colon = text.Length > 2 && text[2] == ':' ? 1 : 0;
        if (text.Length < 4 + colon || !TryDigits(text[..2], out int hour) || !TryDigits(text.Slice(2 + colon, 2), out int minute))
            return false;
        if (hour > 23 || minute > 59) return false;
        milliseconds = ((hour * 60L) + minute) * 60_000;
        rest = text[(4 + colon)..];
        if (rest.IsEmpty || (colon == 1 ? rest[0] != ':' : (uint)(rest[0] - '0') > 9)) return true;
        if (rest.Length < 2 + colon || !TryDigits(rest.Slice(colon, 2), out int second) || second > 60) return false;
        milliseconds += second * 1000L;
        rest = rest[(2 + colon)..];
        return rest.IsEmpty || rest[0] is not ((byte)'.' or (byte)',') || TryParseFraction(ref rest, ref milliseconds);
    }

    private static bool TryParseFraction(ref ReadOnlySpan<byte> rest, ref long milliseconds)
    {
        int digits = 0, fraction = 0;
        for (rest = rest[1..]; !rest.IsEmpty && (uint)(rest[0] - '0') <= 9; rest = rest[1..], digits++)
        {
            if (digits < 3) fraction = (10 * fraction) + (rest[0] - '0');
        }
        for (int d = digits; d < 3; d++) fraction *= 10;
        milliseconds += fraction;
        return digits > 0;
    }

    /// <summary>Nothing, <c>Z</c>, <c>UTC</c>, <c>GMT</c>, <c>+hh</c>, <c>+hhmm</c> or <c>+hh:mm</c>, perhaps after a blank.</summary>
    private static bool TryParseZone(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = 0;
        if (text.Length > 1 && text[0] == ' ') text = text[1..];
        if (text.IsEmpty || (text.Length == 1 && text[0] is (byte)'Z' or (byte)'z')) return true;
        if (Ascii.EqualsIgnoreCase(text, "utc"u8) || Ascii.EqualsIgnoreCase(text, "gmt"u8)) return true;
        if (text[0] is not ((byte)'+' or (byte)'-') || text.Length is not (3 or 5 or 6)) return false;
        int minute = 0;
        if (!TryDigits(text[1..3], out int hour)) return false;
        if (text.Length == 6 && text[3] != ':') return false;
        if (text.Length > 3 && !TryDigits(text[^2..], out minute)) return false;
        if (hour > 18 || minute > 59) return false;
        milliseconds = ((hour * 60L) + minute) * (text[0] == '-' ? -60_000 : 60_000);
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (byte digit in text)
        {
            if ((uint)(digit - '0') > 9) return false;
            value = (10 * value) + (digit - '0');
        }
        return true;
    }
}
