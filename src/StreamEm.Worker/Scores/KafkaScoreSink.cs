using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scores;

/// <summary>
/// Sends scored records to a topic: the key is the record's (none without), the value its line, headers say model, run and record. Each
/// message is written once and in order (idempotent producer, acknowledged by all in-sync replicas); what a killed worker does not know to
/// have arrived is looked up when it starts again, and what is there is not written a second time.
/// </summary>
internal sealed class KafkaScoreSink : ScoreSink
{
    /// <summary>The value's media type.</summary>
    public const string ContentType = "application/vnd.streamem.score+json;v=1";

    /// <summary>The headers that tell which record a message is of.</summary>
    public const string ModelHeader = "streamem_model", RunHeader = "streamem_run", RecordHeader = "streamem_record";

    /// <summary>The brokers may stamp messages by a clock of their own.</summary>
    private static readonly TimeSpan ClockMargin = TimeSpan.FromMinutes(1);

    private readonly KafkaScoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly KafkaTarget _target;
    private readonly Outage _outage;
    private readonly byte[] _model;
    private readonly TraceLinks _links = new();
    private byte[] _run = [];
    private HashSet<long> _there = [];
    private KafkaProducer? _producer;

    public KafkaScoreSink(KafkaScoreOptions options, string modelId, TimeProvider time, ILogger log)
    {
        (_options, _time, _log, _model) = (options, time, log, Encoding.UTF8.GetBytes(modelId));
        _target = new KafkaTarget(options.Brokers, options.Topic, options.Properties, "scores.kafka");
        _outage = new Outage(options.Brokers, options.UnavailableAfter, _target.Section, time);
    }

    /// <inheritdoc/>
    public override string Name => $"kafka:{_options.Topic}";

    /// <inheritdoc/>
    public override int BytesAtOnce => 4 << 20;

    /// <inheritdoc/>
    public override Obstacle? Obstacle => _outage.Problem is { } problem
        ? new Obstacle(ObstacleKind.ScoresNotDelivered, $"scores are not delivered: {problem}") { Subject = Name }
        : null;

    /// <inheritdoc/>
    public override Task OpenAsync(ScoreSinkStart start, CancellationToken cancellationToken) => Task.Factory.StartNew(
        () => Open(start, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <inheritdoc/>
    public override async Task DeliverAsync(IReadOnlyList<ScoreChunk> chunks, CancellationToken cancellationToken)
    {
        KafkaProducer producer = _producer ?? throw new InvalidOperationException("The sink has not been opened.");
        using Activity? span = WorkerTraces.Send(_options.Topic, chunks.Sum(chunk => chunk.Lines.Count));
        foreach (ScoreChunk chunk in chunks)
        {
            for (int line = 0; line < chunk.Lines.Count; line++)
                if (_there.Count == 0 || !_there.Remove(chunk.Lines[line].Record)) producer.Send(MessageOf(chunk, line));
        }

        _links.MoveTo(span);
        await producer.WaitAsync(producer.TakeDelivery(), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_producer is not null) await _producer.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A line as its message, which carries on the trace of its record.</summary>
    private Message<byte[]?, byte[]?> MessageOf(ScoreChunk chunk, int line)
    {
        (_, long record, string? key, RecordTrace trace) = chunk.Lines[line];
        var headers = new Headers
        {
            { "content-type", Encoding.UTF8.GetBytes(ContentType) },
            { ModelHeader, _model },
            { RunHeader, _run },
            { RecordHeader, Encoding.UTF8.GetBytes(record.ToString(CultureInfo.InvariantCulture)) },
        };
        if (TraceContext.TryRead(trace, out ActivityContext context))
        {
            TraceContext.Write(context, headers.Add);
            _links.Add(context);
        }

        return new Message<byte[]?, byte[]?>
        {
            Key = key is null ? null : Encoding.UTF8.GetBytes(key),
            Value = chunk.Line(line).ToArray(),
            Headers = headers,
        };
    }

    private void Open(ScoreSinkStart start, CancellationToken stop)
    {
        _run = Encoding.UTF8.GetBytes(start.RunId);
        using var topic = new KafkaTopic(_target, _outage, stop);
        bool isNew = topic.CountPartitions() is null;
        if (isNew)
        {
            topic.Create(partitions: -1, new Dictionary<string, string>(StringComparer.Ordinal));
            WorkerLog.TopicCreated(_log, _target.Topic, "the cluster's defaults");
        }

        int limit = topic.Describe().MaxMessageBytes ?? KafkaProducer.DefaultMaxMessageBytes;
        _producer = new KafkaProducer(
            _target, Math.Min(limit, KafkaProducer.MaxClientMessageBytes), isBatched: true, _outage, _time);
        if (!isNew && start.Since is { } since) _there = Arrived(topic, since);
    }

    /// <summary>The records of this run that the topic has from an instant on.</summary>
    private HashSet<long> Arrived(KafkaTopic topic, DateTimeOffset since)
    {
        var records = new HashSet<long>();
        topic.ReadToEnd(since - ClockMargin, message =>
        {
            if (IsOf(message.Message.Headers, ModelHeader, _model) && IsOf(message.Message.Headers, RunHeader, _run)
                && message.Message.Headers.TryGetLastBytes(RecordHeader, out byte[] text)
                && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long record)) records.Add(record);
        });
        return records;
    }

    private static bool IsOf(Headers headers, string name, byte[] value) =>
        headers.TryGetLastBytes(name, out byte[] found) && found.AsSpan().SequenceEqual(value);
}
