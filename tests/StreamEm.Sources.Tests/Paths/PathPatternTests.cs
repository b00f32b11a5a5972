using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Tests.Paths;

public sealed class PathPatternTests
{
    [Theory]
    [InlineData("/data/a.csv", "/data/a.csv", true)]
    [InlineData("/data/../data/./a.csv", "/data/a.csv", true)]
    [InlineData("/data/*.csv", "/data/a.csv", true)]
    [InlineData("/data/*.csv", "/data/sub/a.csv", false)]
    [InlineData("/data/*.csv", "/data/.a.csv", false)]
    [InlineData("/data/.*.csv", "/data/.a.csv", true)]
    [InlineData("/data/a?.csv", "/data/a1.csv", true)]
    [InlineData("/data/a?.csv", "/data/A1.csv", false)]
    [InlineData("/data/**/a.csv", "/data/a.csv", true)]
    [InlineData("/data/**/a.csv", "/data/x/y/a.csv", true)]
    [InlineData("/data/**/a.csv", "/data/x/.y/a.csv", false)]
    [InlineData("/data/**/x/*.csv", "/data/x/x/a.csv", true)]
    [InlineData("/data/**/x/*.csv", "/data/x/y/a.csv", false)]
    [InlineData("/data/**", "/data/x/y/a.csv", true)]
    [InlineData("/data/**", "/data/.a.csv", false)]
    [InlineData("/data/**", "/data", false)]
    [InlineData("/data/*", "/data", false)]
    [InlineData("*.csv", "a.csv", true)]
    [InlineData("a.csv", "b.csv", false)]
    public void Matches_Texts_SaysWhetherThePatternNamesThePath(string pattern, string path, bool expected) =>
        Assert.Equal(expected, PathPattern.Matches(pattern, path));

    [Theory]
    [InlineData("data/*.csv", "data")]
    [InlineData("data/x*/y/*.csv", "data")]
    [InlineData("*.csv", "")]
    [InlineData("data/a.csv", "data")]
    [InlineData("a.csv", "")]
    public void FolderOf_Pattern_IsWhatIsThereBeforeTheWildcards(string pattern, string expected) =>
        Assert.Equal(expected, PathPattern.FolderOf(pattern));
}
