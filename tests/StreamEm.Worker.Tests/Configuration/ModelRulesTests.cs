using StreamEm.Core.Catalog;
using StreamEm.Core.Models;

namespace StreamEm.Worker.Tests.Configuration;

/// <summary>What a model cannot be made of is said at the line it is written on.</summary>
public sealed class ModelRulesTests
{
    private const string Mixture = """
        models:
          - id: boiler
            source: { stdin: {} }
            features: [a, b]
            model:
              type: mixture
              components: 3
              emissions:
        """;

    private static readonly string Families = string.Join(", ", ModelCatalog.Emissions.Select(family => family.Type));

    private static string Markov => ConfigFile.Minimal.Replace("gaussian_mixture", "hidden_markov", StringComparison.Ordinal);

    [Fact]
    public void TargetThatNoModelUses_IsRefused() => Assert.Equal(
        ["streamem.yaml:5:12: error: gaussian_mixture does not use a target: leave target out, or add 'y' to features"],
        ConfigFile.ProblemsOf(ConfigFile.Minimal + "\n    target: y\n"));

    [Theory]
    [InlineData("[{ gausian: { features: [a] } }, { categorical: { features: [b] } }]",
        "8:18: error: model.emissions: [0] 'gausian' is no family; there are {0}; did you mean 'gaussian'?")]
    [InlineData("[{ gaussian: { features: [a] } }, { catgorical: { features: [b] } }]",
        "8:18: error: model.emissions: [1] 'catgorical' is no family; there are {0}; did you mean 'categorical'?")]
    [InlineData("[{ gaussian: { features: [a, b] } }, { categorical: { features: [b] } }]",
        "6:7: error: emissions: feature 'b' is in 2 emissions (gaussian, categorical); each feature belongs to one")]
    [InlineData("[{ gaussian: { features: [a] } }, { gaussian: { features: [a, b] } }]",
        "6:7: error: emissions: feature 'a' is in 2 emissions (gaussian, gaussian_2); each feature belongs to one")]
    [InlineData("[{ gaussian: { features: [a] } }]",
        "6:7: error: emissions: feature 'b' is in no emission; add it to one, or leave it out of features")]
    [InlineData("[{ gaussian: { features: [a, c] } }, { categorical: { features: [b] } }]",
        "6:7: error: emissions: gaussian is over 'c', which is none of features: a, b")]
    [InlineData("[{ gaussian: { features: [a], covarance_type: diag } }]",
        "8:18: error: model.emissions: unknown key 'covarance_type' in [0] gaussian; known keys: features, fixed, "
            + "covariance_type, reg_covar, prior; did you mean 'covariance_type'?")]
    [InlineData("[{ gaussian: { features: [a], covariance_type: diagg } }]",
        "8:18: error: model.emissions: [0] gaussian.covariance_type is 'diagg'; expected one of full, tied, diag, spherical; did you mean "
            + "'diag'?")]
    [InlineData("[{ categorical: { features: [a], max_levels: 1 } }]",
        "8:18: error: model.emissions: [0] categorical.max_levels is '1'; expected an integer, in [2, 65536]")]
    [InlineData("[{ gaussian: { features: a } }]", "8:18: error: model.emissions: [0] gaussian.features is no list of names")]
    [InlineData("[{ gaussian: {}, categorical: {} }]",
        "8:18: error: model.emissions: [0] is no single family; expected one of {0} with its settings")]
    [InlineData("[]", "8:18: error: model.emissions: it is no list of families; expected at least one")]
    [InlineData("gaussian", "8:18: error: model.emissions: it is no list of families; expected at least one")]
    public void EmissionsThatCannotBe_AreAnErrorWithItsLine(string emissions, string problem) =>
        Assert.Contains($"streamem.yaml:{string.Format(System.Globalization.CultureInfo.InvariantCulture, problem, Families)}",
            ConfigFile.ProblemsOf($"{Mixture} {emissions}\n"));

    [Theory]
    [InlineData("model.fixed=[weight]",
        "--set models.0.model.fixed: error: fixed: gaussian_mixture has no block 'weight'; it has weights [4], means [4, 2], covariances "
            + "[4, 2, 2]")]
    [InlineData("learning.responsibilities=softt",
        "--set models.0.learning.responsibilities: error: learning.responsibilities: expected soft, hard, {annealed: {start: 0.3, updates: "
            + "200}} or {sparse: {active: 8, refresh: 20}}; did you mean 'soft'?")]
    [InlineData("learning.responsibilities={annealed: {start: 0}}",
        "--set models.0.learning.responsibilities: error: learning.responsibilities: annealed.start is '0'; expected a number, in (0, 1]")]
    [InlineData("learning.responsibilities={hard: {start: 1}}",
        "--set models.0.learning.responsibilities: error: learning.responsibilities: hard takes no 'start'")]
    [InlineData("model.label_noise=learned",
        "streamem.yaml:5:12: error: label_noise: there are no labels; set label to the field that holds them")]
    public void SettingOfTheMixtureThatCannotBe_IsAnErrorThatNamesIt(string text, string problem) =>
        Assert.Equal([problem], ConfigFile.ProblemsOf(ConfigFile.Minimal, [$"models.0.{text}"]));

    [Theory]
    [InlineData("hard")]
    [InlineData("annealed")]
    [InlineData("{sparse: {active: 1, refresh: 5}}")]
    public void ResponsibilitiesOfAChain_MayBeOfAnyRule(string rule) =>
        Assert.Empty(ConfigFile.ProblemsOf(Markov, [$"models.0.learning.responsibilities={rule}"]));

