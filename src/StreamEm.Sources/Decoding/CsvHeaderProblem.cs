using System.Globalization;
using System.Text;
using StreamEm.Core.Settings;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// What is said of a file whose columns are not those looked for. Names of columns are shown, without control characters; where the first
/// line may be a record, nothing of it is.
/// </summary>
internal static class CsvHeaderProblem
{
    private const int ShownColumns = 40, ShownCharacters = 40;

    /// <summary>A field has no column.</summary>
    /// <param name="source">The stream's name.</param>
    /// <param name="field">The field looked for.</param>
    /// <param name="columns">The columns found.</param>
    /// <param name="separator">What they are apart by; null where nobody asks.</param>
    public static string NoColumn(string source, string field, IReadOnlyList<string> columns, char? separator = null)
    {
        string missing = $"'{source}' has no column '{field}'.";
        if (columns.Any(IsValue))
        {
            return $"{missing} Its first line holds numbers: if it is the first record, name what stands in it with the source's "
                + $"'columns'; if lines before the header are to be passed over, with 'skip_lines' or 'comment'.{Apart(separator)}";
        }
        return NotAmong(source, field, columns, separator);
    }

    /// <summary>A field is not among columns that are known to be names.</summary>
    /// <param name="source">The stream's name.</param>
    /// <param name="field">The field looked for.</param>
    /// <param name="columns">The columns found.</param>
    /// <param name="separator">What they are apart by; null where nobody asks.</param>
    public static string NotAmong(string source, string field, IReadOnlyList<string> columns, char? separator = null)
    {
        string? near = Spelling.Nearest(field, columns.Where(name => name.Length > 0));
        string nearest = near is null ? "" : $" Did you mean '{Shown(near)}'?";
        string more = columns.Count > ShownColumns
            ? string.Create(CultureInfo.InvariantCulture, $" and {columns.Count - ShownColumns} more")
            : "";
        string list = string.Join(", ", columns.Take(ShownColumns).Select(Shown));
        string apart = separator is null or ',' ? "" : $", apart by {Named(separator.Value)},";
        return $"'{source}' has no column '{field}'.{nearest} Its columns{apart} are: "
            + $"{list}{more}.{(columns.Any(name => name.Contains('\uFFFD', StringComparison.Ordinal)) ? NotUtf8 : "")}";
    }

    /// <summary>A separator in words.</summary>
    public static string Named(char separator) => separator switch
    {
        ',' => "commas (',')",
        ';' => "semicolons (';')",
        '\t' => "tabs (\"\\t\")",
        '|' => "bars ('|')",
        ' ' => "blanks (' ')",
        _ when char.IsControl(separator) =>
            string.Create(CultureInfo.InvariantCulture, $"the character {(int)separator:X2} (hexadecimal)"),
        _ => $"'{separator}'",
    };

    private static string Apart(char? separator) =>
        separator is null or ',' ? "" : $" Its columns seem to be apart by {Named(separator.Value)}.";

    private const string NotUtf8 =
        " The line is not UTF-8 (perhaps Latin-1 or Windows-1252): convert the file, for example with iconv -f WINDOWS-1252 -t UTF-8.";

    /// <summary>Whether a name is a number or a time, as no column is called.</summary>
    internal static bool IsValue(string name)
    {
        byte[] text = Numbers.Trim(Encoding.UTF8.GetBytes(name)).ToArray();
        byte[] pointed = Array.ConvertAll(text, b => b == ',' ? (byte)'.' : b);
        return text.Length > 0 && (Numbers.TryParse(pointed, out _) || Timestamps.TryParse(text, default, out _));
    }

    private static string Shown(string name)
    {
        string clean = string.Concat(name.Select(c => char.IsControl(c) || char.GetUnicodeCategory(c) == UnicodeCategory.Format ? '?' : c));
        return clean.Length <= ShownCharacters ? clean : string.Concat(clean.AsSpan(0, ShownCharacters), "...");
    }
}
