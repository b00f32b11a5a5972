using System.Globalization;

namespace StreamEm.Worker.Telemetry;

/// <summary>Text of others - names of files, columns, labels - for a terminal, which must not take any of it for an order.</summary>
internal static class PrintableText
{
    /// <summary>
    /// The text with a question mark for every control and format character and separator of lines but line feeds and tabs.
    /// </summary>
    public static string Of(string text) => text.Any(IsOrder) ? string.Concat(text.Select(c => IsOrder(c) ? '?' : c)) : text;

    private static bool IsOrder(char c) => c is not ('\n' or '\t')
        && (char.IsControl(c) || char.GetUnicodeCategory(c)
            is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
