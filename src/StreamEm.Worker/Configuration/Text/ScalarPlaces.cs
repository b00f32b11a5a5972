using YamlDotNet.Core;

namespace StreamEm.Worker.Configuration.Text;

/// <summary>
/// Where the characters of a scalar are written. What YAML makes of a scalar differs from what is written in blanks alone, unless there are
/// escapes or variables in it: the characters that are no blanks come in the same order in both.
/// </summary>
/// <param name="written">The document from the scalar's first character to its last.</param>
/// <param name="style">How it is written.</param>
internal sealed class ScalarPlaces(string written, ScalarStyle style)
{
    /// <summary>How far from the scalar's start a character is.</summary>
    /// <param name="value">What YAML made of it, variables replaced.</param>
    /// <param name="index">The character; the length for the end.</param>
    /// <returns>Lines further down, and the column there (or columns further on, on the first line); null when it cannot be told.</returns>
    public (int Lines, int Columns)? Find(string value, int index)
    {
        int at = Content();
        int solid = value.Take(index).Count(character => !char.IsWhiteSpace(character));
        bool isEnd = value.AsSpan(index).Trim().IsEmpty;
        for (int i = 0, left = isEnd ? solid - 1 : solid; at < written.Length; at++)
        {
            if (char.IsWhiteSpace(written[at])) continue;
            while (i < value.Length && char.IsWhiteSpace(value[i])) i++;
            if (i == value.Length || value[i++] != written[at]) return null;
            if (left-- == 0) return Distance(isEnd ? at + 1 : at);
        }

        return null;
    }

    /// <summary>Where what is written starts to be content: after the quote, or on the line after the sign of a block.</summary>
    private int Content() => style switch
    {
        ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted => 1,
        ScalarStyle.Literal or ScalarStyle.Folded => written.IndexOf('\n', StringComparison.Ordinal) + 1,
        _ => 0,
    };

    private (int Lines, int Columns) Distance(int at)
    {
        ReadOnlySpan<char> before = written.AsSpan(0, at);
        return (before.Count('\n'), at - (before.LastIndexOf('\n') + 1));
    }
}
