using System.Globalization;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary><c>validate --connect</c> of a model that several workers learn.</summary>
public sealed class ScaleOutConnectTests(KafkaBroker broker) : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Connect_WithTransactions_TriesOne()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(2);

        CommandRun run = await Validate(broker.Address, topic, $"{topic}-statistics", "{}");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains($"  ok      clouds: scale_out: topic '{topic}-statistics' does not exist; the worker creates it\n", run.Output,
            StringComparison.Ordinal);
        Assert.Contains("  ok      clouds: scale_out.transactions: the brokers have transactions, and the user may make some as "
            + "streamem-clouds-worker-validate\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_StatisticsOfSeveralPartitions_AreRefused()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(2), statistics = await broker.CreateTopicAsync(2);

        CommandRun run = await Validate(broker.Address, topic, statistics, "{}");

        Assert.Equal(ExitCode.Configuration, run.ExitCode);
        Assert.Contains("  FAILED  clouds: scale_out: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("has 2 partitions; expected 1", run.Output, StringComparison.Ordinal);
    }

    /// <summary>Both as operators made them, by the cluster's defaults and the other way round.</summary>
    [Fact]
    public async Task Connect_TopicsThatWouldForget_AreRefused()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(2), states = await broker.CreateTopicAsync(1),
            statistics = await broker.CreateTopicAsync(1, ("cleanup.policy", "compact,delete"));

        CommandRun run = await Validate(broker.Address, topic, statistics, "{}", states);

        Assert.Equal(ExitCode.Configuration, run.ExitCode);
        Assert.Contains($"'{statistics}' on {broker.Address} has cleanup.policy=compact,delete", run.Output, StringComparison.Ordinal);
        Assert.Contains("set cleanup.policy=delete, or name another statistics_topic.", run.Output, StringComparison.Ordinal);
        Assert.Contains($"'{states}' on {broker.Address} has cleanup.policy=delete, which would forget the model", run.Output,
            StringComparison.Ordinal);
        Assert.Contains("set cleanup.policy=compact, or name another model_topic.", run.Output, StringComparison.Ordinal);
    }

    /// <summary>A user that may do everything with topics and groups, and nothing with transactions.</summary>
    [Fact]
    public async Task Connect_WithoutTheRightToTransactions_IsDenied()
    {
        broker.NeedsOwnBroker();
        await using var guarded = new KafkaBroker { Settings = Guarded };
        await guarded.InitializeAsync();
        string topic = await guarded.CreateTopicAsync(2);
        await guarded.Admin.CreateAclsAsync(
            [.. ((ResourceType[])[ResourceType.Topic, ResourceType.Group]).Select(type => new AclBinding
            {
                Pattern = new ResourcePattern { Type = type, Name = "*", ResourcePatternType = ResourcePatternType.Literal },
                Entry = new AccessControlEntry
                {
                    Principal = "User:streamem",
                    Host = "*",
                    Operation = AclOperation.All,
                    PermissionType = AclPermissionType.Allow,
                },
            })]);
        int port = int.Parse(guarded.Address.Split(':')[1], CultureInfo.InvariantCulture);
        string listener = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port + 2}");

        CommandRun run = await Validate(listener, topic, $"{topic}-statistics",
            "{ security.protocol: SASL_PLAINTEXT, sasl.mechanism: PLAIN, sasl.username: streamem, sasl.password: secret }");

        Assert.Equal(ExitCode.Denied, run.ExitCode);
        Assert.Contains("  ok      clouds: scale_out: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("  FAILED  clouds: scale_out.transactions: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("TransactionalId", run.Output, StringComparison.Ordinal);
        Assert.Contains("transactions: off", run.Output, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Guarded(int port)
    {
        string Listeners(string controller) => string.Create(CultureInfo.InvariantCulture,
            $"PLAINTEXT://127.0.0.1:{port},{controller}SASL://127.0.0.1:{port + 2}");
        return
        [
            $"listeners={Listeners(string.Create(CultureInfo.InvariantCulture, $"CONTROLLER://127.0.0.1:{port + 1},"))}",
            $"advertised.listeners={Listeners("")}",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms=PLAIN",
            "listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
                + "user_streamem=\"secret\";",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",
        ];
    }

    private async Task<CommandRun> Validate(string address, string topic, string statistics, string properties, string? states = null)
    {
        await File.WriteAllTextAsync(_directory["streamem.yaml"], $$"""
            http: { address: 127.0.0.1:0 }
            state_directory: {{_directory["state"]}}
            models:
              - id: clouds
                source: { kafka: { brokers: ["{{address}}"], topics: [{{topic}}], properties: {{properties}} } }
                features: [a, b]
                model: { type: gaussian_mixture, components: 3 }
                learning: { learn: always, dead_components: keep }
                scale_out: { statistics_topic: {{statistics}}, model_topic: {{states ?? $"{topic}-model"}}, transactions: on }
            """);
        return await CommandRun.Of(ValidateCommand.Create(), "-c", _directory["streamem.yaml"], "--connect");
    }
}
