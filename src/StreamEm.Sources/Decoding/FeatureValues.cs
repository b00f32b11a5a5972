using System.Globalization;
using System.Text;
using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>Which values a feature may hold, and how levels become numbers of texts.</summary>
internal static class FeatureValues
{
    /// <summary>What is expected of a feature, for a person.</summary>
    public static string Expected(FeatureKind kind) => kind switch
    {
        FeatureKind.Count => "a count: an integer of at least 0",
        FeatureKind.Binary => "0 or 1, false or true",
        _ => "a number",
    };

    /// <summary>Whether a number, or NaN for a missing one, may be the value of a feature.</summary>
    public static bool IsInSupport(FeatureKind kind, double value) => kind switch
    {
        FeatureKind.Count => double.IsNaN(value) || (value >= 0 && value == Math.Floor(value)),
        FeatureKind.Binary => double.IsNaN(value) || value is 0 or 1,
        _ => true,
    };

    /// <summary>Takes a number as a feature's value; a level becomes the number of its text.</summary>
    /// <returns>False, and nothing done, for a number the feature cannot hold.</returns>
    public static bool TryTake(FeatureKind kind, TextTable texts, ref double value)
    {
        if (kind == FeatureKind.Level) value = texts.Number(Text(value));
        return IsInSupport(kind, value);
    }

    /// <summary>The number of a level's text; NaN for a missing one. Spellings of the same number are one level.</summary>
    public static double Level(ReadOnlySpan<byte> text, TextTable texts)
    {
        text = Numbers.Trim(text);
        if (IsPlainInteger(text)) return texts.Number(text);
        return Numbers.Parse(text, out double number) switch
        {
            NumberOutcome.Finite => texts.Number(Text(number)),
            NumberOutcome.Missing => double.NaN,
            _ => texts.Number(text),
        };
    }

    /// <summary>The value of a binary feature written as a word; NaN for another.</summary>
    public static double Word(ReadOnlySpan<byte> text) =>
        Ascii.EqualsIgnoreCase(text, "true"u8) ? 1 : Ascii.EqualsIgnoreCase(text, "false"u8) ? 0 : double.NaN;

    private static string Text(double number) => (number == 0 ? 0.0 : number).ToString("R", CultureInfo.InvariantCulture);

    private static bool IsPlainInteger(ReadOnlySpan<byte> text) =>
        text.Length is > 0 and <= 15 && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9') && (text[0] != '0' || text.Length == 1);
}
