using System.Buffers;
using System.Text;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// What programs write where they have no value, one list for features, labels, keys, times and targets, in CSV and in JSON, without
/// regard to case: nothing at all, <c>NA</c>, <c>N/A</c>, <c>#N/A</c>, <c>null</c>, <c>None</c>, <c>NaT</c>, <c>?</c>, <c>-</c> and the
/// like, and every way to write a number that is none (<c>NaN</c>, <c>-nan</c>, <c>nan(ind)</c>, <c>-1.#IND</c>, <c>1.#QNAN0</c>). The
/// list is that of pandas' <c>read_csv</c> and R's, with those of databases (<c>\N</c>, <c>&lt;null&gt;</c>) and of C's printf.
/// </summary>
internal sealed class MissingValues
{
    /// <summary>No spelling in the list is longer; longer texts are only compared with the model's own.</summary>
    private const int MaxStandardBytes = 24;

    private static readonly byte[][] Standard =
        [.. new[]
        {
            "na", "n/a", "#na", "#n/a", "#n/a n/a", "<na>", "n.a.", "null", "<null>", "(null)", "nil", "none", "nat", "\\n", "?", "-", "--",
        }.Select(Encoding.ASCII.GetBytes)];

    /// <summary>What all of them begin with.</summary>
    private static readonly SearchValues<byte> FirstBytes = SearchValues.Create("nN#<(\\?-+1"u8);

    /// <summary>The list as it is.</summary>
    public static MissingValues Alone { get; } = new([]);

    private readonly byte[][] _own;
    private readonly double[] _numbers;

    /// <summary>The list, with a model's own spellings.</summary>
    public MissingValues(IReadOnlyList<string> own)
    {
        _own = [.. own.Select(text => Numbers.Trim(Encoding.UTF8.GetBytes(text)).ToArray())];
        _numbers = [.. _own.Select(text => Numbers.TryParse(text, out double number) ? number : double.NaN)
            .Where(number => !double.IsNaN(number))];
    }

    /// <summary>The numbers among the model's own spellings.</summary>
    public ReadOnlySpan<double> OwnNumbers => _numbers;

    /// <summary>Whether a text without blanks round it says that there is no value.</summary>
    public bool Contains(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return true;
        if (text.Length <= MaxStandardBytes && FirstBytes.Contains(text[0]) && IsStandard(text)) return true;
        foreach (byte[] own in _own)
            if (text.SequenceEqual(own)) return true;
        return false;
    }

    /// <summary>Whether a number is one of the model's own spellings.</summary>
    public bool Contains(double number) => _numbers.AsSpan().Contains(number);

    private static bool IsStandard(ReadOnlySpan<byte> text)
    {
        foreach (byte[] standard in Standard)
            if (Ascii.EqualsIgnoreCase(text, standard)) return true;
        return IsNotANumber(text);
    }

    /// <summary>
    /// An optional sign, then <c>nan</c>, perhaps with something in parentheses (C99), or <c>1.#IND</c>, <c>1.#QNAN</c>, <c>1.#SNAN</c>
    /// with the digits that padding appends (Microsoft's C runtime until 2015).
    /// </summary>
    private static bool IsNotANumber(ReadOnlySpan<byte> text)
    {
        if (text[0] is (byte)'-' or (byte)'+') text = text[1..];
        if (text.Length >= 3 && Ascii.EqualsIgnoreCase(text[..3], "nan"u8))
            return text.Length == 3 || (text[3] == '(' && text[^1] == ')' && text.Length > 4);
        if (!text.StartsWith("1.#"u8)) return false;
        ReadOnlySpan<byte> name = text[3..].TrimEnd("0"u8);
        return Ascii.EqualsIgnoreCase(name, "ind"u8) || Ascii.EqualsIgnoreCase(name, "nan"u8) || Ascii.EqualsIgnoreCase(name, "qnan"u8) ||
            Ascii.EqualsIgnoreCase(name, "snan"u8);
    }
}
