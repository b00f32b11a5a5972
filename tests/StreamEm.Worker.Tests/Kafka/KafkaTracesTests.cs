using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>What messages carry that are derived from one record.</summary>
[Collection(ListeningTests.Name)]
public sealed class KafkaTracesTests(KafkaBroker broker)
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736", Parent = $"00-{Trace}-00f067aa0ba902b7-01";

    [Fact]
    public async Task Scores_OfRecordsWithAndWithoutATrace_CarryThatOrTheSpanThatSendsThem()
    {
        string topic = await broker.CreateTopicAsync(1);
        using var listening = new Listening();
        var chunk = new ScoreChunk();
        foreach ((int record, string? parent) in ((int, string?)[])[(0, Parent), (1, null), (2, "nonsense")])
        {
            chunk.Text.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{{record}}}")));
            chunk.EndLine(record, null, Of(parent));
        }

        await using (var sink = new KafkaScoreSink(
            new KafkaScoreOptions { Brokers = [broker.Address], Topic = topic }, "boiler", TimeProvider.System, new ListLogger()))
        {
            await Eventually.Within(sink.OpenAsync(new ScoreSinkStart("run", null, null), CancellationToken.None));
            await Eventually.Within(sink.DeliverAsync([chunk], CancellationToken.None));
        }

        Activity send = Assert.Single(listening.Spans($"send {topic}"));
        List<Message<byte[]?, byte[]?>> messages = TopicLog.Read(broker, topic);
        Assert.Equal([Parent, send.Id, send.Id], messages.Select(message => message.Header("traceparent")));
        Assert.Equal(["vendor=1", null, null], messages.Select(message => message.Header("tracestate")));
        Assert.Equal([Trace], send.Links.Select(link => link.Context.TraceId.ToHexString()));
        Assert.Equal(ActivityKind.Producer, send.Kind);
        Assert.Equal(("kafka", topic, 3),
            (send.GetTagItem("messaging.system"), send.GetTagItem("messaging.destination.name"),
                send.GetTagItem("messaging.batch.message_count")));
    }

    [Fact]
    public async Task DeadLetters_OfRecordsWithAndWithoutATrace_KeepItOrCarryTheSpanThatSendsThem()
    {
        string topic = await broker.CreateTopicAsync(1);
        using var listening = new Listening();
        using (var letters = new KafkaDeadLetters(
            new DeadLetterOptions { Brokers = [broker.Address], Topic = topic }, "boiler", TimeProvider.System, new ListLogger()))
        {
            letters.Write(Rejected(KeyValuePair.Create("traceparent", (byte[]?)Encoding.UTF8.GetBytes(Parent))));
            letters.Write(Rejected());
            letters.Flush();
            letters.MakeDurable();
        }

        IReadOnlyList<Activity> sent = listening.Spans($"send {topic}");
        Assert.Equal([Parent, sent[1].Id], TopicLog.Read(broker, topic).Select(letter => letter.Header("traceparent")));
        Assert.Equal((Trace, "00f067aa0ba902b7"), (sent[0].TraceId.ToHexString(), sent[0].ParentSpanId.ToHexString()));
        Assert.Equal(default, sent[1].ParentSpanId);
    }

    private static RejectedRecord Rejected(params KeyValuePair<string, byte[]?>[] headers) =>
        new(RejectionReason.JsonSyntax, "no object", "sensors/0", 1, "{", 0)
        { Original = new OriginalMessage("sensors", 0, null, "{"u8.ToArray(), headers, 1) };

    private static RecordTrace Of(string? parent) =>
        parent is null ? default : new RecordTrace(Encoding.UTF8.GetBytes(parent), "vendor=1"u8.ToArray());
}
