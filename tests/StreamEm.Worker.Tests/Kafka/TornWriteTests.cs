using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Commands;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>
/// What is left when of offsets and statistics, which belong together, only the ones were written: put there by hand on a real broker,
/// while no worker runs.
/// </summary>
public sealed class TornWriteTests(KafkaBroker broker)
{
    private const int Partitions = KafkaBroker.MockPartitions, Rows = 800;

    [Fact]
    public async Task OffsetsCommitted_MessageLost_NothingIsLeftOut()
    {
        await LearnTornAsync(async (topic, last, write) =>
        {
            // The group says that all was learned, and what is sent next leaves out what the lost message was of.
            await CommitAsync(topic, partition => partition == 0 ? 2 * Rows / Partitions : Rows / Partitions);
            write(last with { Range = last.Range with { From = last.Range.To + 50, To = last.Range.To + 100 } });
        }, "1 gap");
    }

    [Fact]
    public async Task MessageWritten_OffsetsNot_NothingIsCountedTwice()
    {
        await LearnTornAsync(async (topic, last, write) =>
        {
            // The group says that nothing was learned, and who believes it sends all of it again; or the last of it and more.
            await CommitAsync(topic, _ => 0);
            write(last);
            write(last with { Range = last.Range with { To = last.Range.To + 10 } });
        }, "1 duplicate", "1 overlap");
    }

    private async Task LearnTornAsync(
        Func<string, StatisticsMessage, Action<StatisticsMessage>, Task> tear, params string[] verdicts)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        using var fleet = new ScaleOutFleet(ScaleOutFleet.Clouds(broker, topic));
        fleet.Start("one");
        await fleet.HasReducer();
        await using var watch = new ModelWatch(fleet.Model);
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        await watch.Until(Rows);
        await fleet.StopAsync("one");

        StatisticsMessage last = StatisticsMessage.Decode(TopicLog.Read(broker, $"{topic}-statistics")[^1].Value!);
        ClusteredRows.Produce(broker, topic, part: 1, Rows);
        await tear(topic, last,
            message => broker.Produce($"{topic}-statistics", 0, [new Message<byte[]?, byte[]?> { Value = message.Encode() }]));
        fleet.Start("one");
        Checkpoint end = await watch.Until(2 * Rows);
        await fleet.StopAsync("one");

        Assert.Equal(2 * Rows, end.Rejections.Read);
        Assert.Equal(2 * (Rows - ClusteredRows.Malformed(Rows)), end.Records);
        Assert.All(end.Position.Partitions.Values, place => Assert.Equal(2 * Rows / Partitions, place.Next));
        CommandRun audit = await CommandRun.Of(
            AuditCommand.Create(), $"kafka://{broker.Address}/{topic}-model?model=clouds", "--statistics", $"{topic}-statistics");
        Assert.True(audit.ExitCode == 0, audit.Error);
        Assert.All(verdicts, verdict => Assert.Contains(verdict, audit.Output, StringComparison.Ordinal));
    }

    private async Task CommitAsync(string topic, Func<int, long> next) => await broker.Admin.AlterConsumerGroupOffsetsAsync(
        [new ConsumerGroupTopicPartitionOffsets(topic, [.. Enumerable.Range(0, Partitions)
            .Select(partition => new TopicPartitionOffset(topic, partition, next(partition)))])]);
}
