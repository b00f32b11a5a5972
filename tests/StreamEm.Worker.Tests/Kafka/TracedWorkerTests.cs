using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>
/// The real executable between a producer that traces each record, or sends nonsense with it, and a collector of spans.
/// </summary>
public sealed class TracedWorkerTests(KafkaBroker broker) : IDisposable
{
    private const int Partitions = KafkaBroker.MockPartitions, Rows = 640, NonsenseEvery = 10;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Worker_OnRecordsWithTraces_LinksToThemAndCarriesThemOn()
    {
        broker.NeedsRealBroker("creates no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        Produce(topic);
        await using OtlpCollector collector = await OtlpCollector.Start();
        using KafkaRun traced = Run(topic, "traced"), plain = Run(topic, "plain");

        using (WorkerProcess worker = WorkerProcess.StartIn(collector.Environment, traced.Path, "run", "-c", "streamem.yaml", "--once"))
            Assert.True(await worker.Exit() == 0, $"{worker.Output}\n{worker.Errors}");
        await plain.DrainAsync();

        IReadOnlyList<ExportedSpan> spans = collector.Spans;
        ExportedSpan[] updates = [.. spans.Where(span => span.Name == $"update {topic}")];
        string[] linked = [.. updates.SelectMany(update => update.Links.Select(link => link.Trace))];
        Assert.NotEmpty(linked);
        Assert.Equal(linked.Distinct(), linked);
        Assert.Empty(linked.Except(Enumerable.Range(0, Rows).Where(row => !IsNonsense(row)).Select(TraceOf)));
        Assert.All(updates, update => Assert.InRange(update.Links.Count, 1, 128));

        // A version says by which publication of which update it came.
        ExportedSpan[] sent = [.. spans.Where(span => span.Name == $"send {topic}-traced-models")];
        List<Message<byte[]?, byte[]?>> models = TopicLog.Read(broker, $"{topic}-traced-models");
        Assert.All(models, model => Assert.Single(sent, span => span.Header == model.Header("traceparent")));
        ExportedSpan publish = Assert.Single(spans, span => span.Id == sent[^1].Parent);
        Assert.Equal(("publish", sent[^1].Trace), (publish.Name, publish.Trace));
        Assert.Single(updates, update => update.Id == publish.Parent && update.Trace == publish.Trace);

        AssertCarriedOn(topic, spans);
        AssertTheSame(topic, traced, plain);
    }

    [Fact]
    public async Task ScaledWorker_OnRecordsWithTraces_LinksTheFoldToWhatWasContributed()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        Produce(topic);
        string yaml = Scaled(topic);
        await File.WriteAllTextAsync(_directory["streamem.yaml"], yaml);
        var topics = new ScaleOutTopics(Assert.Single(ConfigFile.OptionsOf(yaml).Models), TimeProvider.System);
        await using OtlpCollector collector = await OtlpCollector.Start();

        using (WorkerProcess worker = WorkerProcess.StartIn(collector.Environment, _directory.Path, "run", "-c", "streamem.yaml"))
        {
            await worker.Event("reducer_active");
            await Eventually.True(() => worker.HasExited || topics.ReadNewest(CancellationToken.None)?.Rejections.Read > Rows,
                "every record to be learned from");
            worker.Terminate();
            Assert.True(await worker.Exit() == 0, $"{worker.Output}\n{worker.Errors}");
        }

        IReadOnlyList<ExportedSpan> spans = collector.Spans;
        ExportedSpan[] contributed = [.. spans.Where(span => span.Name == "contribute")];
        Assert.Equal(
            Enumerable.Range(0, Rows).Where(row => !IsNonsense(row)).Select(TraceOf),
            contributed.SelectMany(span => span.Links.Select(link => link.Trace)).Distinct().Order(StringComparer.Ordinal));
        ExportedSpan[] folds = [.. spans.Where(span => span.Name == "fold")];
        Assert.Contains(folds, fold => fold.Links.Count > 0);
        Assert.Empty(folds.SelectMany(fold => fold.Links.Select(link => link.Id)).Except(contributed.Select(span => span.Id)));
        Assert.Equal(contributed.Select(span => span.Header).Order(StringComparer.Ordinal),
            TopicLog.Read(broker, $"{topic}-statistics").Select(message => message.Header("traceparent")!).Order(StringComparer.Ordinal));
        string[] traces = [.. folds.Select(fold => fold.Trace)];
        Assert.All(TopicLog.Read(broker, $"{topic}-model"), state => Assert.Contains(state.Header("traceparent")!.Split('-')[1], traces));
    }

