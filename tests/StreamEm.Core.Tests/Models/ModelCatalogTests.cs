using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models;

public sealed class ModelCatalogTests
{
    public static TheoryData<string> Types => [.. ModelCatalog.Types];

    [Theory]
    [MemberData(nameof(Types))]
    public void Entry_MakesOptionsOfItsTypeThatMakeAModelOfItsType(string type)
    {
        LatentModelOptions options = ModelCatalog.Find(type)!.CreateOptions();
        // A mixture of mixed records has no families by default.
        const string emissions = """[{"gaussian": {"features": ["x0", "x2", "x3"]}}, {"bernoulli": {"features": ["x1"]}}]""";
        if (type == "mixture") options = options.Entry.Read(new Dictionary<string, string> { ["emissions"] = emissions });
        // Estimate and standard error are two; the others have to be said.
        if (type == "hierarchical_normal")
            options = options.Entry.Read(new Dictionary<string, string> { ["group"] = "x2", ["effects"] = "x3" });

        Assert.Equal(type, options.Type);
        LatentModel model = options.CreateLargest(RecordSchema.OfNumbers(4) with { Target = options.NeedsTarget ? "y" : null });
        Assert.Equal(type, model.Type);
        Assert.Same(ModelCatalog.Find(type), options.Entry);
        // A classifier has as many as its classes need, of which labels have named none yet.
        int components = options.NeedsLabel ? 2 : (model as ComponentModel)?.Components ?? 1;
        Assert.True(options.RowsToStart(2) >= components);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Defaults_FitTheirSettingsAndComeBackFromText(string type)
    {
        ModelEntry entry = ModelCatalog.Find(type)!;
        LatentModelOptions defaults = entry.CreateOptions();

        Assert.Equal(defaults, entry.Read(entry.Format(defaults)));
        Assert.Equal(entry.Settings.Select(setting => setting.Key).Order(StringComparer.Ordinal), defaults.Settings.Keys);
        Assert.All(entry.Settings, setting => Assert.Matches("^[a-z][a-z0-9_]*$", setting.Key));
    }

    [Fact]
    public void Read_TakesEverySettingOfAGaussianMixture()
    {
        var expected = Gaussians.Mixture(9, CovarianceType.Spherical, 0.25);

        Assert.Equal(expected, expected.Entry.Read(expected.Settings));
        Assert.Equal(("9", "spherical", "0.25"),
            (expected.Settings["components"], expected.Settings["covariance_type"], expected.Settings["reg_covar"]));
    }

    [Fact]
    public void Read_ValueThatDoesNotFit_NamesTheSettingAndWhatIsExpected()
    {
        var values = new Dictionary<string, string> { ["covariance_type"] = "round" };

        FormatException exception = Assert.Throws<FormatException>(() => ModelCatalog.Find("gaussian_mixture")!.Read(values));

        Assert.Equal("covariance_type is 'round'; expected one of full, tied, diag, spherical.", exception.Message);
    }

    [Fact]
    public void Find_UnknownType_IsNull() => Assert.Null(ModelCatalog.Find("gaussian"));

    [Theory]
    [InlineData(CovarianceType.Full, 18)]
    [InlineData(CovarianceType.Tied, 8)]
    [InlineData(CovarianceType.Diag, 6)]
    [InlineData(CovarianceType.Spherical, 6)]
    public void RowsToStart_GrowsWithTheFormOfTheCovariances(CovarianceType type, int rows) =>
        Assert.Equal(rows, Gaussians.Mixture(3, type).RowsToStart(5));
}
