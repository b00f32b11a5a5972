using Confluent.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Follows the model topic: every worker knows the newest state, and shows its snapshot. States come as often as all workers together have
/// them made; the snapshot in one, which takes many times as long to read as the rest, is looked at twice a second at most. One thread runs
/// it; the rest is for any.
/// </summary>
/// <param name="topics">The topics.</param>
/// <param name="feed">Where snapshots are shown.</param>
/// <param name="time">The clock.</param>
internal sealed class ModelFollower(ScaleOutTopics topics, SnapshotFeed feed, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100), ShowEvery = TimeSpan.FromMilliseconds(500);

    private readonly ModelStates _states = new();
    private readonly BrokerWatch _watch = new(topics.Model, topics.NewOutage(), time);
    private volatile Checkpoint? _newest;
    private Checkpoint? _looked;
    private SnapshotDocument? _shown;
    private long? _shownAt;
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The newest state; null while there is none.</summary>
    public Checkpoint? Newest => _newest;

    /// <summary>Completes with the next state after the call.</summary>
    public Task Changed => _changed.Task;

    /// <summary>Why nothing comes; null when all is well. Any thread.</summary>
    public string? Problem => _watch.Problem;

    /// <summary>Follows until the stop.</summary>
    public void Run(CancellationToken stop)
    {
        byte[] key = topics.StateKey;
        if (topics.ReadNewest(stop, out long end) is { } known)
        {
            _states.Begin(known);
            Tell(known);
            Show();
        }

        ConsumerConfig config = KafkaTopic.Configure(topics.Model);
        IConsumer<byte[]?, byte[]?> consumer = topics.Model.Attempt(() => new ConsumerBuilder<byte[]?, byte[]?>(config)
            .SetKeyDeserializer(Deserializers.ByteArray!).SetValueDeserializer(Deserializers.ByteArray!)
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, error) => _watch.Note(error)).Build());
        try
        {
            consumer.Assign(new TopicPartitionOffset(topics.Model.Topic, 0, end));
            while (!stop.IsCancellationRequested)
            {
                ConsumeResult<byte[]?, byte[]?>? result = topics.Model.Attempt(() => _watch.Consume(consumer, Poll));
                if (result?.Message?.Key is { } own && own.AsSpan().SequenceEqual(key) && _states.Take(result.Message.Value))
                    Tell(_states.Newest!);
                Show();
            }
        }
        finally
        {
            _watch.Close(consumer);
        }
    }

    private void Tell(Checkpoint state)
    {
        _newest = state;
        TaskCompletionSource changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    /// <summary>Shows the newest snapshot, unless it is shown already, or another was just now.</summary>
    private void Show()
    {
        if (ReferenceEquals(_newest, _looked) || (_shownAt is { } at && time.GetElapsedTime(at) < ShowEvery)) return;
        _looked = _newest;
        if (_looked?.Latest is not { } latest || (_shown is not null && latest.Json.Span.SequenceEqual(_shown.Json.Span))) return;
        (_shown, _shownAt) = (latest, time.GetTimestamp());
        try
        {
            if (latest.Version > (feed.Latest?.Version ?? 0)) feed.Publish(latest);
        }
        catch (InvalidDataException)
        {
            // Who wrote the state wrote no snapshot into it: the one before stays, and the next is looked at.
        }
    }
}
