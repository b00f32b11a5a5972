using System.Text.RegularExpressions;

namespace StreamEm.Worker.Configuration.Text;

/// <summary>
/// Keeps <c>${...}</c> away from the YAML parser, to which braces, brackets and commas mean something inside <c>{ }</c> and <c>[ ]</c>:
/// each is exchanged for a character of the private use area, one for one, so that places stay what they are.
/// </summary>
internal static partial class References
{
    private const string Syntax = "{}[],";
    private const char FirstStandIn = '\uE000';

    /// <summary>The text with the syntax inside references exchanged.</summary>
    public static string Hide(string text) =>
        Reference().Replace(text, match => string.Create(match.Length, match.Value, (result, found) =>
        {
            for (int at = 0; at < found.Length; at++)
            {
                int index = Syntax.IndexOf(found[at]);
                result[at] = index < 0 ? found[at] : (char)(FirstStandIn + index);
            }
        }));

    /// <summary>A scalar of such a text as it was written.</summary>
    public static string Show(string scalar)
    {
        for (int index = 0; index < Syntax.Length; index++) scalar = scalar.Replace((char)(FirstStandIn + index), Syntax[index]);
        return scalar;
    }

    [GeneratedRegex(@"\$\{[^{}\r\n]*\}", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Reference();
}