    /// <summary>Scores and dead letters carry the trace of their record.</summary>
    private void AssertCarriedOn(string topic, IReadOnlyList<ExportedSpan> spans)
    {
        HashSet<string> sent = [.. spans.Where(span => span.Name == $"send {topic}-traced-scores").Select(span => span.Header)];
        List<Message<byte[]?, byte[]?>> scores = TopicLog.Read(broker, $"{topic}-traced-scores");
        Assert.NotEmpty(scores);
        foreach (Message<byte[]?, byte[]?> score in scores)
        {
            JsonElement line = JsonDocument.Parse(score.Value!).RootElement;
            int partition = int.Parse(line.GetProperty("partition").GetString()!.Split('/')[^1], CultureInfo.InvariantCulture);
            int row = line.GetProperty("offset").GetInt32() * Partitions + partition;
            if (IsNonsense(row)) Assert.Contains(score.Header("traceparent")!, sent);
            else Assert.Equal(HeaderOf(row), score.Header("traceparent"));
        }

        Message<byte[]?, byte[]?> letter = Assert.Single(TopicLog.Read(broker, $"{topic}-traced-dead"));
        Assert.Equal(HeaderOf(Rows), letter.Header("traceparent"));
    }

    /// <summary>What is learned and published is the same without traces, and says nothing of any.</summary>
    private void AssertTheSame(string topic, KafkaRun traced, KafkaRun plain)
    {
        Assert.Equal(PublishedLog.Contents(plain.Snapshots), PublishedLog.Contents(traced.Snapshots));
        Assert.Equal(plain.Kept()!.Learner.ToArray(), traced.Kept()!.Learner.ToArray());
        foreach (string kind in (string[])["models", "scores"])
            Assert.All(TopicLog.Read(broker, $"{topic}-plain-{kind}"), message => Assert.Null(message.Header("traceparent")));
    }

    /// <summary>Row i is at offset i / 4 of partition i mod 4; one more cannot be used.</summary>
    private void Produce(string topic)
    {
        var random = new Random(1);
        var messages = Enumerable.Range(0, Partitions).Select(_ => new List<Message<byte[]?, byte[]?>>()).ToArray();
        for (int row = 0; row < Rows; row++)
        {
            double centre = 5 * random.Next(3);
            messages[row % Partitions].Add(Message(row, string.Create(CultureInfo.InvariantCulture,
                $"{{\"a\":{centre + random.NextDouble():F6},\"b\":{centre - random.NextDouble():F6}}}")));
        }

        messages[Rows % Partitions].Add(Message(Rows, "{\"a\":"));
        for (int partition = 0; partition < Partitions; partition++) broker.Produce(topic, partition, messages[partition]);
    }

    private static Message<byte[]?, byte[]?> Message(int row, string value) => new()
    {
        Value = Encoding.UTF8.GetBytes(value),
        Headers = new Headers { { "traceparent", Encoding.UTF8.GetBytes(IsNonsense(row) ? "00-nonsense" : HeaderOf(row)) } },
    };

    private static bool IsNonsense(int row) => row % NonsenseEvery == 3;

    private static string TraceOf(int row) => string.Create(CultureInfo.InvariantCulture, $"{row + 1:x32}");

    private static string HeaderOf(int row) => $"00-{TraceOf(row)}-00f067aa0ba902b7-01";

    private KafkaRun Run(string topic, string name) => new(broker, topic,
        publish: $"- file: {{ path: out/snapshots.ndjson }}\n      - kafka: {Topic($"{topic}-{name}-models")}",
        rejected: $"kafka: {Topic($"{topic}-{name}-dead")}",
        model: $$"""
            features: [a, b]
            model: { type: gaussian_mixture, components: 3 }
            learning: { minibatch: { size: 32, max_wait: null }, initialization: { buffer: 256, n_init: 1 } }
            scores: [ kafka: {{Topic($"{topic}-{name}-scores")}} ]
            """);

    private string Topic(string name) => $"{{ brokers: [\"{broker.Address}\"], topic: {name} }}";

    private string Scaled(string topic) => $$"""
        http: { address: 127.0.0.1:0 }
        state_directory: state
        models:
          - id: clouds
            source: { kafka: { brokers: ["{{broker.Address}}"], topics: [{{topic}}] } }
            features: [a, b]
            model: { type: gaussian_mixture, components: 3 }
            learning:
              learn: always
              dead_components: keep
              minibatch: { size: 32 }
              initialization: { buffer: 256, n_init: 1 }
            scale_out: { statistics_topic: {{topic}}-statistics, model_topic: {{topic}}-model, session_timeout: 6s }
            rejected: { stop_above_ratio: 0.5 }
        """;
}
