using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>One half of a transaction without the other, as brokers can leave it: the ranges tell, and every record counts once.</summary>
public sealed class TornTransactionTests(KafkaBroker broker) : IDisposable
{
    private const int Partitions = KafkaBroker.MockPartitions, Rows = 1600;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("off", Half.OffsetsAlone, "corrupt")]
    [InlineData("on", Half.OffsetsAlone, "corrupt")]
    [InlineData("off", Half.MessageAlone, "duplicate")]
    [InlineData("on", Half.MessageAlone, "duplicate")]
    public async Task Worker_OfTornTransactions_CountsEveryRecordOnce(string transactions, Half half, string verdict)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        ModelOptions model = Model(topic, transactions);
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        var metrics = new ModelMetrics(model.Id);

        Checkpoint end = await Run(model, metrics, writer => new TornWriter(writer, broker, $"{topic}-statistics", half), Rows);

        await IsEveryRecordOnce(topic, end, parts: 1);
        Assert.True(metrics.Statistics.GetValueOrDefault(verdict) > 0, $"no {verdict}: nothing was torn");
        Assert.Equal(transactions == "on", metrics.Transactions.GetValueOrDefault(("contributor", "committed")) > 0);
    }

    /// <summary>What the group has committed is believed by nobody: offsets beyond what the log has, or far below.</summary>
    [Theory]
    [InlineData("off", 100)]
    [InlineData("on", 100)]
    [InlineData("off", 0)]
    [InlineData("on", 0)]
    public async Task Worker_WhoseGroupHasOtherOffsets_CountsEveryRecordOnce(string transactions, long offset)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        ModelOptions model = Model(topic, transactions);
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        if (offset == 0) await Run(model, new ModelMetrics(model.Id), writer => writer, Rows);
        CommitAll(topic, offset);
        int parts = offset == 0 ? 2 : 1;
        if (offset == 0) ClusteredRows.Produce(broker, topic, part: 1, Rows);

        Checkpoint end = await Run(model, new ModelMetrics(model.Id), writer => writer, parts * Rows);

        await IsEveryRecordOnce(topic, end, parts);
    }

    /// <summary>A worker that begins goes on behind what another has written and nobody has folded yet.</summary>
    [Fact]
    public async Task Worker_AfterOneWhoseMessagesAreNotFoldedYet_ComputesNoneOfThemAgain()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        ModelOptions model = Model(topic, "on");
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        await Run(model, new ModelMetrics(model.Id), writer => writer, Rows);
        var topics = new ScaleOutTopics(model, TimeProvider.System);
        Checkpoint state = topics.ReadNewest(CancellationToken.None)!;
        StatisticsMessage next = Next($"{topic}/0", state, read: 32), after = next with
        {
            Range = next.Range with { From = next.Range.To, To = next.Range.To + 8 },
            Read = 8,
            Rejected = [8],
        };
        broker.Produce($"{topic}-statistics", 0,
            [new Message<byte[]?, byte[]?> { Value = next.Encode() }, new Message<byte[]?, byte[]?> { Value = "none"u8.ToArray() },
                new Message<byte[]?, byte[]?> { Value = after.Encode() }]);

        var ahead = new List<RecordRange>();
        topics.ReadAhead(state, (_, message) => ahead.Add(message.Range), CancellationToken.None);
        Assert.Equal([next.Range, after.Range], ahead);
        ClusteredRows.Produce(broker, topic, part: 1, Rows);
        var metrics = new ModelMetrics(model.Id);
        Checkpoint end = await Run(model, metrics, writer => writer, 2 * Rows);

        Assert.Equal(2 * Rows / Partitions, end.Position.Partitions[$"{topic}/0"].Next);
        Assert.Equal(0, metrics.Statistics.GetValueOrDefault("duplicate"));
        Assert.Equal(0, metrics.Statistics.GetValueOrDefault("overlap"));
    }

    /// <summary>What was aborted is in the log, and nobody reads it: no reducer, and no audit, whatever properties say.</summary>
    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task Audit_OfStatisticsWithAbortedTransactions_IsWhole(string transactions)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions), statistics = await broker.CreateTopicAsync(1);
        ModelOptions model = Model(topic, transactions, statistics);
        Abort(statistics, "first"u8.ToArray());
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        Checkpoint state = await Run(model, new ModelMetrics(model.Id), writer => writer, Rows);
        // It would count.
        Abort(statistics, Next($"{topic}/0", state, read: 32).Encode());
        ClusteredRows.Produce(broker, topic, part: 1, Rows);

        Checkpoint end = await Run(model, new ModelMetrics(model.Id), writer => writer, 2 * Rows);

        await IsEveryRecordOnce(topic, end, parts: 2, statistics);
    }

    private void Abort(string topic, byte[] value)
    {
        var config = new ProducerConfig { BootstrapServers = broker.Address, TransactionalId = $"{topic}-aborted" };
        using IProducer<byte[]?, byte[]?> producer = new ProducerBuilder<byte[]?, byte[]?>(config).Build();
        producer.InitTransactions(TimeSpan.FromSeconds(10));
        producer.BeginTransaction();
        producer.Produce(topic, new Message<byte[]?, byte[]?> { Value = value });
        producer.Flush(TimeSpan.FromSeconds(10));
        producer.AbortTransaction();
    }

    private Task<Checkpoint> Run(
        ModelOptions model, ModelMetrics metrics, Func<StatisticsWriter, StatisticsWriter> wrap, int records) =>
        OneWorker.RunAsync(model, _directory["state"], records, metrics, NullLogger.Instance, wrap);

    private async Task IsEveryRecordOnce(string topic, Checkpoint end, int parts, string? statistics = null)
    {
        Assert.Equal(parts * ClusteredRows.Malformed(Rows), end.Rejections.ByReason.Sum());
        Assert.Equal((long)parts * Rows - parts * ClusteredRows.Malformed(Rows), end.Records);
        Assert.All(end.Position.Partitions.Values, place => Assert.Equal(parts * Rows / Partitions, place.Next));
        CommandRun audit = await CommandRun.Of(
            AuditCommand.Create(), $"kafka://{broker.Address}/{topic}-model?model=clouds", "--statistics",
            statistics ?? $"{topic}-statistics", "--property", "isolation.level=read_uncommitted");
        Assert.True(audit.ExitCode == 0, audit.Error);
    }

    private static StatisticsMessage Next(string partition, Checkpoint state, int read)
    {
        long from = state.Position.Partitions[partition].Next;
        return new StatisticsMessage
        {
            ModelId = state.ModelId,
            RunId = state.RunId,
            Worker = Guid.CreateVersion7(),
            Sequence = 1,
            BaseVersion = state.Updates,
            Range = new RecordRange(partition, from, from + read),
            Read = read,
            Rejected = [read],
        };
    }

    private void CommitAll(string topic, long offset)
    {
        var config = new ConsumerConfig { BootstrapServers = broker.Address, GroupId = topic };
        using IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(config).SetLogHandler((_, _) => { }).Build();
        consumer.Commit(Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(topic, partition, offset)));
    }

    private ModelOptions Model(string topic, string transactions, string? statistics = null) =>
        Assert.Single(ConfigFile.OptionsOf(ScaleOutFleet.Clouds(broker, topic, "6s", transactions, statistics)).Models);

    /// <summary>Which half is left of a transaction.</summary>
    public enum Half
    {
        OffsetsAlone,
        MessageAlone,
    }

    /// <summary>Tears every fifth.</summary>
    private sealed class TornWriter(StatisticsWriter writer, KafkaBroker broker, string topic, Half half) : StatisticsWriter
    {
        private int _sent;

        public override void Send(Message<byte[]?, byte[]?> message, RecordRange range, Action<long> written)
        {
            if (++_sent % 5 != 0)
            {
                writer.Send(message, range, written);
            }
            else if (half == Half.OffsetsAlone)
            {
                // What no reader takes for a message stands for none.
                writer.Send(new Message<byte[]?, byte[]?> { Key = message.Key, Value = [] }, range, written);
            }
            else
            {
                // Whoever goes on from the old offsets sends it again.
                broker.Produce(topic, 0, [message]);
                writer.Send(message, range, written);
            }
        }

        public override bool Look() => writer.Look();

        public override void Forget() => writer.Forget();

        public override void Dispose() => writer.Dispose();
    }
}
