using StreamEm.Sources.Paths;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Paths;

public sealed class FilePathsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public FilePathsTests()
    {
        foreach (string name in new[] { "b.csv", "a.csv", "B.csv", "a10.csv", "a2.csv", ".hidden.csv", "x.txt", "sub/c.csv",
            "sub/deep/d.csv", "other/c.csv" })
            _folder.Write(name, "");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("*.csv", "B.csv a.csv a10.csv a2.csv b.csv")]
    [InlineData("a?.csv", "a2.csv")]
    [InlineData(".*.csv", ".hidden.csv")]
    [InlineData("*/c.csv", "other/c.csv sub/c.csv")]
    [InlineData("sub/**/*.csv", "sub/c.csv sub/deep/d.csv")]
    [InlineData("**/d.csv", "sub/deep/d.csv")]
    [InlineData("sub/**", "sub/c.csv sub/deep/d.csv")]
    [InlineData("x.txt", "x.txt")]
    [InlineData("nothing*", "")]
    [InlineData("nowhere/*.csv", "")]
    [InlineData("sub", "")]
    public void Matches_Pattern_FindsFilesInOrdinalOrder(string pattern, string expected) =>
        Assert.Equal(expected,
            string.Join(' ', FilePaths.Matches(_folder.File(pattern)).Select(path => Path.GetRelativePath(_folder.Path, path))));

    [Theory]
    [InlineData("*.csv")]
    [InlineData("a?.csv")]
    [InlineData(".*.csv")]
    [InlineData("*/*")]
    [InlineData("**")]
    [InlineData("**/*.csv")]
    [InlineData("s*/**/d.csv")]
    [InlineData("**/deep/*")]
    [InlineData("sub/../x.txt")]
    public void Matches_FoundFiles_AreThoseThatThePatternNames(string pattern)
    {
        string[] all = Directory.GetFiles(
            _folder.Path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None });

        Assert.Equal(
            all.Where(path => PathPattern.Matches(_folder.File(pattern), path)).Order(StringComparer.Ordinal),
            FilePaths.Matches(_folder.File(pattern)).Select(Path.GetFullPath).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Expand_SeveralPatterns_KeepsTheirOrderAndDropsRepeats() =>
        Assert.Equal(["b.csv", "B.csv", "a.csv", "a10.csv", "a2.csv", "x.txt"],
            FilePaths.Expand([_folder.File("b.csv"), _folder.File("*.csv"), _folder.File("x.txt"), _folder.File("sub/../b.csv")])
                .Select(path => Path.GetFileName(path)!));

    [Fact]
    public void Matches_NameWithWildcard_IsTakenAsWritten()
    {
        _folder.Write("a*.csv", "");
        Assert.Equal([_folder.File("a*.csv")], FilePaths.Matches(_folder.File("a*.csv")));
    }
}
