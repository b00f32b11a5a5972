namespace StreamEm.Worker.Tests.Configuration;

/// <summary>What a model for every key may be where several workers learn.</summary>
public sealed class SharedKeyRulesTests
{
    [Theory]
    [InlineData("")]
    [InlineData("keys_topic: boiler-machines, keys_every: 500, standby: true,")]
    public void Keys_OfAMixtureOfGaussians_MayBeShared(string scale) => Assert.Empty(ConfigFile.ProblemsOf(Yaml(scale)));

    [Fact]
    public void Scores_OfNoKeys_AreRefused() => Assert.Equal(2, ConfigFile.ProblemsOf(Yaml(""), ["models.0.per_key=false"])
        .Count(text => text.Contains("per_key: true", StringComparison.Ordinal)));

    [Theory]
    [InlineData("keys_topic: sensors,", "", "keys_topic and the source's topics have to be different topics")]
    [InlineData("keys_topic: a/b,", "", "keys_topic: 'a/b' is not a topic's name")]
    [InlineData("keys_every: 0,", "", "keys_every")]
    [InlineData("standby: true,", "per_key=false", "standby copies are of what is known of keys")]
    [InlineData("", "model.components={ max: 8 }", "give their number: a key's own mixture grows up to it")]
    [InlineData("", "model.type=poisson_mixture", "the mixture of a key is one of Gaussians that grows")]
    [InlineData("", "weight=size", "counts every record once: leave weight out")]
    [InlineData("", "key=null", "name the field of the key with 'key'")]
    public void Keys_OfSomethingElse_AreRefused(string scale, string change, string expected) => Assert.Contains(
        ConfigFile.ProblemsOf(Yaml(scale), change.Length == 0 ? [] : [$"models.0.{change}"]),
        text => text.Contains(expected, StringComparison.Ordinal));

    [Theory]
    [InlineData("hidden_markov, states: 3")]
    [InlineData("linear_gaussian_state_space, state_dimension: 2, sequences: { max_length: 100 }")]
    public void Sequences_OfKeys_MayBeShared(string model) =>
        Assert.True(Assert.Single(ConfigFile.OptionsOf(OfSequences(model)).Models).KeepsKeys);

    [Theory]
    [InlineData("hidden_markov, states: 3, sequences: whole", "", "set sequences: endless")]
    [InlineData("hidden_markov, states: 3, sequences: { lag: 5 }", "", "leave lag out")]
    [InlineData("hidden_markov, states: 3", "key=null", "one for every key, whose records are in one partition")]
    [InlineData("hidden_markov, states: 3", "scores=[{ stdout: {} }]", "leave scores out")]
    [InlineData("hidden_markov, states: 3", "alarms={ threshold: 0.001 }", "leave alarms out")]
    [InlineData("hidden_markov, states: 3", "learning.learn=bounded", "set learn: always")]
    [InlineData("hidden_markov, states: 3", "scale_out.keys_topic=sensors", "have to be different topics")]
    public void Sequences_ThatWaitOrAreScored_AreRefused(string model, string change, string expected) => Assert.Contains(
        ConfigFile.ProblemsOf(OfSequences(model), change.Length == 0 ? [] : [$"models.0.{change}"]),
        text => text.Contains(expected, StringComparison.Ordinal));

    private static string OfSequences(string model) => $$"""
        models:
          - id: boiler
            source: { kafka: { brokers: [localhost:9092], topics: [sensors] } }
            features: [temperature, pressure]
            key: kafka.key
            model: { type: {{model}} }
            learning: { learn: always, dead_components: keep }
            scale_out: { statistics_topic: boiler-statistics, model_topic: boiler-model }
        """;

    private static string Yaml(string scale) => $$"""
        models:
          - id: boiler
            source: { kafka: { brokers: [localhost:9092], topics: [sensors] } }
            features: [temperature, pressure]
            key: kafka.key
            per_key: true
            model: { type: gaussian_mixture, components: 4 }
            learning: { learn: always, dead_components: keep }
            alarms: { threshold: 0.001 }
            scores: [{ stdout: {} }]
            scale_out: { {{scale}} statistics_topic: boiler-statistics, model_topic: boiler-model }
        """;
}
