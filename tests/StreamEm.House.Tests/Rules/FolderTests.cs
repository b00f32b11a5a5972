using System.Text.RegularExpressions;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Rules;

/// <summary>A folder is a layer of its own: what it uses does not use it.</summary>
public sealed class FolderTests
{
    [Fact]
    public void Folders_OfTheSources_HaveNoCycle() =>
        Assert.True(FolderGraph.OfSources.Cycles().Count == 0,
            string.Join("\n\n", FolderGraph.OfSources.Cycles().Select(FolderGraph.OfSources.Describe)));

    [Fact]
    public void Namespaces_OfTheSources_AreTheirFolders() => Violations.None(
        from file in Repository.Files("src", "*.cs")
        let match = Regex.Match(Repository.Read(file), "^namespace (?<name>[\\w.]+);", RegexOptions.Multiline, TimeSpan.FromSeconds(1))
        let expected = Path.GetDirectoryName(file)!["src/".Length..].Replace('/', '.')
        where match.Success && match.Groups["name"].Value != expected
        select $"{file} is in namespace {match.Groups["name"].Value}; expected {expected}");
}
