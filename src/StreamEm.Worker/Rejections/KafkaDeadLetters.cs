using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Rejections;

/// <summary>
/// Sends rejected records to a dead-letter topic: key, value, headers and timestamp as they came, then headers as Kafka Connect's that say
/// where from and why. Delivery is at least once: a checkpoint waits until the records before it are acknowledged, and what a killed worker
/// sent after its last checkpoint comes again with the same topic, partition and offset in its headers. A record that came from no topic
/// has its text as the value and no key.
/// </summary>
internal sealed class KafkaDeadLetters : RejectionSink
{
    private const string Connect = "__connect.errors.", Own = "streamem.errors.";
    private const string Stage = "VALUE_CONVERTER";

    /// <summary>Bytes on their way beyond which reading waits.</summary>
    private const long MaxBytesUnderway = 16 << 20;

    /// <summary>What a record batch takes round its first message, generously.</summary>
    private const int BatchBytes = 512;

    private readonly KafkaTarget _target;
    private readonly string _modelId;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Outage _outage;
    private readonly ModelMetrics? _metrics;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lazy<Task<(KafkaProducer Producer, int MaxMessageBytes)>> _opening;
    private readonly Lock _lock = new();
    private readonly List<Task> _deliveries = [];
    private bool _hasUnflushed;

    /// <summary>Dead letters to a topic that nobody has asked for yet.</summary>
    public KafkaDeadLetters(DeadLetterOptions options, string modelId, TimeProvider time, ILogger log, ModelMetrics? metrics = null)
    {
        (_modelId, _time, _log, _metrics) = (modelId, time, log, metrics);
        _target = new KafkaTarget(options.Brokers, options.Topic, options.Properties, "rejected.kafka");
        _outage = new Outage(options.Brokers, options.UnavailableAfter, _target.Section, time);
        _opening = new Lazy<Task<(KafkaProducer, int)>>(
            () => Task.Factory.StartNew(Open, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    /// <inheritdoc/>
    public override Obstacle? Obstacle => _outage.Problem is { } problem
        ? new Obstacle(ObstacleKind.RejectedRecordsNotKept, $"rejected records are not passed on: {problem}")
        : null;

    /// <inheritdoc/>
    public override void Start() => _ = _opening.Value;

    /// <inheritdoc/>
    public override void Write(RejectedRecord record)
    {
        (KafkaProducer producer, int limit) = _opening.Value.WaitAsync(_stop.Token).GetAwaiter().GetResult();
        if (producer.Bytes > MaxBytesUnderway)
        {
            Flush();
            MakeDurable();
        }

        _hasUnflushed = true;
        using Activity? span = WorkerTraces.IsOn ? WorkerTraces.Send(_target.Topic, 1, ContextOf(record.Original)) : null;
        producer.Send(MessageOf(record, limit));
        _metrics?.DeadLettered(record.Reason);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        if (!_hasUnflushed) return;
        _hasUnflushed = false;
        lock (_lock) _deliveries.Add(_opening.Value.Result.Producer.TakeDelivery());
    }

    /// <inheritdoc/>
    public override void MakeDurable()
    {
        Task[] flushed;
        lock (_lock) flushed = [.. _deliveries];
        if (_opening is { IsValueCreated: true, Value.IsFaulted: true }) _opening.Value.GetAwaiter().GetResult();
        if (flushed.Length == 0) return;
        _opening.Value.Result.Producer.WaitAsync(Task.WhenAll(flushed), _stop.Token).GetAwaiter().GetResult();
        lock (_lock) _deliveries.RemoveAll(delivery => delivery.IsCompletedSuccessfully);
    }

    /// <inheritdoc/>
    public override void Abandon() => _stop.Cancel();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _stop.Cancel();
        if (_opening.IsValueCreated)
        {
            Task.WaitAny([_opening.Value], KafkaTopic.CloseDeadline);
            if (_opening.Value.IsCompletedSuccessfully) _opening.Value.Result.Producer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }

        _stop.Dispose();
    }

    private (KafkaProducer Producer, int MaxMessageBytes) Open()
    {
        using var topic = new KafkaTopic(_target, _outage, _stop.Token);
        if (topic.CountPartitions() is null)
        {
            topic.Create(partitions: -1, new Dictionary<string, string>(StringComparer.Ordinal));
            WorkerLog.TopicCreated(_log, _target.Topic, "the cluster's defaults");
        }

        int limit = Math.Min(topic.Describe().MaxMessageBytes ?? KafkaProducer.DefaultMaxMessageBytes, KafkaProducer.MaxClientMessageBytes);
        return (new KafkaProducer(_target, limit, isBatched: true, _outage, _time), limit);
    }

    private Message<byte[]?, byte[]?> MessageOf(RejectedRecord record, int limit)
    {
        OriginalMessage? original = record.Original;
        byte[] value = original?.Value ?? Encoding.UTF8.GetBytes(record.Text);
        var headers = new Headers();
        foreach ((string name, byte[]? bytes) in original?.Headers ?? []) headers.Add(name, bytes);
        AddReasons(headers, record);
        byte[]? key = original?.Key;
        long room = limit - BatchBytes - (key?.Length ?? 0)
            - headers.Sum(header => 16L + header.Key.Length + (header.GetValueBytes()?.Length ?? 0));
        if (value.Length > room)
        {
            // A topic that takes less than the one it came from: the beginning is kept, and what it was is said.
            Add(headers, $"{Own}value.bytes", value.Length.ToString(CultureInfo.InvariantCulture));
            value = value[..(int)Math.Max(0, room - 64)];
        }

        var message = new Message<byte[]?, byte[]?> { Key = key, Value = value, Headers = headers };
        if (original is { Timestamp: not RecordBatch.NoTimestamp })
            message.Timestamp = new Timestamp(original.Timestamp, TimestampType.CreateTime);
        return message;
    }

    /// <summary>The context that a message came with, which its headers carry on as they are; none without.</summary>
    private static ActivityContext ContextOf(OriginalMessage? original)
    {
        var trace = new RecordTrace(Last(RecordTrace.ParentHeader), Last(RecordTrace.StateHeader));
        return TraceContext.TryRead(trace, out ActivityContext context) ? context : default;

        byte[]? Last(string name) => original?.Headers.LastOrDefault(header => header.Key == name).Value;
    }

    private void AddReasons(Headers headers, RejectedRecord record)
    {
        string offset = record.Offset.ToString(CultureInfo.InvariantCulture), reason = SnakeCase.Of(record.Reason);
        if (record.Original is { } original)
        {
            Add(headers, $"{Connect}topic", original.Topic);
            Add(headers, $"{Connect}partition", original.PartitionNumber.ToString(CultureInfo.InvariantCulture));
            Add(headers, $"{Connect}offset", offset);
        }

        Add(headers, $"{Connect}connector.name", _modelId);
        Add(headers, $"{Connect}stage", Stage);
        Add(headers, $"{Connect}exception.message", $"{reason}: {record.Detail}");
        Add(headers, $"{Own}model", _modelId);
        Add(headers, $"{Own}partition", record.PartitionName);
        Add(headers, $"{Own}offset", offset);
        Add(headers, $"{Own}reason", reason);
    }

    private static void Add(Headers headers, string name, string value) => headers.Add(name, Encoding.UTF8.GetBytes(value));
}
