using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// Publishes snapshots to a compacted topic: key = model id, value = the snapshot's JSON, CloudEvents headers. A record is written once and
/// in order (idempotent producer, acknowledged by all in-sync replicas); what a killed worker does not know to be acknowledged is looked up
/// when it starts again, from the time its oldest unacknowledged snapshot was made, and what is there is not written a second time.
/// </summary>
internal sealed class KafkaSnapshotPublisher : SnapshotPublisher
{
    /// <summary>The largest messages a topic is created for; beyond it the brokers' own request limit (100 MiB) is near.</summary>
    private const int MaxCreatedMessageBytes = 64 << 20;

    /// <summary>Key, headers and the batch round a message; and what the data bring: warnings, labels, names of partitions.</summary>
    private const int RecordBytes = 8 * 1024, FromDataBytes = 64 * 1024, CandidateBytes = 128;

    /// <summary>The brokers may stamp records by a clock of their own.</summary>
    private static readonly TimeSpan ClockMargin = TimeSpan.FromMinutes(1);

    private readonly KafkaPublisherOptions _options;
    private readonly PublishedModel _model;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly KafkaTarget _target;
    private readonly Outage _outage;
    private KafkaProducer? _producer;
    private RunClaim? _claim;
    private TopicWatch? _watch;
    private string? _strangerTold;

    public KafkaSnapshotPublisher(KafkaPublisherOptions options, PublishedModel model, TimeProvider time, ILogger log)
    {
        (_options, _model, _time, _log) = (options, model, time, log);
        _target = new KafkaTarget(options.Brokers, options.Topic, options.Properties, "publish.kafka");
        _outage = new Outage(options.Brokers, options.UnavailableAfter, _target.Section, time)
        {
            ReachableChanged = isReachable =>
            {
                if (!isReachable) Failed();
            },
        };
    }

    /// <inheritdoc/>
    public override string Name => $"kafka:{_options.Topic}";

    /// <inheritdoc/>
    public override int EveryUpdates => _options.EveryUpdates;

    /// <inheritdoc/>
    public override TimeSpan? Every => _options.Every;

    /// <inheritdoc/>
    public override Obstacle? Obstacle => _outage.Problem is { } problem
        ? new Obstacle(ObstacleKind.SnapshotsNotPublished, $"snapshots are not published: {problem}") { Subject = Name }
        : null;

    /// <summary>The most bytes a record of this model takes, known before any data.</summary>
    public long RecordBound => SnapshotSize.Bound(_model.Id, _model.Model, _model.Schema, _model.IsAveraged, _model.HasIntervals)
        + RecordBytes + FromDataBytes
        + (long)CandidateBytes * _model.Candidates;

