using System.Globalization;
using System.Text;
using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>Which values a feature may hold, and which text a number is as a level.</summary>
internal static class FeatureValues
{
    /// <summary>What is expected of a feature, for a person.</summary>
    public static string Expected(FeatureKind kind) => kind switch
    {
        FeatureKind.Count => "a count: an integer of at least 0",
        FeatureKind.Binary => "0 or 1, false or true",
        FeatureKind.NonNegative => "a number of at least 0",
        _ => "a number",
    };

    /// <summary>Whether a number, or NaN for a missing one, may be the value of a feature.</summary>
    public static bool IsInSupport(FeatureKind kind, double value) => kind switch
    {
        FeatureKind.Count => double.IsNaN(value) || (value >= 0 && value == Math.Floor(value)),
        FeatureKind.Binary => double.IsNaN(value) || value is 0 or 1,
        FeatureKind.NonNegative => double.IsNaN(value) || value >= 0,
        _ => true,
    };

    /// <summary>Takes a number as a feature's value; a level becomes the number of its text.</summary>
    /// <returns>False, and nothing done, for a number the feature cannot hold.</returns>
    public static bool TryTake(FeatureKind kind, TextTable texts, ref double value)
    {
        if (kind == FeatureKind.Level) value = texts.Number(Text(value));
        return IsInSupport(kind, value);
    }

    /// <summary>The value of a binary feature written as a word; NaN for another.</summary>
    public static double Word(ReadOnlySpan<byte> text) =>
        Ascii.EqualsIgnoreCase(text, "true"u8) ? 1 : Ascii.EqualsIgnoreCase(text, "false"u8) ? 0 : double.NaN;

    /// <summary>The text of a number that is a level or a label: the shortest that reads back.</summary>
    public static string Text(double number) => (number == 0 ? 0.0 : number).ToString("R", CultureInfo.InvariantCulture);
}
