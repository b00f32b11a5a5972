using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace StreamEm.Sources.Decoding;

/// <summary>What was found in a field of a record where a number is expected.</summary>
internal enum NumberOutcome
{
    /// <summary>A finite number.</summary>
    Finite,

    /// <summary>Nothing: one of <see cref="MissingValues"/>.</summary>
    Missing,

    /// <summary>Something else.</summary>
    NotANumber,

    /// <summary>An infinity, or a number beyond double precision.</summary>
    NotFinite,
}

/// <summary>
/// Decimal numbers from UTF-8 text, correctly rounded (to nearest, ties to even). Grammar: optional sign, digits with at most one point and
/// at least one digit, optional exponent; blanks around it are ignored.
/// </summary>
/// <remarks>
/// With at most 15 significant digits and a power of ten up to 22 both are exact in double precision, so that one multiplication or
/// division rounds correctly (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990); <see cref="EiselLemire"/> covers nearly
/// all others, the runtime's own parser the rest.
/// </remarks>
internal static class Numbers
{
    private const ulong MaxExactInteger = 1UL << 53;
    private const int MaxDigits = 19;
    private const int MaxExponent = 100_000;

    private static readonly double[] PowersOfTen =
    [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];

    /// <summary>Reads a field's text; <paramref name="value"/> is NaN unless the answer is <see cref="NumberOutcome.Finite"/>.</summary>
    public static NumberOutcome Parse(ReadOnlySpan<byte> text, MissingValues missing, out double value)
    {
        if (TryParseDecimal(text, out value)) return Checked(missing, ref value);
        text = Trim(text);
        if (TryParseDecimal(text, out value)) return Checked(missing, ref value);
        value = double.NaN;
        if (missing.Contains(text)) return NumberOutcome.Missing;
        return IsInfinity(text) ? NumberOutcome.NotFinite : NumberOutcome.NotANumber;
    }

    /// <summary>Whether a text is a finite number, and which.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out double value) =>
        TryParseDecimal(Trim(text), out value) && double.IsFinite(value);

    /// <summary>Without blanks and tabs at both ends.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        int start = 0, end = text.Length;
        while (start < end && text[start] is (byte)' ' or (byte)'\t') start++;
        while (start < end && text[end - 1] is (byte)' ' or (byte)'\t') end--;
        return text[start..end];
    }

    private static NumberOutcome Checked(MissingValues missing, ref double value)
    {
        bool isFinite = double.IsFinite(value);
        if (isFinite && !missing.Contains(value)) return NumberOutcome.Finite;
        value = double.NaN;
        return isFinite ? NumberOutcome.Missing : NumberOutcome.NotFinite;
    }

    private static bool IsInfinity(ReadOnlySpan<byte> text)
    {
        if (text[0] is (byte)'-' or (byte)'+') text = text[1..];
        if (text.StartsWith("1.#"u8)) return Ascii.EqualsIgnoreCase(text[3..].TrimEnd("0"u8), "inf"u8);
        return Ascii.EqualsIgnoreCase(text, "inf"u8) || Ascii.EqualsIgnoreCase(text, "infinity"u8) || text.SequenceEqual("\u221E"u8);
    }

    /// <summary>Whether all of the text is a decimal number; its value may be infinite.</summary>
    private static bool TryParseDecimal(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        int at = 0;
        bool negative = false;
        if (text.Length > 0 && text[0] is (byte)'-' or (byte)'+')
        {
            negative = text[0] == '-';
            at = 1;
        }
        ulong mantissa = 0;
        int firstDigit = at;
        at = ParseDigits(text, at, ref mantissa);
        int digits = at - firstDigit, exponent = 0;
        if (at < text.Length && text[at] == '.')
        {
            int point = ++at;
            at = ParseDigits(text, at, ref mantissa);
            exponent = point - at;
            digits -= exponent;
        }
        if (digits == 0) return false;
        if (at < text.Length)
        {
            if (!TryParseExponent(text[at..], out int written)) return false;
            exponent += written;
        }
        if (digits <= MaxDigits && TryExact(mantissa, exponent, out value))
        {
            if (negative) value = -value;
            return true;
        }
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Appends the digits from <paramref name="at"/> on to the mantissa (modulo 2^64) and answers where they end.</summary>
    private static int ParseDigits(ReadOnlySpan<byte> text, int at, ref ulong mantissa)
    {
        const ulong High = 0xF0F0_F0F0_F0F0_F0F0UL;
        while (text.Length - at >= sizeof(ulong))
        {
            ulong eight = BinaryPrimitives.ReadUInt64LittleEndian(text[at..]);
            // All bytes are 0x30 .. 0x39: the high half is 3, and still is after adding 6.
            if (((eight & High) | (((eight + 0x0606_0606_0606_0606UL) & High) >> 4)) != 0x3333_3333_3333_3333UL) break;
            // Sums of neighbours: of 8 digits, 4 pairs, 2 fours, 1 eight.
            eight -= 0x3030_3030_3030_3030UL;
            eight = (eight * 10) + (eight >> 8);
            eight = (((eight & 0x0000_00FF_0000_00FFUL) * 0x000F_4240_0000_0064UL)
                + (((eight >> 16) & 0x0000_00FF_0000_00FFUL) * 0x0000_2710_0000_0001UL)) >> 32;
            mantissa = (mantissa * 100_000_000) + eight;
            at += sizeof(ulong);
        }
        while (at < text.Length && (uint)(text[at] - '0') <= 9) mantissa = (10 * mantissa) + (uint)(text[at++] - '0');
        return at;
    }

    /// <summary>The nearest double of mantissa x 10^exponent, where that is cheap to know.</summary>
    private static bool TryExact(ulong mantissa, int exponent, out double value)
    {
        value = mantissa;
        if (mantissa <= MaxExactInteger && exponent is >= -22 and <= 22)
        {
            value = exponent < 0 ? value / PowersOfTen[-exponent] : value * PowersOfTen[exponent];
            return true;
        }
        return EiselLemire.TryRound(mantissa, exponent, out value);
    }

    /// <summary>An <c>e</c>, an optional sign and digits to the end of the text.</summary>
    private static bool TryParseExponent(ReadOnlySpan<byte> text, out int exponent)
    {
        exponent = 0;
        if ((text[0] | 0x20) != 'e') return false;
        int at = 1;
        bool negative = false;
        if (at < text.Length && text[at] is (byte)'-' or (byte)'+') negative = text[at++] == '-';
        if (at == text.Length) return false;
        for (; at < text.Length; at++)
        {
            if ((uint)(text[at] - '0') > 9) return false;
            exponent = Math.Min(MaxExponent, (10 * exponent) + (text[at] - '0'));
        }
        if (negative) exponent = -exponent;
        return true;
    }
}
