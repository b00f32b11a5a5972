using StreamEm.Core.Catalog;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;
using StreamEm.Worker.Commands;

namespace StreamEm.House.Tests.Approved;

/// <summary>Every model has a page of its name with its graph in plate notation, drawn from what the model says of itself.</summary>
public sealed class GraphTests
{
    /// <summary>Of a model that may be of anything, the configuration on its page whose graph is shown.</summary>
    private const string Configuration = """
        models:
          - id: machines
            source: { stdin: {} }
            features: [temperature, pressure, state, alarm, restarts]
            model:
              type: mixture
              components: 3
              emissions:
                - gaussian: { features: [temperature, pressure] }
                - categorical: { features: [state] }
                - bernoulli: { features: [alarm] }
                - poisson: { features: [restarts] }
        """;

    public static TheoryData<string> Models => [.. ModelCatalog.Types];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Graph_OfEveryModel_IsOnItsPage(string type)
    {
        using var folder = new TemporaryFolder();
        string drawn = Path.Combine(folder.Path, "graph.svg"), named = type;
        if (type == "mixture")
        {
            folder.Write("mixture.yaml", Configuration);
            named = Path.Combine(folder.Path, "mixture.yaml");
        }

        Assert.Equal(0, await Verbs.CreateRoot().Parse(["plot", named, "--graph", "--title", type, "-o", drawn]).InvokeAsync());
        Approval.VerifyFile($"docs/images/graphs/{type}.svg", $"docs/images/graphs/{type}.received.svg",
            await File.ReadAllTextAsync(drawn), svg => svg, await File.ReadAllTextAsync(drawn));
        string page = $"docs/models/{type.Replace('_', '-')}.md";
        Assert.True(File.Exists(Repository.PathOf(page)), $"{type} has no page {page}.");
        string text = Repository.Read(page);
        Assert.Contains($"(../images/graphs/{type}.svg)", text, StringComparison.Ordinal);
    }
}
