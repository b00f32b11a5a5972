using StreamEm.House.Tests.Code;

namespace StreamEm.House.Tests.Approved;

/// <summary>
/// Compares a text with the one that was approved, a file beside this one. <c>STREAMEM_ACCEPT=1</c> (<c>./build.sh accept</c>) approves
/// what is found.
/// </summary>
internal static class Approval
{
    private const string Folder = "tests/StreamEm.House.Tests/Approved";

    /// <summary>Whether what is found is to be approved rather than compared.</summary>
    public static bool Accepts { get; } = Environment.GetEnvironmentVariable("STREAMEM_ACCEPT") == "1";

    /// <summary>Fails when the text is not what <c>NAME.approved.txt</c> holds, and leaves it in <c>NAME.received.txt</c>.</summary>
    public static void Verify(string name, string text) =>
        VerifyFile($"{Folder}/{name}.approved.txt", $"{Folder}/{name}.received.txt", text, approved => approved, text);

    /// <summary>The same for a file of which only a part counts.</summary>
    /// <param name="approved">The approved file.</param>
    /// <param name="received">Where the new one is left when the parts differ.</param>
    /// <param name="text">The new file.</param>
    /// <param name="partOf">The part of an approved file that counts.</param>
    /// <param name="part">The part of the new one.</param>
    public static void VerifyFile(string approved, string received, string text, Func<string, string> partOf, string part)
    {
        string found = Lines(part), expected = File.Exists(Repository.PathOf(approved)) ? Lines(partOf(Repository.Read(approved))) : "";
        File.Delete(Repository.PathOf(received));
        if (found == expected) return;
        if (Accepts)
        {
            File.WriteAllText(Repository.PathOf(approved), Lines(text));
            return;
        }

        File.WriteAllText(Repository.PathOf(received), Lines(text));
        Assert.Fail($"{received} is not what was approved in {approved}.\n{Difference(expected.Split('\n'), found.Split('\n'))}\n"
            + "If this is what you meant: ./build.sh accept, look at the difference, and commit it.");
    }

    /// <summary>Blanks at the ends of lines do not count.</summary>
    private static string Lines(string text) =>
        string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd())).TrimEnd('\n') + "\n";

    private static string Difference(string[] expected, string[] found)
    {
        IEnumerable<string> gone = expected.Except(found, StringComparer.Ordinal).Select(line => $"- {line}");
        IEnumerable<string> come = found.Except(expected, StringComparer.Ordinal).Select(line => $"+ {line}");
        string[] all = [.. gone, .. come];
        return all.Length == 0 ? "The same lines, in another order or number." : string.Join('\n', all.Take(40));
    }
}
