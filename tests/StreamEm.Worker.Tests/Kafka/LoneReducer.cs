using Confluent.Kafka;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Shown;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.ScaleOut;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>A worker that folds and does nothing else, of the model of a <see cref="SimulatedCluster"/>.</summary>
internal sealed class LoneReducer : IAsyncDisposable
{
    private readonly KafkaBroker _broker;
    private readonly CancellationTokenSource _stop = new();
    private readonly Reducer _reducer;
    private Task _running = Task.CompletedTask;

    private LoneReducer(KafkaBroker broker, string topic)
    {
        _broker = broker;
        Model = SimulatedCluster.Options with
        {
            Source = new KafkaSourceOptions { Brokers = broker.Address.Split(','), Topics = [topic] },
            Learning = SimulatedCluster.Options.Learning with { Initialization = new() { Buffer = Buffer, NInit = 1 } },
            ScaleOut = SimulatedCluster.Options.ScaleOut! with
            {
                StatisticsTopic = $"{topic}-statistics",
                ModelTopic = $"{topic}-model",
                GroupId = topic,
            },
        };
        Topics = new ScaleOutTopics(Model, TimeProvider.System);
        Topics.Prepare(_stop.Token);
        _reducer = new Reducer(new ModelContext(
            Model, Metrics, new ShownRecords(Model.Schema, TimeProvider.System), TimeProvider.System, Log), Topics, "lone", () => null);
    }

    /// <summary>Records that a model is begun with.</summary>
    public const int Buffer = 20;

    public ModelOptions Model { get; }

    public ScaleOutTopics Topics { get; }

    public ModelMetrics Metrics { get; } = new();

    public ListLogger Log { get; } = new();

    /// <summary>Records that it has seen of those that a model is begun with.</summary>
    public int Pending => _reducer.Pending;

    /// <summary>Its topics are there; it does not run yet.</summary>
    public static async Task<LoneReducer> PrepareAsync(KafkaBroker broker)
    {
        broker.NeedsRealBroker("describes no topics");
        return new LoneReducer(broker, await broker.CreateTopicAsync(1));
    }

    public void Start() => _running = Task.Factory.StartNew(
        () => _reducer.Run(_stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Writes a state.</summary>
    public void Write(Checkpoint state) => _broker.Produce(Topics.Model.Topic, 0,
        [new Message<byte[]?, byte[]?> { Key = Topics.StateKey, Value = CheckpointFile.Encode(state) }]);

    /// <summary>Writes statistics.</summary>
    public void Write(IEnumerable<byte[]> statistics) => _broker.Produce(
        Topics.Statistics.Topic, 0, statistics.Select(message => new Message<byte[]?, byte[]?> { Value = message }));

    /// <summary>Waits for a state of the model.</summary>
    public async Task<Checkpoint> Until(Func<Checkpoint, bool> condition, string what)
    {
        Checkpoint? newest = null;
        await Eventually.True(() => _running.IsFaulted
            || ((newest = Topics.ReadNewest(CancellationToken.None)) is not null && condition(newest)), what);
        if (_running.IsFaulted) await _running;
        return newest!;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Eventually.Within(_running);
        _reducer.Dispose();
        _stop.Dispose();
    }
}
