using System.Globalization;
using YamlDotNet.Core;

namespace StreamEm.Worker.Configuration.Text;

/// <summary>
/// Where a text that is no YAML was probably not meant so: the parser tells of the first thing that it cannot make sense of, which is often
/// behind the mistake. Tabs and lines that are indented unlike those round them are looked for first.
/// </summary>
internal static class YamlFault
{
    /// <summary>The place, and what is wrong there.</summary>
    public static (Mark Place, string Message) Of(string text, YamlException failure)
    {
        string[] lines = text.Split('\n');
        // Of a character that may not be there the parser does not tell the place.
        bool isAnywhere = failure.Message.Contains(" tab ", StringComparison.Ordinal)
            || failure.Message.Contains("any token", StringComparison.Ordinal);
        int last = isAnywhere ? lines.Length : (int)Math.Min(Math.Max(failure.Start.Line, failure.End.Line), lines.Length);
        for (int line = 1; line <= last; line++)
        {
            int tab = Indentation(lines[line - 1], "\t ");
            tab = lines[line - 1].AsSpan(0, tab).IndexOf('\t');
            if (tab >= 0 && IsContent(lines[line - 1]))
                return (At(line, tab), "a tab indents this line; YAML is indented with spaces");
        }

        return Unaligned(lines, (int)failure.Start.Line) is { } found
            ? (At((int)failure.Start.Line, Indentation(lines[failure.Start.Line - 1], " ")), found)
            : (failure.Start, failure.Message);
    }

    /// <summary>What is wrong with the indentation of a line, by the lines above it; null when nothing is.</summary>
    private static string? Unaligned(string[] lines, int fault)
    {
        if (fault < 1 || fault > lines.Length || !IsContent(lines[fault - 1])) return null;
        var open = new Stack<int>();
        string above = "";
        for (int line = 1; line < fault; line++)
        {
            if (!IsContent(lines[line - 1])) continue;
            above = lines[line - 1];
            Open(open, above);
        }

        int indentation = Indentation(lines[fault - 1], " ");
        if (open.Count == 0) return null;
        int[] levels = [.. open.Order()];
        string deep = indentation.ToString(CultureInfo.InvariantCulture);
        if (indentation > levels[^1])
        {
            string before = Indentation(above, " ").ToString(CultureInfo.InvariantCulture);
            return HasValue(above)
                ? $"this line is indented deeper ({deep} blanks) than the one above ({before}), which already has a value; indent them alike"
                : null;
        }

        string known = string.Join(", ", levels.Select(level => level.ToString(CultureInfo.InvariantCulture)));
        return Array.IndexOf(levels, indentation) >= 0
            ? null
            : $"this line is indented by {deep} blanks; the lines above by {known}: indent it like one of them";
    }

    /// <summary>The levels that are open after a line: its own, and that of a key behind a dash.</summary>
    private static void Open(Stack<int> open, string line)
    {
        int at = Indentation(line, " ");
        while (open.Count > 0 && open.Peek() > at) open.Pop();
        if (open.Count == 0 || open.Peek() < at) open.Push(at);
        while (at + 1 < line.Length && line[at] == '-' && line[at + 1] == ' ')
        {
            at += 1 + Indentation(line[(at + 1)..], " ");
            if (open.Peek() < at) open.Push(at);
        }
    }

    /// <summary>Whether a key of the line has its value beside it.</summary>
    private static bool HasValue(string line)
    {
        int colon = line.IndexOf(": ", StringComparison.Ordinal);
        ReadOnlySpan<char> value = colon < 0 ? default : line.AsSpan(colon + 1).Trim();
        return value.Length > 0 && value[0] is not ('#' or '|' or '>');
    }

    private static bool IsContent(string line) => line.AsSpan().Trim() is { Length: > 0 } content && content[0] != '#';

    private static int Indentation(string line, string blanks)
    {
        int end = line.AsSpan().IndexOfAnyExcept(blanks);
        return end < 0 ? line.Length : end;
    }

    private static Mark At(int line, int column) => new(0, line, column + 1);
}
