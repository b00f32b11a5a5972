namespace StreamEm.Core.Features;

/// <summary>How CSV is written, as far as it was said; what was not said is found in the first lines of each file, once.</summary>
public sealed record CsvDialect
{
    /// <summary>Nothing said.</summary>
    public static CsvDialect Found { get; } = new();

    /// <summary><c>separator</c>: the character between columns, ASCII; null: the one of comma, semicolon, tab and bar that the header's
    /// names are found with.</summary>
    public char? Separator { get; init; }

    /// <summary><c>decimal</c>: the mark before a number's fraction, <c>.</c> or <c>,</c>; null: a comma where the columns are apart by
    /// something else and the first row has a number with a comma and none with a point, else a point.</summary>
    public char? Decimal { get; init; }

    /// <summary><c>comment</c>: lines that begin with this text are passed over, before the header and between records; null: none
    /// are.</summary>
    public string? Comment { get; init; }

    /// <summary><c>skip_lines</c>: so many lines at the start of each file are passed over, whatever is in them.</summary>
    public int SkipLines { get; init; }

    /// <summary><c>columns</c>: the names of the columns of a file that has no header; null: the first line names them.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Whether nothing was said.</summary>
    public bool IsFound => this is { Separator: null, Decimal: null, Comment: null, SkipLines: 0, Columns: null };
}