    [Fact]
    public void ResponsibilitiesOfNoComponents_AreSoft() => Assert.Contains(
        "--set models.0.learning.responsibilities: error: ppca has no responsibilities that could be hard; leave it out",
        ConfigFile.ProblemsOf(
            ConfigFile.Minimal.Replace("model: { type: gaussian_mixture }", "model: { type: ppca, factors: 1 }", StringComparison.Ordinal),
            ["models.0.learning.responsibilities=hard"]));

    [Theory]
    [InlineData("soft", "soft")]
    [InlineData("hard", "hard")]
    [InlineData("annealed", "{\"annealed\":{\"start\":0.3,\"updates\":200}}")]
    [InlineData("{annealed: {start: 0.1}}", "{\"annealed\":{\"start\":0.1,\"updates\":200}}")]
    [InlineData("{sparse: {active: 3, refresh: 5}}", "{\"sparse\":{\"active\":3,\"refresh\":5}}")]
    public void Responsibilities_AsWritten_AreTaken(string text, string canonical) => Assert.Equal(canonical,
        ConfigFile.ModelWith($"models.0.learning.responsibilities={text}").Values["learning.responsibilities"]);

    [Fact]
    public void EmissionsMissing_MeanOneGaussianOverAllFeatures() =>
        Assert.Empty(ConfigFile.ProblemsOf(ConfigFile.Minimal.Replace("gaussian_mixture", "mixture", StringComparison.Ordinal)));

    [Fact]
    public void EmissionsThatFit_AreNoProblem() =>
        Assert.Empty(ConfigFile.ProblemsOf(
            $"{Mixture} [{{ gaussian: {{ features: [b], covariance_type: diag }} }}, {{ categorical: {{ features: [a] }} }}]\n"));

    [Theory]
    [InlineData("model: { type: hidden_markov, max_keys: 100 }",
        "streamem.yaml:5:45: error: max_keys 100 is smaller than minibatch.size 512: a minibatch may hold more keys than can be "
            + "remembered; use at least 512")]
    [InlineData("model: { type: hidden_markov, max_keys: 511 }",
        "streamem.yaml:5:45: error: max_keys 511 is smaller than minibatch.size 512: a minibatch may hold more keys than can be "
            + "remembered; use at least 512")]
    public void FewerKeysThanAMinibatchMayHold_AreRefused(string model, string problem) =>
        Assert.Equal([problem],
            ConfigFile.ProblemsOf(ConfigFile.Minimal.Replace("model: { type: gaussian_mixture }", model, StringComparison.Ordinal)));

    [Fact]
    public void AsManyKeysAsAMinibatchMayHold_AreEnough() => Assert.Empty(ConfigFile.ProblemsOf(Markov, ["models.0.model.max_keys=512"]));

    [Theory]
    [InlineData("models.0.model.emission={bernoulli: {}}", "{\"bernoulli\":{}}")]
    [InlineData("models.0.model.emission=categorical", "{\"categorical\":{}}")]
    [InlineData("models.0.model.emission={categorical: {max_levels: 8}}", "{\"categorical\":{\"max_levels\":\"8\"}}")]
    [InlineData("models.0.model.emission.gaussian.covariance_type=diag", "{\"gaussian\":{\"covariance_type\":\"diag\"}}")]
    public void EmissionByOverride_IsTaken(string text, string emission)
    {
        LatentModelOptions model = Assert.Single(ConfigFile.OptionsOf(Markov, [text]).Models).Model;

        Assert.Equal(emission, model.Settings["emission"]);
    }

    [Theory]
    [InlineData("models.0.model.emission={bernouli: {}}",
        "--set models.0.model.emission: error: model.emission: 'bernouli' is no family; there are {0}, mixture; did you mean 'bernoulli'?")]
    [InlineData("models.0.model.emission={gaussian: {features: [temperature]}}",
        "--set models.0.model.emission: error: model.emission: features cannot be given here: one family is over all of them. Use "
            + "emissions for several")]
    [InlineData("models.0.model.emission={gaussian: {reg_covar: many}}",
        "--set models.0.model.emission: error: model.emission: gaussian.reg_covar is 'many'; expected {1}")]
    public void EmissionByOverrideThatCannotBe_IsAnErrorThatNamesIt(string text, string problem)
    {
        string expected = ModelCatalog.Emissions[0].Settings.First(setting => setting.Key == "reg_covar").Expected;

        Assert.Equal([string.Format(System.Globalization.CultureInfo.InvariantCulture, problem, Families, expected)],
            ConfigFile.ProblemsOf(Markov, [text]));
    }

    [Theory]
    [InlineData("{ type: gaussian_mixtur, componets: 3, covariance_type: full }",
        "model.type is 'gaussian_mixtur'", "unknown key 'componets' in model; did you mean 'components'?")]
    [InlineData("{ componets: 3 }", "missing key 'type' in model", "unknown key 'componets' in model")]
    public void MisspeltType_HidesNoOtherMistake(string model, params string[] expected)
    {
        string problems = string.Join('\n', ConfigFile.ProblemsOf(
            ConfigFile.Minimal.Replace("{ type: gaussian_mixture }", model, StringComparison.Ordinal)));
        foreach (string problem in expected) Assert.Contains(problem, problems, StringComparison.Ordinal);
        Assert.DoesNotContain("'covariance_type'", problems, StringComparison.Ordinal);
    }
}
