using System.Globalization;
using System.Text;

namespace StreamEm.Sources.Decoding;

/// <summary>What a field of a record holds where a number is expected.</summary>
internal enum NumberKind
{
    /// <summary>A finite number.</summary>
    Finite,

    /// <summary>Nothing: empty, <c>null</c>, <c>NaN</c> or <c>NA</c> in any case.</summary>
    Missing,

    /// <summary>Something else.</summary>
    NotANumber,

    /// <summary>An infinity, or a number beyond double precision.</summary>
    NotFinite,
}

/// <summary>
/// Decimal numbers from UTF-8 text, correctly rounded (to nearest, ties to even). Grammar: optional sign, digits with at most one point and at
/// least one digit, optional exponent; blanks around it are ignored.
/// </summary>
/// <remarks>
/// With at most 15 significant digits and a power of ten up to 22 both are exact in double precision, so that one multiplication or division
/// rounds correctly (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990); <see cref="EiselLemire"/> covers nearly all others,
/// the runtime's own parser the rest.
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

    /// <summary>Reads a field's text; <paramref name="value"/> is NaN unless the answer is <see cref="NumberKind.Finite"/>.</summary>
    public static NumberKind Parse(ReadOnlySpan<byte> text, out double value)
    {
        text = Trim(text);
        if (TryParseDecimal(text, out value))
        {
            if (double.IsFinite(value)) return NumberKind.Finite;
            value = double.NaN;
            return NumberKind.NotFinite;
        }
        value = double.NaN;
        if (IsMissing(text)) return NumberKind.Missing;
        return IsInfinity(text) ? NumberKind.NotFinite : NumberKind.NotANumber;
    }

    /// <summary>Without blanks and tabs at both ends.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        int start = 0, end = text.Length;
        while (start < end && text[start] is (byte)' ' or (byte)'\t') start++;
        while (start < end && text[end - 1] is (byte)' ' or (byte)'\t') end--;
        return text[start..end];
    }

    private static bool IsMissing(ReadOnlySpan<byte> text) => text.Length switch
    {
        0 => true,
        2 => Ascii.EqualsIgnoreCase(text, "na"u8),
        3 => Ascii.EqualsIgnoreCase(text, "nan"u8),
        4 => Ascii.EqualsIgnoreCase(text, "null"u8),
        _ => false,
    };

    private static bool IsInfinity(ReadOnlySpan<byte> text)
    {
        if (text[0] is (byte)'-' or (byte)'+') text = text[1..];
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
        while (at < text.Length && (uint)(text[at] - '0') <= 9) mantissa = (10 * mantissa) + (uint)(text[at++] - '0');
        int digits = at - firstDigit, exponent = 0;
        if (at < text.Length && text[at] == '.')
        {
            int point = ++at;
            while (at < text.Length && (uint)(text[at] - '0') <= 9) mantissa = (10 * mantissa) + (uint)(text[at++] - '0');
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
