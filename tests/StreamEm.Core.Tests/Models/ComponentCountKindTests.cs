using StreamEm.Core.Features;
using StreamEm.Core.Models.Mixtures;

namespace StreamEm.Core.Tests.Models;

public sealed class ComponentCountKindTests
{
    private static readonly ComponentCountKind Kind = new();

    [Theory]
    [InlineData("7", "7")]
    [InlineData("{\"max\":16}", "{\"max\":16,\"birth_distance\":3,\"memory\":\"forever\"}")]
    [InlineData("{\"birth_distance\":2.5,\"memory\":{\"half_life\":500}}",
        "{\"max\":32,\"birth_distance\":2.5,\"memory\":{\"half_life\":500}}")]
    public void TryParse_OfWhatMayBeWritten_HasOneCanonicalText(string written, string canonical)
    {
        Assert.True(Kind.TryParse(written, out ComponentCount? count));
        Assert.Equal(canonical, Kind.Format(count));
        Assert.True(Kind.TryParse(canonical, out ComponentCount? again));
        Assert.Equal(count, again);
    }

    [Theory]
    [InlineData("{\"max\":1}", "max is '1'")]
    [InlineData("{\"maximum\":8}", "unknown key 'maximum'; known keys: max, birth_distance, memory")]
    [InlineData("{\"memory\":\"short\"}", "memory is 'short'")]
    [InlineData("{\"memory\":{\"half_life\":0}}", "memory is")]
    [InlineData("{\"birth_distance\":0}", "birth_distance is '0'")]
    public void Problem_OfWhatMayNotBeWritten_SaysWhatIsExpected(string written, string problem) =>
        Assert.StartsWith(problem, Kind.Problem(written), StringComparison.Ordinal);

    [Fact]
    public void ProblemsWith_LabelsOrWeights_SaysThatAMixtureThatGrowsHasNoUseForThem()
    {
        var options = (MixtureOptions)Catalog.ModelCatalog.Find("gaussian_mixture")!.Read(
            new Dictionary<string, string> { ["components"] = "{\"max\":8}" });
        RecordSchema schema = RecordSchema.OfNumbers(2) with { Label = "state", Weight = "w" };

        Assert.Equal(2, options.ProblemsWith(schema).Count());
        Assert.Equal(8, options.Growth!.Max);
        Assert.Empty(options.ProblemsWith(RecordSchema.OfNumbers(2)));
    }
}
