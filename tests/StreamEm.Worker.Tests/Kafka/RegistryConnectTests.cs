using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary><c>validate --connect</c> of topics whose schemas a registry has.</summary>
public sealed class RegistryConnectTests(KafkaBroker broker) : IDisposable
{
    private const string Pair = """
        {"type":"record","name":"R","fields":[{"name":"x","type":"double"},{"name":"y","type":"double"}]}
        """;

    private readonly TemporaryDirectory _directory = new();
    private readonly StandInRegistry _registry = new();

    public void Dispose()
    {
        _registry.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Connect_WhoseNewestSchemaHasAllFields_IsWell()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        int schema = _registry.Register($"{topic}-value", Pair);
        byte[] value = StandInRegistry.Message(schema, [.. BitConverter.GetBytes(1.5), .. BitConverter.GetBytes(2.5)]);
        broker.Produce(topic, 0, [new Message<byte[]?, byte[]?> { Value = value }, new Message<byte[]?, byte[]?> { Value = value }]);

        CommandRun run = await Validate($"[{topic}]", "[x, y]");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains($"  ok      pairs: schema registry: schema {schema} of subject '{topic}-value' has all the fields\n", run.Output,
            StringComparison.Ordinal);
        Assert.Contains("  ok      pairs: source: of the first 2 records 2 can be used\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_WhoseNewestSchemasLackFields_NamesEachOfEachTopic()
    {
        string one = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        string two = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        int older = _registry.Register($"{one}-value", Pair.Replace("\"y\"", "\"heat\"", StringComparison.Ordinal));
        int first = _registry.Register($"{one}-value", Pair);
        int second = _registry.Register($"{two}-value", Pair.Replace("x", "z", StringComparison.Ordinal));
        Assert.NotEqual(older, first);

        CommandRun run = await Validate($"[{one}, {two}]", "[x, heat, Y]");

        Assert.Equal(ExitCode.Configuration, run.ExitCode);
        Assert.Contains($"  FAILED  pairs: schema registry: Schema {first}, the newest of subject '{one}-value', has no field 'heat'; "
            + "no field 'Y'; did you mean 'y'?; its fields are: x, y. "
            + $"Schema {second}, the newest of subject '{two}-value', has no field 'x'", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, null, ExitCode.Unavailable, "The schema registry cannot be asked: ", " answers 503 to subjects/")]
    [InlineData(false, "Basic other", ExitCode.Denied, "refuses access (401)", "")]
    public async Task Connect_WhoseRegistryDoesNotAnswer_SaysSoAtOnce(bool isAway, string? wanted, int code, string said, string more)
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        (_registry.IsAway, _registry.Authorization) = (isAway, wanted);

        CommandRun run = await Validate($"[{topic}]", "[x, y]");

        Assert.Equal(code, run.ExitCode);
        string line = Assert.Single(run.Output.Split('\n'), line => line.StartsWith("  FAILED", StringComparison.Ordinal));
        Assert.StartsWith("  FAILED  pairs: schema registry: ", line, StringComparison.Ordinal);
        Assert.Contains(said, line, StringComparison.Ordinal);
        Assert.Contains(more, line, StringComparison.Ordinal);
        Assert.DoesNotContain("Trying again", line, StringComparison.Ordinal);
        Assert.Single(_registry.Asked);
        Assert.Contains("  ok      pairs: source: reachable; no record is there yet\n", run.Output, StringComparison.Ordinal);
    }

    private Task<CommandRun> Validate(string topics, string features)
    {
        File.WriteAllText(_directory["streamem.yaml"], $$"""
            http: { address: "127.0.0.1:0" }
            state_directory: '{{_directory["state"]}}'
            models:
              - id: pairs
                source:
                  kafka:
                    brokers: [{{string.Join(", ", broker.Address.Split(',').Select(address => $"'{address}'"))}}]
                    topics: {{topics}}
                    format: avro
                    schema_registry: { url: ['{{_registry.Url}}'] }
                features: {{features}}
                model: { type: gaussian_mixture, components: 2 }
            """);
        return CommandRun.Of(Verbs.CreateRoot(), ["validate", "-c", _directory["streamem.yaml"], "--connect"]);
    }
}
