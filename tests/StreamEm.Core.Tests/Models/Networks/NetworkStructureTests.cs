using StreamEm.Core.Features;
using StreamEm.Core.Models.Networks;

namespace StreamEm.Core.Tests.Models.Networks;

/// <summary>Graphs as a user writes them.</summary>
public sealed class NetworkStructureTests
{
    [Fact]
    public void Problems_OfStructures_AreTold()
    {
        RecordSchema schema = new() { Features = ["a", "b"] };
        string Problem(BayesianNetworkOptions options) => Assert.Single(options.ProblemsWith(schema));

        Assert.Empty((BayesianNetworkTests.Options() with { Structure = new NetworkStructure([("b", ["a"])]) }).ProblemsWith(schema));
        Assert.Equal("structure: 'weather' is neither a feature nor a hidden node; there are a, b",
            Problem(BayesianNetworkTests.Options() with { Structure = new NetworkStructure([("b", ["weather"])]) }));
        Assert.Equal("structure: 'a' is its own ancestor; the graph must have no circle",
            Problem(BayesianNetworkTests.Options() with { Structure = new NetworkStructure([("b", ["a"]), ("a", ["b"])]) }));
        Assert.Equal("hidden: 'a' is a feature; a hidden node has a name that no feature has",
            Problem(BayesianNetworkTests.Options() with { Hidden = new HiddenNodes([("a", 2)]) }));
        Assert.Equal(
            "structure: the table of 'a' may have 1073741824 entries with max_levels 16; at most 1048576. Lower max_levels, or give the "
                + "node fewer parents",
            Problem(BayesianNetworkTests.Options() with
            {
                Hidden = new HiddenNodes([("h", 1024), ("i", 256), ("j", 256)]),
                Structure = new NetworkStructure([("a", ["h", "i", "j"])]),
            }));
        // Pairs of three hidden nodes share a child each: no table is large, all three together are.
        schema = new() { Features = ["a", "b", "c"] };
        Assert.Equal(
            "hidden: summing the hidden nodes out exactly takes tables of 2113664 entries; at most 1048576. Give the hidden nodes fewer "
                + "states, or fewer common children",
            Problem(BayesianNetworkTests.Options() with
            {
                Hidden = new HiddenNodes([("h", 128), ("i", 128), ("j", 128)]),
                Structure = new NetworkStructure([("a", ["h", "i"]), ("b", ["i", "j"]), ("c", ["h", "j"])]),
            }));
    }

    [Theory]
    [InlineData("""{"b":["a"],"a":[]}""", true)]
    [InlineData("{}", true)]
    [InlineData("""{"b":"a"}""", false)]
    [InlineData("""{"b":["a","a"]}""", false)]
    [InlineData("""{"b":["a"],"b":["c"]}""", false)]
    [InlineData("[1]", false)]
    [InlineData("b", false)]
    public void Structure_AsASetting_ReadsBackOrIsRefused(string text, bool isOne)
    {
        var kind = new NetworkStructureKind();
        Assert.Equal(isOne, kind.TryParse(text, out NetworkStructure? structure));
        if (isOne) Assert.Equal(text, kind.Format(structure!));
    }

    [Theory]
    [InlineData("""{"h":2}""", true)]
    [InlineData("""{"h":"3"}""", true)]
    [InlineData("""{"h":1}""", false)]
    [InlineData("""{"h":2000}""", false)]
    [InlineData("""{"h":2.5}""", false)]
    public void Hidden_AsASetting_ReadsBackOrIsRefused(string text, bool isOne)
    {
        var kind = new HiddenNodesKind();
        Assert.Equal(isOne, kind.TryParse(text, out HiddenNodes? hidden));
        if (isOne) Assert.Equal(text.Replace("\"3\"", "3", StringComparison.Ordinal), kind.Format(hidden!));
    }
}