    /// <inheritdoc/>
    public override Task<long> OpenAsync(RunClaim claim, DateTimeOffset? since, CancellationToken cancellationToken) =>
        Task.Factory
            .StartNew(() => Open(claim, since, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);

    /// <inheritdoc/>
    public override async Task PublishAsync(IReadOnlyList<OutboxEntry> snapshots, CancellationToken cancellationToken)
    {
        KafkaProducer producer = _producer ?? throw new InvalidOperationException("The publisher has not been opened.");
        using (WorkerTraces.Send(_options.Topic, snapshots.Count))
        {
            foreach (OutboxEntry snapshot in snapshots) producer.Send(MessageOf(snapshot, _claim!));
            await producer.WaitAsync(producer.TakeDelivery(), cancellationToken).ConfigureAwait(false);
        }

        if (producer.Newest is not { } own) return;
        await Task.Factory.StartNew(() => _watch!.Look(own, () => new KafkaTopic(_target, _outage, cancellationToken)),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_producer is not null) await _producer.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A snapshot as its record: the same value whenever it is made.</summary>
    private static Message<byte[]?, byte[]?> MessageOf(OutboxEntry snapshot, RunClaim claim)
    {
        byte[] json = snapshot.Json.ToArray();
        SnapshotIdentity identity = SnapshotIdentity.Read(json)
            ?? throw new InvalidDataException($"Version {snapshot.Version} in the outbox is not a snapshot.");
        return new Message<byte[]?, byte[]?>
        {
            Key = Encoding.UTF8.GetBytes(identity.ModelId),
            Value = json,
            Headers = SnapshotHeaders.Of(identity, claim),
            Timestamp = new Timestamp(identity.CreatedAt)
        };
    }

    private long Open(RunClaim claim, DateTimeOffset? since, CancellationToken stop)
    {
        using var topic = new KafkaTopic(_target, _outage, stop);
        long bound = RecordBound;
        bool isNew = topic.CountPartitions() is null;
        if (isNew) Create(topic, bound);
        int limit = LimitOf(topic.Describe(), bound);
        _claim = claim;
        _watch = new TopicWatch(new TopicLease(claim, _model.Id, _target.Description), claim, Encoding.UTF8.GetBytes(_model.Id), _time,
            TellStranger);
        _watch.Begin(topic);
        long last = since is { } instant && !isNew ? LastVersion(topic, claim.RunId, instant, _watch) : 0;
        _watch.RefuseIfTaken(topic);
        _producer = new KafkaProducer(_target, Math.Clamp(limit, KafkaProducer.DefaultMaxMessageBytes, KafkaProducer.MaxClientMessageBytes),
            isBatched: false, _outage, _time);
        return last;
    }

    /// <summary>The largest message the topic takes.</summary>
    /// <exception cref="CommandException">A snapshot can be larger (78).</exception>
    private int LimitOf(TopicSettings settings, long bound)
    {
        if (settings.CleanupPolicy is null) WorkerLog.TopicSettingsUnknown(_log, _options.Topic, KafkaProducer.DefaultMaxMessageBytes);
        else if (!settings.CleanupPolicy.Contains("compact", StringComparison.Ordinal))
            WorkerLog.TopicNotCompacted(_log, _options.Topic, settings.CleanupPolicy);

        int limit = settings.MaxMessageBytes ?? KafkaProducer.DefaultMaxMessageBytes;
        if (bound > limit)
            throw TooLarge(bound,
                $"topic '{_options.Topic}' takes messages of at most {limit} bytes. Raise its max.message.bytes to at least {bound}");
        if (_options.Properties.TryGetValue("message.max.bytes", out string? own)
            && int.TryParse(own, CultureInfo.InvariantCulture, out int ownLimit) && bound > ownLimit)
            throw TooLarge(bound,
                $"publish.kafka.properties sets message.max.bytes to {ownLimit}. Leave it out, or raise it to at least {bound}");
        return limit;
    }

    private void TellStranger(SnapshotHeaders seen)
    {
        if (_strangerTold == seen.RunId) return;
        _strangerTold = seen.RunId;
        WorkerLog.AnotherRunPublishes(_log, _model.Id, _options.Topic, seen.RunId, seen.Version, seen.Host ?? "an unknown host");
    }

    private void Create(KafkaTopic topic, long bound)
    {
        if (bound > MaxCreatedMessageBytes)
            throw TooLarge(bound,
                $"topics are created for messages of at most {MaxCreatedMessageBytes} bytes. Create topic '{_options.Topic}' yourself with "
                    + $"max.message.bytes of at least {bound}");
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["cleanup.policy"] = "compact",
            ["segment.ms"] = "600000",
            ["min.cleanable.dirty.ratio"] = "0.1",
            ["max.compaction.lag.ms"] = "3600000",
            ["delete.retention.ms"] = "86400000",
        };
        if (bound > KafkaProducer.DefaultMaxMessageBytes) settings["max.message.bytes"] = bound.ToString(CultureInfo.InvariantCulture);
        topic.Create(partitions: 1, settings);
        WorkerLog.TopicCreated(_log, _options.Topic, string.Join(", ", settings.Select(setting => $"{setting.Key}={setting.Value}")));
    }

    private long LastVersion(KafkaTopic topic, string runId, DateTimeOffset since, TopicWatch watch)
    {
        byte[] key = Encoding.UTF8.GetBytes(_model.Id);
        long last = 0, read = 0;
        topic.ReadToEnd(since - ClockMargin, record =>
        {
            read++;
            watch.Take(record);
            if (record.Message.Value is not { } json || record.Message.Key?.AsSpan().SequenceEqual(key) != true) return;
            if (SnapshotIdentity.Read(json) is { } identity && identity.RunId == runId) last = Math.Max(last, identity.Version);
        });
        WorkerLog.TopicRead(_log, _model.Id, _options.Topic, last, read);
        return last;
    }

    private CommandException TooLarge(long bound, string limit)
    {
        int dimension = _model.Schema.Features.Count;
        string layout = _model.Model.CreateLargest(_model.Schema).ParameterLayout.ToString();
        return new CommandException(ExitCode.Configuration,
            $"publish.kafka: a snapshot of model '{_model.Id}' ({layout}) can take {bound} bytes; {limit}, or use fewer components or a "
                + "smaller covariance_type.");
    }
}
