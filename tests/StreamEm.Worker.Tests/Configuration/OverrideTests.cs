using StreamEm.Core.Models.Mixtures;
using StreamEm.Sources.Files;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Tests.Configuration;

public sealed class OverrideTests
{
    [Theory]
    [InlineData("models.0.model.components=5")]
    [InlineData("models.boiler.model.components=5")]
    [InlineData("models.\"boiler\".\"model\".components= 5 ")]
    [InlineData("models.0.model={type: gaussian_mixture, components: 5}")]
    public void Path_ReachesTheValueByIndexIdOrQuotedName(string text) =>
        Assert.Equal(5, Assert.IsType<MixtureOptions>(ConfigFile.ModelWith(text).Model).Components);

    [Fact]
    public void Section_ThatIsNotThere_IsAdded() =>
        Assert.Equal(0.6, ConfigFile.ModelWith("models.boiler.learning.step_size.kappa=0.6").Learning.StepSize.Kappa);

    [Fact]
    public void Value_MayBeAList() => Assert.Equal(["a", "b"], ConfigFile.ModelWith("models.0.features=[a, b]").Schema.Features);

    [Fact]
    public void Value_MayBeNull() => Assert.Null(ConfigFile.ModelWith("models.0.label=x", "models.0.label=null").Schema.Label);

    [Fact]
    public void Value_MayHoldEqualSigns() =>
        Assert.Equal(["a=b.csv"],
            Assert.IsType<FileSourceOptions>(ConfigFile.ModelWith("models.0.source={file: {path: ['a=b.csv']}}").Source).Path);

    [Fact]
    public void IndexOnePastTheEnd_AddsAnItem() =>
        Assert.Equal("x",
            Assert.IsType<FilePublisherOptions>(Assert.Single(
                ConfigFile.ModelWith("models.0.publish=[]", "models.0.publish.0.file.path=x").Publish)).Path);

    [Fact]
    public void LastOverride_Wins() =>
        Assert.Equal(3,
            Assert.IsType<MixtureOptions>(
                ConfigFile.ModelWith("models.0.model.components=2", "models.0.model.components=3").Model).Components);

    [Fact]
    public void SegmentWithDots_IsQuoted()
    {
        ModelOptions model = ConfigFile.ModelWith(
            "models.0.source={kafka: {brokers: [b], topics: [t]}}", "models.0.source.kafka.properties.\"linger.ms\"=5");

        Assert.Equal("5", Assert.IsType<KafkaSourceOptions>(model.Source).Properties["linger.ms"]);
    }

    [Theory]
    [InlineData("models.boiler", "--set models.boiler: error: expected path=value, such as models.0.model.components=5")]
    [InlineData("=1", "--set : error: expected path=value, such as models.0.model.components=5")]
    [InlineData("a..b=1", "--set a..b: error: expected path=value, such as models.0.model.components=5")]
    [InlineData("a.\"b=1", "--set a.\"b: error: expected path=value, such as models.0.model.components=5")]
    [InlineData("models.2.id=x", "--set models.2.id: error: models has 1 items; index 2 does not exist")]
    [InlineData("models.boilre.id=x", "--set models.boilre.id: error: models has no item with id 'boilre'; did you mean 'boiler'?")]
    [InlineData("models.0.id.x=1", "--set models.0.id.x: error: models.0.id is 'boiler' and has no 'x'")]
    [InlineData("models.0.model.component=5",
        "--set models.0.model.component: error: unknown key 'component' in model; did you mean 'components'?")]
    [InlineData("models.0.model.components=many",
        "--set models.0.model.components: error: model.components is 'many'; expected an integer, in [1, 65536], or "
            + "{max: 32, birth_distance: 3, memory: forever}")]
    [InlineData("models.0.label=${NONE}",
        "--set models.0.label: error: variable NONE is not set; set it or give a default: ${NONE:default}")]
    public void BadOverride_IsAnErrorThatNamesIt(string text, string problem) =>
        Assert.Equal([problem], ConfigFile.ProblemsOf(ConfigFile.Minimal, [text]));

    [Fact]
    public void ValueThatIsNoYaml_IsAnErrorThatNamesTheOverride() =>
        Assert.StartsWith("--set models.0.features: error: not valid YAML: ",
            Assert.Single(ConfigFile.ProblemsOf(ConfigFile.Minimal, ["models.0.features=[a"])), StringComparison.Ordinal);
}
