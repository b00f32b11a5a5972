namespace StreamEm.Worker.Tests.Configuration;

/// <summary>What keeps two models apart that several workers learn.</summary>
public sealed class SharedGroupRulesTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("group_id: one,", "group_id: two,")]
    [InlineData("group_id: one-reducers,", "group_id: one,")]
    public void Groups_OfTheirOwn_AreFine(string first, string second) => Assert.Empty(ConfigFile.ProblemsOf(Yaml(first, second)));

    [Theory]
    [InlineData("group_id: g,", "group_id: g,", "one consumer group, 'g'")]
    [InlineData("group_id: streamem-two,", "", "one consumer group, 'streamem-two'")]
    [InlineData("", "group_id: streamem-one,", "one consumer group, 'streamem-one'")]
    [InlineData("group_id: g,", "group_id: g-reducer,",
        "the workers of model 'two' would be in consumer group 'g-reducer', which chooses who folds model 'one'")]
    [InlineData("group_id: streamem-two-reducer,", "",
        "the workers of model 'one' would be in consumer group 'streamem-two-reducer', which chooses who folds model 'two'")]
    public void Groups_ThatTwoModelsShare_AreRefused(string first, string second, string expected)
    {
        string found = Assert.Single(ConfigFile.ProblemsOf(Yaml(first, second)));

        Assert.Contains(": error: ", found, StringComparison.Ordinal);
        Assert.Contains(expected, found, StringComparison.Ordinal);
        Assert.Contains("give one a scale_out.group_id of its own", found, StringComparison.Ordinal);
    }

    /// <summary>Copied with the source.</summary>
    [Fact]
    public void Groups_OfTheSources_AreRefusedThere()
    {
        string[] copied = ["models.0.source.kafka.group_id=g", "models.1.source.kafka.group_id=g"];

        Assert.Contains("one consumer group, 'g'", Assert.Single(ConfigFile.ProblemsOf(Yaml("", ""), copied)), StringComparison.Ordinal);
        Assert.Empty(ConfigFile.ProblemsOf(Yaml("", "group_id: two,"), copied));
        // Two clusters know nothing of each other.
        Assert.Empty(ConfigFile.ProblemsOf(Yaml("", ""), [.. copied, "models.1.source.kafka.brokers=[elsewhere:9092]"]));
        // Of one worker it is where offsets are reported.
        Assert.Empty(ConfigFile.ProblemsOf(Yaml("", ""), [.. copied, "models.1.scale_out=null"]));
    }

    [Theory]
    [InlineData("models.1.scale_out.model_topic=statistics-one",
        "topic 'statistics-one' is model_topic of model 'two' and statistics_topic of model 'one'")]
    [InlineData("models.1.scale_out.statistics_topic=rows", "statistics_topic, model_topic, keys_topic and the source's topics")]
    [InlineData("models.1.source.kafka.topics=[states]", "statistics_topic, model_topic, keys_topic and the source's topics")]
    [InlineData("models.1.source.kafka.topics=[statistics-one]",
        "topic 'statistics-one' is a source of model 'two' and statistics_topic of model 'one'")]
    public void Topics_ThatAreSomethingElseForAnother_AreRefused(string change, string expected) =>
        Assert.Contains(ConfigFile.ProblemsOf(Yaml("", ""), [change]), text =>
            text.Contains(": error: ", StringComparison.Ordinal) && text.Contains(expected, StringComparison.Ordinal));

    [Fact]
    public void Statistics_OfTwoModelsInOneTopic_AreWarnedOf() => Assert.Contains("warning: statistics_topic 'statistics-one' is that of "
        + "model 'one' too", Assert.Single(ConfigFile.ProblemsOf(Yaml("", ""), ["models.1.scale_out.statistics_topic=statistics-one"])),
        StringComparison.Ordinal);

    private static string Yaml(string first, string second) => $"models:\n{Model("one", first)}{Model("two", second)}";

    private static string Model(string id, string scale) => $$"""
          - id: {{id}}
            source: { kafka: { brokers: [localhost:9092], topics: [rows] } }
            features: [a, b]
            model: { type: gaussian_mixture, components: 2 }
            learning: { learn: always, dead_components: keep }
            scale_out: { {{scale}} statistics_topic: statistics-{{id}}, model_topic: states }

        """;
}
