using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Networks;

namespace StreamEm.Core.Tests.Models.Networks;

/// <summary>Graphs as a user writes them.</summary>
public sealed class NetworkNodesTests
{
    [Fact]
    public void Problems_OfGraphs_AreTold()
    {
        RecordSchema schema = new() { Features = ["a", "b"] };
        string Problem((string, int)[] hidden, params (string, IReadOnlyList<string>)[] parents) => Assert.Single(
            (BayesianNetworkTests.Options() with { Nodes = BayesianNetworkTests.Nodes(hidden, parents) }).ProblemsWith(schema));

        Assert.Empty((BayesianNetworkTests.Options() with { Nodes = BayesianNetworkTests.Nodes([], ("b", ["a"])) }).ProblemsWith(schema));
        Assert.Equal("nodes: 'weather', a parent of 'b', is neither a feature nor a hidden node; there are a, b",
            Problem([], ("b", ["weather"])));
        Assert.Equal("nodes: 'a' is its own ancestor; the graph must have no circle", Problem([], ("b", ["a"]), ("a", ["b"])));
        Assert.StartsWith("nodes: 'aa' is none of the features; a hidden node needs levels, a number or a list",
            Problem([], ("aa", ["a"])), StringComparison.Ordinal);
        Assert.Equal(
            "nodes: the table of 'a' may have 1073741824 entries with max_levels 16; at most 1048576. Lower max_levels, or give the "
                + "node fewer parents", Problem([("h", 1024), ("i", 256), ("j", 256)], ("a", ["h", "i", "j"])));
        // Pairs of three hidden nodes share a child each: no table is large, all three together are.
        schema = new() { Features = ["a", "b", "c"] };
        Assert.Equal(
            "nodes: summing the hidden nodes out exactly takes tables of 2113664 entries; at most 1048576. Give the hidden nodes fewer "
                + "levels, or fewer common children",
            Problem([("h", 128), ("i", 128), ("j", 128)], ("a", ["h", "i"]), ("b", ["i", "j"]), ("c", ["h", "j"])));
    }

    [Theory]
    [InlineData("""{"b":{"parents":["a"]},"a":{}}""", true)]
    [InlineData("""{"h":{"levels":3,"parents":["a"]},"b":{"levels":["no","yes"]}}""", true)]
    [InlineData("{}", true)]
    [InlineData("""{"b":["a"]}""", false)]
    [InlineData("""{"b":{"parents":"a"}}""", false)]
    [InlineData("""{"b":{"parents":["a","a"]}}""", false)]
    [InlineData("""{"b":{"parent":["a"]}}""", false)]
    [InlineData("""{"b":{},"b":{}}""", false)]
    [InlineData("""{"h":{"levels":1}}""", false)]
    [InlineData("""{"h":{"levels":2000}}""", false)]
    [InlineData("""{"h":{"levels":2.5}}""", false)]
    [InlineData("""{"h":{"levels":["a"]}}""", false)]
    [InlineData("""{"h":{"levels":["a","a"]}}""", false)]
    [InlineData("[1]", false)]
    [InlineData("b", false)]
    public void Nodes_AsASetting_ReadBackOrAreRefused(string text, bool isOne)
    {
        var kind = new NetworkNodesKind();
        Assert.Equal(isOne, kind.TryParse(text, out NetworkNodes? nodes));
        if (isOne) Assert.Equal(text, kind.Format(nodes!));
    }

    [Theory]
    [InlineData("""{"a":{"levels":2}}""", new[] { "0", "1" })]
    [InlineData("""{"a":{"levels":[2,1,0]}}""", new[] { "2", "1", "0" })]
    [InlineData("""{"a":{"levels":["hi","lo"]}}""", new[] { "hi", "lo" })]
    public void Levels_ThatAreGiven_AreThoseOfTheFeatureInTheirOrder(string text, string[] levels)
    {
        Assert.True(new NetworkNodesKind().TryParse(text, out NetworkNodes? nodes));
        FeatureSpace space = (BayesianNetworkTests.Options() with { Nodes = nodes }).Plan(new RecordSchema { Features = ["a", "b"] });
        Assert.Equal(levels, space.Features[0].Levels);
        Assert.Empty(space.Features[1].Levels);
    }

    [Fact]
    public void Fixed_ATable_StaysWhatItIs()
    {
        BayesianNetworkOptions options = BayesianNetworkTests.Options() with
        {
            Fixed = new BlockNames(["probabilities.a"]),
            Nodes = BayesianNetworkTests.Nodes([("a", 2), ("b", 2)]),
        };
        LatentModel model = options.Create(options.Plan(new RecordSchema { Features = ["a", "b"] }));
        double[] next = new double[4];
        model.Maximize([0.9, 0.1, 0.9, 0.1], 100, [0.5, 0.5, 0.5, 0.5], next, new ModelEvents());
        Assert.Equal([0.5, 0.5], next[..2]);
        Assert.True(next[2] > 0.8);
    }
}
