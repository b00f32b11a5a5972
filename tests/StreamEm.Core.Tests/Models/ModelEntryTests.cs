using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Settings;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models;

public sealed class ModelEntryTests
{
    [Fact]
    public void Shorthand_OfAFamily_HasItsSettingsBesideTheComponents()
    {
        ModelEntry entry = MixtureOptions.Shorthand(GaussianOptions.Catalogued);
        Assert.Equal(("gaussian_mixture", "Mixture of " + GaussianOptions.Catalogued.Description), (entry.Type, entry.Description));
        Assert.Equal(["components", "covariance_type", "reg_covar", "prior", "label_noise", "fixed", "quantize"],
            entry.Settings.Select(setting => setting.Key));
        var options = (MixtureOptions)entry
            .Read(new Dictionary<string, string>(StringComparer.Ordinal) { ["covariance_type"] = "tied", ["of another model"] = "x" });
        Assert.Equal((4, CovarianceType.Tied, 1e-6), (options.Components, Inner(options).CovarianceType, Inner(options).RegCovar));
        Assert.Same(entry, options.Entry);
    }

    [Fact]
    public void NestedSetting_ReadsAndWritesTheRecordHeld()
    {
        ModelEntry entry = MixtureOptions.Shorthand(GaussianOptions.Catalogued);
        LatentModelOptions before = entry.CreateOptions();
        Setting setting = entry.Settings.Single(setting => setting.Key == "reg_covar");
        Assert.Equal("1E-06", setting.Format(before));
        Assert.True(setting.TryRead(before, "0.5", out object after));
        Assert.Equal(("0.5", "1E-06"), (setting.Format(after), setting.Format(before)));
        Assert.Equal(0.5, Inner(after).RegCovar);
        // Nothing else is changed.
        Assert.Equal(before.Settings.Where(item => item.Key != "reg_covar"),
            ((LatentModelOptions)after).Settings.Where(item => item.Key != "reg_covar"));
        Assert.False(setting.TryRead(before, "-1", out object same));
        Assert.Same(before, same);
        Setting inner = GaussianOptions.Catalogued.Settings.Single(item => item.Key == "covariance_type");
        Setting nested = entry.Settings.Single(item => item.Key == "covariance_type");
        Assert.Equal((inner.Expected, inner.Description), (nested.Expected, nested.Description));
        Assert.Equal(inner.Words, nested.Words);
    }

    [Fact]
    public void ProblemsWith_RolesAModelDoesNotHave_SayWhatToDo()
    {
        var schema = new RecordSchema { Features = ["a"], Target = "y" };
        LatentModelOptions mixture = Gaussians.Mixture(2);
        string problem = "gaussian_mixture does not use a target: leave target out, or add 'y' to features";
        Assert.Equal([problem], mixture.ProblemsWith(schema));
        Assert.StartsWith(problem, Assert.Throws<ArgumentException>(() => mixture.Plan(schema)).Message, StringComparison.Ordinal);
        Assert.Empty(mixture.ProblemsWith(schema with { Target = null }));
        Assert.Equal(
            ["random_walk learns a sequence per key: set key to the field that tells sequences apart"],
            RandomWalkOptions.Of(5).ProblemsWith(new RecordSchema { Features = ["a"] }));
        Assert.Empty(RandomWalkOptions.Of(5).ProblemsWith(new RecordSchema { Features = ["a"], Key = "k" }));
    }

    [Fact]
    public void ProblemsWith_FeaturesOfNoEmissionOrOfSeveral_NameThem()
    {
        MixtureOptions options = Hosts.Mixture(2, EmissionParts.Of(
        [
            new EmissionPart("gaussian", new GaussianOptions(), ["a", "b", "z"]),
            new EmissionPart("levels", new LevelsOptions(), ["b"]),
        ]));
        Assert.Equal(
            [
                "emissions: gaussian is over 'z', which is none of features: a, b, c",
                "emissions: feature 'b' is in 2 emissions (gaussian, levels); each feature belongs to one",
                "emissions: feature 'c' is in no emission; add it to one, or leave it out of features",
            ],
            options.ProblemsWith(new RecordSchema { Features = ["a", "b", "c"] }));
    }

    [Fact]
    public void Parts_OfMixedRecords_PlanAndMakeAProduct()
    {
        EmissionParts parts = EmissionParts.Of(
        [
            new EmissionPart("levels", new LevelsOptions { MaxLevels = 7 }, ["c"]),
            new EmissionPart("gaussian", new GaussianOptions(), ["b", "a"]),
        ]);
        MixtureOptions options = Hosts.Mixture(3, parts);
        FeatureSpace plan = options.Plan(new RecordSchema { Features = ["a", "b", "c"] });
        Assert.Equal([FeatureKind.Number, FeatureKind.Number, FeatureKind.Level], plan.Kinds);
        Assert.Equal((7, FeatureScaling.None), (plan.Features[2].MaxLevels, plan.Features[2].Scaling));
        LatentModel model = options.Create(plan.WithMostLevels());
        Assert.Equal("3, 1, 7", string.Join(", ", model.ParameterLayout["levels.probabilities"].Shape));
        Assert.Equal([0, 1], model.ParameterLayout["gaussian.means"].Features);
        // Full Gaussians over two features: three rows a component.
        Assert.Equal(9, options.RowsToStart(3));
        Assert.Throws<InvalidOperationException>(() => parts.Single);
    }

    private static GaussianOptions Inner(object options) => (GaussianOptions)((MixtureOptions)options).Emissions.Single;
}
