using StreamEm.Sources.Files;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Tests.Configuration;

/// <summary>What models have in common is written once; each says what is its own.</summary>
public sealed class ModelDefaultsTests
{
    private const string Fleet = """
        defaults:
          source: { file: { path: [data.csv], follow: true } }
          features: [x, y]
          model: { type: gaussian_mixture, components: 3, covariance_type: diag }
          learning:
            minibatch: { size: 64 }
            initialization: { seed: 7 }
          publish: [ { file: { path: "out/{id}.ndjson" } } ]
        models:
          - id: pumps
            where: kind == "pump"
          - id: fans
            where: kind == "fan"
            features: [z]
            model: { components: 5 }
            learning: { minibatch: { max_wait: 1s } }
          - id: other
            source: { stdin: {} }
            model: { type: poisson_mixture }
            publish: []
        """;

    [Fact]
    public void Models_TakeWhatTheyDoNotSay()
    {
        IReadOnlyList<ModelOptions> models = ConfigFile.OptionsOf(Fleet).Models;

        Assert.Equal(["x", "y"], models[0].Schema.Features);
        Assert.Equal(["kind == \"pump\"", "kind == \"fan\"", null], models.Select(model => model.Schema.Where?.ToString()));
        Assert.True(Assert.IsType<FileSourceOptions>(models[0].Source).Follow);
        Assert.Equal(["out/pumps.ndjson", "out/fans.ndjson"],
            models.Take(2).Select(model => Assert.IsType<FilePublisherOptions>(Assert.Single(model.Publish)).Path));
        Assert.Equal(64, models[0].Learning.MinibatchSize);
    }

    [Fact]
    public void Models_JoinMappingsKeyByKeyAndReplaceLists()
    {
        ModelOptions fans = ConfigFile.OptionsOf(Fleet).Models[1];

        Assert.Equal(["z"], fans.Schema.Features);
        Assert.Equal((64, TimeSpan.FromSeconds(1), 7UL), (fans.Learning.MinibatchSize, fans.MinibatchMaxWait,
            (ulong)fans.Learning.Initialization.Seed));
        Assert.Equal("diag", fans.Values["model.covariance_type"]);
        Assert.Equal("5", fans.Values["model.components"]);
    }

    [Fact]
    public void Model_WithAnotherSourceOrType_HasNothingOfTheDefaults()
    {
        ModelOptions other = ConfigFile.OptionsOf(Fleet).Models[2];

        Assert.IsType<StdinSourceOptions>(other.Source);
        Assert.Equal("poisson_mixture", other.Model.Type);
        Assert.Equal("4", other.Values["model.components"]);
        Assert.Empty(other.Publish);
    }

    [Fact]
    public void Hash_IsThatOfTheSameWrittenOut()
    {
        const string Written = """
            models:
              - id: pumps
                where: kind == 'pump'
                source: { http: {} }
                features: [x, y]
                model: { type: gaussian_mixture, components: 3, covariance_type: diag }
                learning: { minibatch: { size: 64 }, initialization: { seed: 7 } }
            """;

        Assert.Equal(ConfigFile.OptionsOf(Written).Models[0].ConfigHash, ConfigFile.OptionsOf(Fleet).Models[0].ConfigHash);
    }

    [Fact]
    public void Overrides_ReachDefaultsAndModels()
    {
        IReadOnlyList<ModelOptions> models =
            ConfigFile.OptionsOf(Fleet, ["defaults.model.components=9", "models.pumps.learning.minibatch.size=32"]).Models;

        Assert.Equal(["9", "5", "4"], models.Select(model => model.Values["model.components"]));
        Assert.Equal(32, models[0].Learning.MinibatchSize);
        Assert.Equal("7", models[0].Values["learning.initialization.seed"]);
    }

    [Fact]
    public void Mistakes_AreToldOnceWhereTheyAreWritten()
    {
        const string Yaml = """
            defaults:
              id: x
              source: { stdin: {} }
              features: [a]
              modl: 1
              model: { type: gaussian_mixture, components: many }
            models:
              - id: one
              - id: two
                source: { http: {} }
            """;

        string[] problems = ConfigFile.ProblemsOf(Yaml);

        Assert.Equal(3, problems.Length);
        Assert.Equal("streamem.yaml:2:3: error: 'id' in defaults: every model has its own; write it in the models", problems[0]);
        Assert.Equal("streamem.yaml:5:3: error: unknown key 'modl' in defaults; did you mean 'model'?", problems[1]);
        Assert.StartsWith(
            "streamem.yaml:6:48: error: model.components is 'many'; expected an integer", problems[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("defaults: [a]", "defaults is a list; expected a mapping of what the models have in common")]
    [InlineData("defaults: x", "defaults is 'x'; expected a mapping of what the models have in common")]
    public void Defaults_ThatAreNoMapping_AreRefused(string line, string message) => Assert.Contains(message,
        ConfigFile.ProblemsOf($"{ConfigFile.Minimal}\n{line}\n")[0], StringComparison.Ordinal);

    [Theory]
    [InlineData("defaults:")]
    [InlineData("defaults: {}")]
    public void Defaults_ThatAreEmpty_ChangeNothing(string line) => Assert.Equal(ConfigFile.ModelWith().ConfigHash,
        Assert.Single(ConfigFile.OptionsOf($"{ConfigFile.Minimal}\n{line}\n").Models).ConfigHash);
}
