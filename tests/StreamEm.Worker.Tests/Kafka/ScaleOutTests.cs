using System.Text.Json;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>The real executable, twice, learning one model from one topic.</summary>
public sealed class ScaleOutTests(KafkaBroker broker) : IDisposable
{
    private const int Partitions = KafkaBroker.MockPartitions, Rows = 6400;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task TwoWorkers_OneKilled_TheOtherLearnsEveryRecordOnce(string transactions)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        string yaml = Configuration(topic, transactions);
        await File.WriteAllTextAsync(_directory["streamem.yaml"], yaml);
        ModelOptions model = Assert.Single(ConfigFile.OptionsOf(yaml).Models);
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        using WorkerProcess one = Start("one"), two = Start("two");
        JsonElement active = await Task.WhenAny(one.Event("reducer_active"), two.Event("reducer_active")).Unwrap();
        Assert.Equal("clouds", active.GetProperty("model").GetString());
        Checkpoint first = await Learned(model, Rows);

        // The one that folds is killed, with minibatches under way.
        WorkerProcess folds = one.Output.Contains("reducer_active", StringComparison.Ordinal) ? one : two;
        WorkerProcess other = folds == one ? two : one;
        ClusteredRows.Produce(broker, topic, part: 1, Rows);
        folds.Kill();
        await folds.Exit();
        ClusteredRows.Produce(broker, topic, part: 2, Rows);
        Checkpoint end = await Learned(model, 3 * Rows);

        Assert.Equal(first.RunId, end.RunId);
        await IsEveryRecordOnce(topic, end, parts: 3);
        using (var client = new HttpClient { BaseAddress = await other.Address() })
        {
            string metrics = await client.GetStringAsync("/metrics");
            Assert.Contains("streamem_reducer_active{model=\"clouds\"} 1", metrics, StringComparison.Ordinal);
            Assert.Contains($"streamem_assigned_partitions{{model=\"clouds\"}} {Partitions}", metrics, StringComparison.Ordinal);
            Assert.Contains("streamem_stats_messages_total{model=\"clouds\",result=\"accepted\"}", metrics, StringComparison.Ordinal);
        }

        other.Terminate();
        Assert.True(await other.Exit() == 0, $"{other.Output}\n{other.Errors}");
    }

    /// <summary>Frozen beyond its session, so that another has its partitions and folds; then it goes on as if nothing was.</summary>
    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task TwoWorkers_OneFrozenBeyondItsSession_EveryRecordCountsOnce(string transactions)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        string yaml = Configuration(topic, transactions);
        await File.WriteAllTextAsync(_directory["streamem.yaml"], yaml);
        ModelOptions model = Assert.Single(ConfigFile.OptionsOf(yaml).Models);
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        using WorkerProcess frozen = Start("one");
        await frozen.Event("reducer_active");
        await Learned(model, Rows / 2);
        using WorkerProcess other = Start("two");
        await other.Address();

        frozen.Signal("STOP");
        ClusteredRows.Produce(broker, topic, part: 1, Rows);
        await other.Event("reducer_active");
        await Learned(model, 2 * Rows);
        frozen.Signal("CONT");
        ClusteredRows.Produce(broker, topic, part: 2, Rows);

        await IsEveryRecordOnce(topic, await Learned(model, 3 * Rows), parts: 3);
        foreach (WorkerProcess process in (WorkerProcess[])[frozen, other])
        {
            process.Terminate();
            Assert.True(await process.Exit() == 0, $"{process.Output}\n{process.Errors}");
        }
    }

    private async Task IsEveryRecordOnce(string topic, Checkpoint end, int parts)
    {
        Assert.Equal(parts * ClusteredRows.Malformed(Rows), end.Rejections.ByReason.Sum());
        Assert.Equal((long)parts * Rows - parts * ClusteredRows.Malformed(Rows), end.Records);
        Assert.Equal(Partitions, end.Position.Partitions.Count);
        Assert.All(end.Position.Partitions.Values, place => Assert.Equal(parts * Rows / Partitions, place.Next));
        CommandRun audit = await CommandRun.Of(
            AuditCommand.Create(), $"kafka://{broker.Address}/{topic}-model?model=clouds", "--statistics", $"{topic}-statistics");
        Assert.True(audit.ExitCode == 0, audit.Error);
    }

    private async Task<Checkpoint> Learned(ModelOptions model, int rows)
    {
        var topics = new ScaleOutTopics(model, TimeProvider.System);
        Checkpoint? state = null;
        await Eventually.True(
            () => (state = topics.ReadNewest(CancellationToken.None))?.Rejections.Read >= rows, $"{rows} records", Patience);
        return state!;
    }

    private WorkerProcess Start(string name) =>
        WorkerProcess.Start(_directory.Path, "run", "-c", "streamem.yaml", "-s", $"state_directory={_directory[name]}");

    private string Configuration(string topic, string transactions) => $$"""
        http: { address: 127.0.0.1:0 }
        models:
          - id: clouds
            source: { kafka: { brokers: ["{{broker.Address}}"], topics: [{{topic}}] } }
            features: [a, b]
            model: { type: gaussian_mixture, components: 3 }
            learning:
              learn: always
              dead_components: keep
              minibatch: { size: {{ClusteredRows.Minibatch}} }
              initialization: { buffer: 256, n_init: 1 }
            scale_out:
              statistics_topic: {{topic}}-statistics
              model_topic: {{topic}}-model
              group_id: streamem-{{topic}}
              session_timeout: 6s
              transactions: {{transactions}}
            rejected: { stop_above_ratio: 0.5 }
        """;
}
