
namespace StreamEm.Worker.Tests.Configuration;

public sealed class ConfigHashTests
{
    private static readonly string Minimal = ConfigFile.ModelWith().ConfigHash;

    [Fact]
    public void Hash_IsStableAcrossVersions()
    {
        Assert.Equal("sha256:d1fe32147f655a5743b46ae2e729808187786231fe3c7b2159471348ca57b268", Minimal);
        // That of 0.1.0, whose default it was.
        Assert.Equal("sha256:a113a0baa129e7af0ccae3e57ff9281d8cf11436a68fe393a267010549ab59b6",
            ConfigFile.ModelWith("models.0.learning.recursion=parameters").ConfigHash);
    }

    [Fact]
    public void OrderFormattingAndWrittenDefaults_DoNotChangeIt()
    {
        const string Same = """
            # the same, otherwise written
            models:
            - model:
                reg_covar: 0.000001
                covariance_type: "full"
                type: gaussian_mixture
                components: +4
              features:
                - temperature
                - 'pressure'
              learning: { standardize: true, step_size: { floor: 0.0, t0: 1.0, kappa: 7e-1 }, minibatch: { max_wait: 10s, size: 512 }, recursion: statistics }
              missing: allow
              label: ~
              source:
                http:
              id: boiler
            """;

        Assert.Equal(Minimal, Assert.Single(ConfigFile.OptionsOf(Same).Models).ConfigHash);
    }

    [Theory]
    [InlineData("id=other")]
    [InlineData("source={http: {}}")]
    [InlineData("source={file: {path: [/x.csv], follow: true}}")]
    [InlineData("source={file: {path: [/x.csv], separator: ';', decimal: ',', comment: '#', skip_lines: 2}}")]
    [InlineData("key=l")]
    [InlineData("timestamp=l")]
    [InlineData("timestamp_unit=us")]
    [InlineData("checkpoint={every_updates: 1, every: 1h, keep: 9}")]
    [InlineData("learning.learn=always")]
    [InlineData("publish=[file: {path: x}]")]
    [InlineData("rejected={file: x, stop_above_ratio: 1}")]
    public void WhatDoesNotShapeTheModel_DoesNotChangeIt(string text) =>
        Assert.Equal(Minimal, ConfigFile.ModelWith($"models.0.{text}").ConfigHash);

    [Theory]
    [InlineData("features=[pressure, temperature]")]
    [InlineData("features=[temperature]")]
    [InlineData("features=['temperature\n', pressure]")]
    [InlineData("label=l")]
    [InlineData("weight=l")]
    [InlineData("missing=reject")]
    [InlineData("missing_values=[x]")]
    [InlineData("model.components=5")]
    [InlineData("model.covariance_type=tied")]
    [InlineData("model.reg_covar=1.0000001e-6")]
    [InlineData("learning.recursion=parameters")]
    [InlineData("learning.step_size.kappa=0.7000000001")]
    [InlineData("learning.step_size.t0=2")]
    [InlineData("learning.step_size.floor=0.01")]
    [InlineData("learning.minibatch.size=513")]
    [InlineData("learning.minibatch.max_wait=1s")]
    [InlineData("learning.initialization.method=farthest_point")]
    [InlineData("learning.initialization.buffer=1537")]
    [InlineData("learning.initialization.n_init=4")]
    [InlineData("learning.initialization.seed=2")]
    [InlineData("learning.initialization.from=/no/start.json")]
    [InlineData("learning.standardize=false")]
    [InlineData("learning.dead_components=keep")]
    [InlineData("learning.anomaly_half_life=1e6")]
    public void EachKeyThatShapesTheModel_ChangesIt(string text) =>
        Assert.NotEqual(Minimal, ConfigFile.ModelWith($"models.0.{text}").ConfigHash);

    [Fact]
    public void KeyOfAModelOfSequences_ChangesIt()
    {
        const string Chain = "models.0.model={type: hidden_markov, states: 2, emission: {gaussian: {}}}";
        Assert.NotEqual(
            ConfigFile.ModelWith(Chain, "models.0.key=a").ConfigHash, ConfigFile.ModelWith(Chain, "models.0.key=b").ConfigHash);
    }

    [Fact]
    public void EveryChangeAbove_HasAHashOfItsOwn()
    {
        string[] hashes = [.. GetChanges().Select(change => ConfigFile.ModelWith($"models.0.{change}").ConfigHash)];

        Assert.Equal(hashes.Length, hashes.Distinct().Count());
    }

    [Fact]
    public void PathOfTheStart_DoesNotCountButThatThereIsOneDoes() => Assert.Equal(
        ConfigFile.ModelWith("models.0.learning.initialization.from=/no/a.json").ConfigHash,
        ConfigFile.ModelWith("models.0.learning.initialization.from=/no/b.json").ConfigHash);

    private static IEnumerable<string> GetChanges() => typeof(ConfigHashTests)
        .GetMethod(nameof(EachKeyThatShapesTheModel_ChangesIt))!
        .GetCustomAttributes(typeof(InlineDataAttribute), inherit: false)
        .Cast<InlineDataAttribute>()
        .Select(data => (string)data.Data[0]!);
}
