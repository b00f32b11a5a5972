using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using StreamEm.Core.Catalog;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;
using YamlDotNet.Serialization;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>An editor that is given the schema marks what the reader would refuse, and nothing that it takes.</summary>
public sealed class SchemaCommandTests
{
    private static readonly Lazy<JsonSchema> Printed = new(() =>
    {
        using var output = new StringWriter();
        int code = Cli.RunAsync(Verbs.CreateRoot(), ["schema"], output, TextWriter.Null).GetAwaiter().GetResult();
        Assert.Equal(ExitCode.Ok, code);
        return JsonSchema.FromText(output.ToString());
    });

    public static TheoryData<string> Samples =>
        [.. new[] { "samples", "deploy" }.SelectMany(folder => Directory.GetFiles(Path.Combine(Root(), folder), "*.yaml"))
            .Where(file => !Path.GetFileName(file).StartsWith("compose.", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Root(), file))];

    public static TheoryData<string> Types => [.. ModelCatalog.Types];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Schema_OfASample_MarksNothing(string file) => Assert.Empty(Marked(File.ReadAllText(Path.Combine(Root(), file))));

    [Theory]
    [MemberData(nameof(Types))]
    public void Schema_OfEveryModelWithEveryDefaultWritten_MarksNothing(string type)
    {
        object options = ModelCatalog.Find(type)!.CreateOptions();
        IEnumerable<string> settings = ModelCatalog.Find(type)!.Settings.Where(setting => setting.Format(options).Length > 0)
            .Select(setting => $"{setting.Key}: {setting.Format(options)}");

        Assert.Empty(Marked($"models: [ {{ id: a, source: {{ http: {{}} }}, features: [x], "
            + $"model: {{ type: {type}, {string.Join(", ", settings)} }} }} ]"));
    }

    [Theory]
    [InlineData("modles: []")]
    [InlineData("models: [ { id: a } ]")]
    [InlineData("models: [ { id: a, source: { http: {} }, features: [x], model: { type: gaussian_mixtur } } ]")]
    [InlineData("models: [ { id: a, source: { http: {} }, features: [x], model: { type: gaussian_mixture, states: 3 } } ]")]
    [InlineData("models: [ { id: a, source: { http: {} }, features: [x], model: { type: gaussian_mixture, components: many } } ]")]
    [InlineData("models: [ { id: a, source: { http: {}, stdin: {} }, features: [x], model: { type: gaussian_mixture } } ]")]
    [InlineData("models: [ { id: a, source: { file: { follow: true } }, features: [x], model: { type: gaussian_mixture } } ]")]
    [InlineData(
        "models: [ { id: a, source: { http: {} }, features: [x], model: { type: gaussian_mixture }, learning: { recursion: both } } ]")]
    [InlineData("defaults: { features: [x] }\nmodels: [ { source: { http: {} }, model: { type: gaussian_mixture } } ]")]
    [InlineData("defaults: { id: a }\nmodels: [ { id: a } ]")]
    [InlineData("defaults: { source: { http: {}, stdin: {} } }\nmodels: [ { id: a } ]")]
    [InlineData("models: [ { id: a, source: { http: {} }, features: [x], model: { type: gaussian_mixture }, where: [x] } ]")]
    public void Schema_OfWhatCannotBeRead_MarksIt(string yaml) => Assert.NotEmpty(Marked(yaml));

    [Fact]
    public void Schema_Variables_MayStandForAnyValue() => Assert.Empty(Marked(
        """
        serve: ${SERVE}
        models:
          - id: ${ID}
            source: { file: { path: [x.csv], follow: "${FOLLOW:true}" } }
            features: [x]
            model: { type: gaussian_mixture, components: "${K:4}", covariance_type: "${FORM:full}" }
            checkpoint:
        """));

    [Fact]
    public void Schema_OfModelsWithDefaults_AsksThemForTheirIdAlone() => Assert.Empty(Marked(
        """
        defaults:
          source: { file: { path: [x.csv] } }
          features: [x]
          model: { type: gaussian_mixture, components: 3 }
        models:
          - id: a
            where: kind == "pump" and x > 0
          - id: b
            model: { components: 2 }
        """));

    [Fact]
    public void SampleOfEveryKey_HasThemAll()
    {
        string sample = File.ReadAllText(Path.Combine(Root(), "samples", "streamem.yaml"));

        Assert.All(Keys(ConfigurationLoader.Schema()).Distinct(), key => Assert.Contains($"{key}:", sample, StringComparison.Ordinal));
    }

    /// <summary>The keys of a schema but for those that depend on the model's type.</summary>
    private static IEnumerable<string> Keys(JsonNode? schema) => schema switch
    {
        JsonObject mapping => mapping.Where(entry => entry.Key != "allOf").SelectMany(entry => entry is ("properties", JsonObject inner)
            ? inner.SelectMany(property => Keys(property.Value).Prepend(property.Key))
            : Keys(entry.Value)),
        JsonArray list => list.SelectMany(Keys),
        _ => [],
    };

    private static List<string> Marked(string yaml)
    {
        object? document = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(yaml);
        string json = new SerializerBuilder().JsonCompatible().Build().Serialize(document);
        EvaluationResults results = Printed.Value.Evaluate(
            JsonSerializer.SerializeToElement(JsonNode.Parse(json)), new EvaluationOptions { OutputFormat = OutputFormat.List });
        if (results.IsValid) return [];
        return [.. (results.Details ?? []).Append(results).Where(detail => detail.Errors is not null)
            .SelectMany(detail => detail.Errors!.Select(error => $"{detail.InstanceLocation}: {error.Value}")).DefaultIfEmpty("not valid")];
    }

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "StreamEm.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
