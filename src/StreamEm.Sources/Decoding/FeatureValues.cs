using System.Globalization;
using System.Text;
using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>Which values a feature may hold, and which text a number is as a level.</summary>
internal static class FeatureValues
{
    /// <summary>The largest magnitude of a number: with it, no sum of squares of 1e8 of them overflows.</summary>
    public const double Most = 1e150;

    /// <summary>The smallest magnitude above 0: the square of a smaller one loses digits, or is 0, and with it every variance.</summary>
    public const double Least = 1e-150;

    /// <summary>What is expected of a number that <see cref="IsInRange"/> refuses, for a person.</summary>
    public const string ExpectedRange = "0 or a magnitude of 1e-150 to 1e150, whose square is within double precision";

    /// <summary>What is expected of a feature, for a person.</summary>
    public static string Expected(FeatureKind kind) => kind switch
    {
        FeatureKind.Count => "a count: an integer of at least 0",
        FeatureKind.Binary => "0 or 1, false or true",
        FeatureKind.NonNegative => "a number of at least 0",
        FeatureKind.Terms => "a text, or an object of terms and their counts such as {\"term\": 3}",
        _ => "a number",
    };

    /// <summary>
    /// Whether a finite number, or NaN for a missing one, can be learned from: 0, or a magnitude from <see cref="Least"/> to
    /// <see cref="Most"/>. A number of at most 22 bytes without exponent always can, so that the short ways need not ask.
    /// </summary>
    public static bool IsInRange(double value) => double.IsNaN(value) || value == 0 || Math.Abs(value) is >= Least and <= Most;

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
        if (IsText(kind)) value = texts.Number(Text(value));
        return IsInSupport(kind, value) && (IsText(kind) || IsInRange(value));
    }

    /// <summary>Whether a feature takes any text, not numbers alone.</summary>
    public static bool IsText(FeatureKind kind) => kind is FeatureKind.Level or FeatureKind.Terms;

    /// <summary>Whether a text is one, and no object or list but one of counts.</summary>
    public static bool IsDocument(ReadOnlySpan<byte> text) => !TermReader.LooksLikeCounts(text) || TermReader.AreCounts(text);

    /// <summary>The value of a binary feature written as a word; NaN for another.</summary>
    public static double Word(ReadOnlySpan<byte> text) =>
        Ascii.EqualsIgnoreCase(text, "true"u8) ? 1 : Ascii.EqualsIgnoreCase(text, "false"u8) ? 0 : double.NaN;

    /// <summary>The text of a number that is a level or a label: the shortest that reads back.</summary>
    public static string Text(double number) => (number == 0 ? 0.0 : number).ToString("R", CultureInfo.InvariantCulture);
}
