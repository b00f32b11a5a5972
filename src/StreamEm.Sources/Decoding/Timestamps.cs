using System.Buffers.Text;
using System.Text;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Event times: whole milliseconds since 1970, or ISO 8601 text <c>2026-11-20</c>, <c>2026-11-20T08:00</c>,
/// <c>2026-11-20T08:00:00.123Z</c>, <c>2026-11-20 08:00:00+01:00</c>; without an offset it is UTC. Years 1 to 9999.
/// </summary>
internal static class Timestamps
{
    private static readonly long Smallest = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long Largest = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>False when the text is no such time; an empty text or <c>null</c> is <see cref="RecordBatch.NoTimestamp"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long milliseconds)
    {
        text = Numbers.Trim(text);
        milliseconds = RecordBatch.NoTimestamp;
        if (text.IsEmpty || Ascii.EqualsIgnoreCase(text, "null"u8)) return true;
        if (text.Length > 7 && text[4] == '-') return TryParseIso(text, out milliseconds);
        if (Utf8Parser.TryParse(text, out milliseconds, out int used) && used == text.Length) return InRange(milliseconds);
        if (Numbers.Parse(text, out double number) != NumberOutcome.Finite || Math.Abs(number) > Largest) return false;
        milliseconds = (long)Math.Floor(number);
        return InRange(milliseconds);
    }

    private static bool InRange(long milliseconds) => milliseconds >= Smallest && milliseconds <= Largest;

    private static bool TryParseIso(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = RecordBatch.NoTimestamp;
        if (text.Length < 10 || text[7] != '-') return false;
        if (!TryDigits(text[..4], out int year) || !TryDigits(text[5..7], out int month) || !TryDigits(text[8..10], out int day))
            return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        milliseconds = new DateTimeOffset(year, month, day, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        if (text.Length == 10) return true;
        if (text[10] is not ((byte)'T' or (byte)'t' or (byte)' ')) return false;
        if (!TryParseTime(text[11..], out long ofDay, out ReadOnlySpan<byte> zone) || !TryParseZone(zone, out long zoneMilliseconds))
            return false;
        milliseconds += ofDay - zoneMilliseconds;
        return InRange(milliseconds);
    }

    /// <summary><c>hh:mm</c>, <c>hh:mm:ss</c> or <c>hh:mm:ss.fff...</c>; second 60 is a leap second and counts as the next one.</summary>
    private static bool TryParseTime(ReadOnlySpan<byte> text, out long milliseconds, out ReadOnlySpan<byte> rest)
    {
        milliseconds = 0;
        rest = default;
        if (text.Length < 5 || text[2] != ':' || !TryDigits(text[..2], out int hour) || !TryDigits(text[3..5], out int minute))
            return false;
        if (hour > 23 || minute > 59) return false;
        milliseconds = ((hour * 60L) + minute) * 60_000;
        rest = text[5..];
        if (rest.IsEmpty || rest[0] != ':') return true;
        if (rest.Length < 3 || !TryDigits(rest[1..3], out int second) || second > 60) return false;
        milliseconds += second * 1000L;
        rest = rest[3..];
        if (rest.IsEmpty || rest[0] is not ((byte)'.' or (byte)',')) return true;
        int digits = 0, fraction = 0;
        for (rest = rest[1..]; !rest.IsEmpty && (uint)(rest[0] - '0') <= 9; rest = rest[1..], digits++)
        {
            if (digits < 3) fraction = (10 * fraction) + (rest[0] - '0');
        }
        for (int d = digits; d < 3; d++) fraction *= 10;
        milliseconds += fraction;
        return digits > 0;
    }

    /// <summary>Nothing, <c>Z</c>, <c>+hh</c>, <c>+hhmm</c> or <c>+hh:mm</c>.</summary>
    private static bool TryParseZone(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = 0;
        if (text.IsEmpty || (text.Length == 1 && text[0] is (byte)'Z' or (byte)'z')) return true;
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
