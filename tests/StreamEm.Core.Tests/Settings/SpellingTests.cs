using StreamEm.Core.Settings;

namespace StreamEm.Core.Tests.Settings;

public sealed class SpellingTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("kappa", "kapa", 1)]
    [InlineData("kappa", "akppa", 1)]
    [InlineData("ca", "abc", 3)]
    public void Edits_CountInsertionsDeletionsReplacementsAndSwaps(string a, string b, int edits)
    {
        Assert.Equal(edits, Spelling.Edits(a, b));
        Assert.Equal(edits, Spelling.Edits(b, a));
    }

    [Theory]
    [InlineData("kapa", "kappa")]
    [InlineData("KAPPA", "kappa")]
    [InlineData("flor", "floor")]
    [InlineData("t1", "t0")]
    [InlineData("momentum", null)]
    [InlineData("", null)]
    public void Nearest_IsTheLikelyOneOrNone(string word, string? nearest) =>
        Assert.Equal(nearest, Spelling.Nearest(word, ["kappa", "t0", "floor"]));

    [Fact]
    public void VeryLongWord_HasNoNearest() => Assert.Null(Spelling.Nearest(new string('k', 100_000), [new string('k', 100_000)]));
}
