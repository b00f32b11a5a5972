using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>Reads a Kafka source as the worker does: rows in order, the position after each, and the position in the state.</summary>
internal sealed class KafkaReading : IAsyncDisposable
{
    private readonly RecordBatch _batch = new(1, 7);

    public KafkaReading(KafkaSourceOptions options, SourcePosition? from = null, int minibatch = 6, bool once = false,
        RecordSchema? schema = null, bool keepOriginals = false, bool keepTraces = false)
    {
        Position = from?.Copy() ?? new SourcePosition();
        var context = new SourceContext(schema ?? new RecordSchema { Features = ["x"] }, Position, TimeProvider.System)
        {
            Once = once,
            MinibatchSize = minibatch,
            KeepOriginals = keepOriginals,
            KeepTraces = keepTraces,
        };
        Source = new KafkaSource(options, context);
        Source.Start();
    }

    public KafkaSource Source { get; }

    /// <summary>How long a batch may let wait for it.</summary>
    public TimeSpan Deadline { get; init; } = Eventually.Deadline;

    /// <summary>What a checkpoint would hold.</summary>
    public SourcePosition Position { get; }

    /// <summary>Partition and first feature of every record.</summary>
    public List<string> Rows { get; } = [];

    /// <summary>The position after every record.</summary>
    public List<SourcePosition> After { get; } = [];

    /// <summary>The trace that every record came with.</summary>
    public List<RecordTrace> Traces { get; } = [];

    public List<RejectedRecord> Rejected { get; } = [];

    /// <summary>Where the partitions stood that something was decided of which only the moment could tell.</summary>
    public List<(string Partition, PartitionPosition Position)> Decisions { get; } = [];

    /// <summary>Weight, key and time of the last record.</summary>
    public (double Weight, string? Key, long Timestamp) Last { get; private set; }

    public static KafkaSourceOptions Options(KafkaBroker broker, params string[] topics) => new()
    {
        Brokers = [broker.Address],
        Topics = topics,
        DiscoverEvery = TimeSpan.FromMilliseconds(100),
    };

    /// <summary>Reads one batch.</summary>
    public async Task<bool> ReadAsync(CancellationToken stop = default)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop, TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        if (!await Source.ReadAsync(_batch, deadline.Token)) return false;
        for (int row = 0; row < _batch.Count; row++)
        {
            Rows.Add(string.Create(CultureInfo.InvariantCulture,
                $"{_batch.PartitionName[(_batch.PartitionName.IndexOf('/', StringComparison.Ordinal) + 1)..]}:{_batch.Row(row)[0]}"));
            Position.Set(_batch.PartitionName, _batch.PositionAfter(row));
            After.Add(Position.Copy());
            Traces.Add(_batch.Trace(row));
            Last = (_batch.Records.Weight(row), _batch.Key(row), _batch.Records.Timestamp(row));
        }

        Rejected.AddRange(_batch.Rejected);
        if (_batch.IsDecision) Decisions.Add((_batch.PartitionName, _batch.EndPosition));
        Position.Set(_batch.PartitionName, _batch.EndPosition);
        return true;
    }

    /// <summary>Reads to the source's end.</summary>
    public async Task<KafkaReading> DrainAsync()
    {
        while (await ReadAsync())
        {
        }

        return this;
    }

    /// <summary>Reads until there are at least this many records.</summary>
    public async Task<KafkaReading> ReadUntilAsync(int rows)
    {
        while (Rows.Count < rows) Assert.True(await ReadAsync(), $"the source ended after {Rows.Count} records");
        return this;
    }

    public ValueTask DisposeAsync() => Source.DisposeAsync();
}
