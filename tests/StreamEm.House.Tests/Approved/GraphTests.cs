using StreamEm.Core.Catalog;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;
using StreamEm.Worker.Commands;

namespace StreamEm.House.Tests.Approved;

/// <summary>
/// Models have a page of their name with their graph in plate notation, drawn from what they say of themselves: all over families of
/// components, and any other whose page shows one.
/// </summary>
public sealed class GraphTests
{
    /// <summary>Of models that may be of anything, a configuration whose graph is shown.</summary>
    private static readonly Dictionary<string, string> Configurations = new(StringComparer.Ordinal)
    {
        ["mixture"] = """
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
            """,
        ["hierarchical_normal"] = """
            models:
              - id: schools
                source: { stdin: {} }
                features: [effect, standard_error]
                model: { type: hierarchical_normal }
            """,
        ["bayesian_network"] = """
            models:
              - id: lawn
                source: { stdin: {} }
                features: [rain, sprinkler, wet]
                model:
                  type: bayesian_network
                  nodes:
                    rain: { levels: 2 }
                    sprinkler: { levels: 2, parents: [rain] }
                    wet: { levels: 2, parents: [sprinkler, rain] }
            """,
    };

    public static TheoryData<string> Models => [.. ModelCatalog.Types.Where(type =>
        IsOverFamilies(type) || (File.Exists(Repository.PathOf(PageOf(type))) && IsShown(type)))];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Graph_OfEveryModel_IsOnItsPage(string type)
    {
        using var folder = new TemporaryFolder();
        string drawn = Path.Combine(folder.Path, "graph.svg"), named = type;
        if (Configurations.TryGetValue(type, out string? configuration))
        {
            folder.Write("model.yaml", configuration);
            named = Path.Combine(folder.Path, "model.yaml");
        }

        Assert.Equal(0, await Verbs.CreateRoot().Parse(["plot", named, "--graph", "--title", type, "-o", drawn]).InvokeAsync());
        Approval.VerifyFile($"docs/images/graphs/{type}.svg", $"docs/images/graphs/{type}.received.svg",
            await File.ReadAllTextAsync(drawn), svg => svg, await File.ReadAllTextAsync(drawn));
        string page = PageOf(type);
        Assert.True(File.Exists(Repository.PathOf(page)), $"{type} has no page {page}.");
        string text = Repository.Read(page);
        Assert.Contains($"(../images/graphs/{type}.svg)", text, StringComparison.Ordinal);
    }

    private static bool IsOverFamilies(string type) =>
        type.Contains("mixture", StringComparison.Ordinal) && !type.StartsWith("variational", StringComparison.Ordinal)
            && !type.EndsWith("experts", StringComparison.Ordinal);

    private static bool IsShown(string type) =>
        Repository.Read(PageOf(type)).Contains($"(../images/graphs/{type}.svg)", StringComparison.Ordinal);

    private static string PageOf(string type) => $"docs/models/{type.Replace('_', '-')}.md";
}
