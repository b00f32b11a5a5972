using System.Buffers;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

public sealed class KafkaScoreSinkTests(KafkaBroker broker)
{
    [Fact]
    public async Task Deliver_AgainAfterACrash_WritesOnlyWhatIsNotThere()
    {
        string topic = await broker.CreateTopicAsync(1);
        await Deliver(topic, "run", since: null, Chunk(0, 1, 2));

        await Deliver(topic, "run", since: TimeProvider.System.GetUtcNow(), Chunk(0, 1), Chunk(2, 3, 4));

        List<Message<byte[]?, byte[]?>> messages = TopicLog.Read(broker, topic);
        Assert.Equal(["{0}", "{1}", "{2}", "{3}", "{4}"], messages.Select(message => Encoding.UTF8.GetString(message.Value!)));
        Assert.Equal(["even", null, "even", null, "even"],
            messages.Select(message => message.Key is { } key ? Encoding.UTF8.GetString(key) : null));
        Assert.Equal(
            [("content-type", KafkaScoreSink.ContentType), ("streamem_model", "boiler"), ("streamem_run", "run"), ("streamem_record", "0")],
            messages[0].Headers.Select(header => (header.Key, Encoding.UTF8.GetString(header.GetValueBytes()))));
    }

    [Fact]
    public async Task Deliver_TheSameRecordsOfAnotherRun_AreWritten()
    {
        string topic = await broker.CreateTopicAsync(1);
        await Deliver(topic, "one", since: null, Chunk(0));

        await Deliver(topic, "other", since: TimeProvider.System.GetUtcNow(), Chunk(0));

        Assert.Equal(2, TopicLog.Read(broker, topic).Count);
    }

    private async Task Deliver(string topic, string run, DateTimeOffset? since, params ScoreChunk[] chunks)
    {
        await using var sink = new KafkaScoreSink(
            new KafkaScoreOptions { Brokers = [broker.Address], Topic = topic }, "boiler", TimeProvider.System, new ListLogger());
        await Eventually.Within(sink.OpenAsync(new ScoreSinkStart(run, null, since), CancellationToken.None));
        await Eventually.Within(sink.DeliverAsync(chunks, CancellationToken.None));
        Assert.Null(sink.Obstacle);
    }

    private static ScoreChunk Chunk(params int[] records)
    {
        var chunk = new ScoreChunk();
        foreach (int record in records)
        {
            chunk.Text.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{{record}}}")));
            chunk.EndLine(record, record % 2 == 0 ? "even" : null);
        }

        return chunk;
    }
}
