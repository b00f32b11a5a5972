using System.Security.Cryptography;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Rules;

/// <summary>
/// The files of the dashboard that the worker serves are those that <c>./build.sh dashboard</c> made of the sources as they are: it writes
/// down the hashes of both.
/// </summary>
public sealed class DashboardTests
{
    private const string Sources = "src/StreamEm.Dashboard", Built = "src/StreamEm.Worker/Dashboard/files", List = $"{Built}.sha256";

    private static readonly string[] Everything = [.. Repository.Files(Sources, "*"), .. Repository.Files(Built, "*")];

    private static readonly Dictionary<string, string> Listed = Repository.Read(List).Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .ToDictionary(line => line[66..], line => line[..64], StringComparer.Ordinal);

    [Fact]
    public void Files_OfTheDashboard_AreBuiltFromTheirSources()
    {
        string[] changed =
        [
            .. from file in Everything
               where !Listed.TryGetValue(file, out string? hash) || hash != HashOf(file)
               select $"{file} is not what it was",
            .. Listed.Keys.Except(Everything, StringComparer.Ordinal).Select(file => $"{file} is gone"),
        ];
        Assert.True(changed.Length == 0,
            $"Since the dashboard was built\n{string.Join('\n', changed)}\nRun ./build.sh dashboard and commit what it makes.");
    }

    [Fact]
    public void LockFile_OfTheDashboard_NamesNoRegistry() =>
        Assert.DoesNotContain("\"resolved\"", Repository.Read($"{Sources}/package-lock.json"), StringComparison.Ordinal);

    [Fact]
    public void Code_OfTheDashboard_PutsNoTextInAsMarkup() => Violations.None(
        from file in Repository.Files($"{Sources}/src", "*.ts")
        from word in (string[])["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "new Function"]
        where Repository.Read(file).Contains(word, StringComparison.Ordinal)
        select $"{file} uses {word}; names come from users, put them in as texts");

    private static string HashOf(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Repository.PathOf(file))));
}
