using System.Text;
using System.Text.RegularExpressions;

namespace StreamEm.Worker.Configuration.Text;

/// <summary>
/// Replaces <c>${VAR}</c>, <c>${VAR:default}</c> and <c>${file:/path}</c> in scalar values. <c>$${</c> stands for a literal <c>${</c>. What
/// is put in is text only: it is never read as YAML again.
/// </summary>
/// <param name="variable">The environment: a variable's value, or null when it is not set.</param>
public sealed partial class VariableSubstitution(Func<string, string?> variable)
{
    /// <summary>The most a file may hold.</summary>
    public const int MaxFileBytes = 64 * 1024;

    private const string FilePrefix = "file:";

    /// <summary>Replaces all references in a scalar.</summary>
    /// <param name="text">The scalar as written.</param>
    /// <param name="origin">Where it is written.</param>
    /// <param name="problems">Takes unset variables, unreadable files and references that are not closed.</param>
    /// <param name="readsFile">Whether a file's content is part of the result.</param>
    public string Replace(string text, Origin origin, Problems problems, out bool readsFile)
    {
        readsFile = false;
        int start = text.IndexOf("${", StringComparison.Ordinal);
        if (start < 0) return text;
        var result = new StringBuilder();
        int done = 0;
        for (; start >= 0; start = text.IndexOf("${", done, StringComparison.Ordinal))
        {
            if (start > done && text[start - 1] == '$')
            {
                result.Append(text, done, start - 1 - done).Append("${");
                done = start + 2;
                continue;
            }

            result.Append(text, done, start - done);
            int end = text.IndexOf('}', start);
            if (end < 0)
            {
                problems.Error(origin, "'${' is not closed; write ${VAR}, ${VAR:default} or ${file:/path}, or $${ for a literal ${");
                return text;
            }

            string reference = text[(start + 2)..end];
            readsFile |= reference.StartsWith(FilePrefix, StringComparison.Ordinal);
            result.Append(Resolve(reference, origin, problems));
            done = end + 1;
        }

        return result.Append(text, done, text.Length - done).ToString();
    }

    /// <summary>
    /// The text of a file that holds one value: without the line break at its end. Null and an error when it cannot be read.
    /// </summary>
    public static string? ReadFile(string path, Origin origin, Problems problems)
    {
        try
        {
            string text = SmallFile.Read(path, MaxFileBytes, out string? problem);
            if (problem is null) return text.TrimEnd('\n', '\r');
            problems.Error(origin, $"file '{path}' {problem}");
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problems.Error(origin, $"file '{path}' cannot be read: {failure.Message}");
            return null;
        }
    }

    private string Resolve(string reference, Origin origin, Problems problems)
    {
        if (reference.StartsWith(FilePrefix, StringComparison.Ordinal))
            return ReadFile(reference[FilePrefix.Length..], origin, problems) ?? "";
        string[] parts = reference.Split(':', 2);
        if (!VariableName().IsMatch(parts[0]))
        {
            problems.Error(origin,
                $"'${{{reference}}}' names no variable; expected letters, digits and _ as in ${{VAR}} or ${{VAR:default}}");
            return "";
        }

        string? value = variable(parts[0]) ?? (parts.Length == 2 ? parts[1] : null);
        if (value is null) problems.Error(origin, $"variable {parts[0]} is not set; set it or give a default: ${{{parts[0]}:default}}");
        return value ?? "";
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*\\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VariableName();
}
