using System.Threading.Channels;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scores;

/// <summary>
/// One sink and the scored records on their way to it, in order. What has not arrived is part of every checkpoint, so that a sink that is
/// slow or down holds up neither checkpoints nor a stop; beyond <see cref="LimitBytes"/> learning waits for it.
/// </summary>
internal sealed class ScoreLane(ScoreSink sink, ModelMetrics metrics, TimeProvider time) : IAsyncDisposable
{
    /// <summary>The most bytes on their way.</summary>
    public const long LimitBytes = 16 << 20;

    /// <summary>Chunks kept to be used again, and the largest such.</summary>
    private const int FreeChunks = 64, FreeBytes = 1 << 20;

    /// <summary>How long the start waits for a sink to be ready; after that, learning goes on without it.</summary>
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Queue<ScoreChunk> _released = new(), _held = new();
    private readonly Stack<ScoreChunk> _free = new();
    private readonly Channel<bool> _work =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource _abandon = new();
    private ScoreFileMark? _mark;
    private DateTimeOffset? _since;
    private long _bytes;
    private bool _isClosed, _hasArrivals;
    private Action _onArrived = () => { };

    /// <summary>The sink's name.</summary>
    public string Name => sink.Name;

    /// <summary>Why the sink does not deliver; null when all is well.</summary>
    public Obstacle? Obstacle => sink.Obstacle;

    /// <summary>Ends when the lane was closed and emptied; faults when the sink cannot go on.</summary>
    public Task Delivering { get; private set; } = Task.CompletedTask;

    /// <summary>Bytes on their way.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock) return _bytes;
        }
    }

    /// <summary>Whether something waits for a checkpoint.</summary>
    public bool IsHeld
    {
        get
        {
            lock (_lock) return _held.Count > 0;
        }
    }

    /// <summary>Whether something has arrived since <see cref="Save"/>.</summary>
    public bool HasArrivals
    {
        get
        {
            lock (_lock) return _hasArrivals;
        }
    }

    /// <summary>Prepares the sink and starts delivering; returns when it is ready or, when that takes long, before.</summary>
    public async Task OpenAsync(string runId, Action onArrived, CancellationToken cancellationToken)
    {
        _onArrived = onArrived;
        DateTimeOffset? since = _released.TryPeek(out ScoreChunk? oldest) && oldest.MadeAt < _since ? oldest.MadeAt : _since;
        Task opening = sink.OpenAsync(new ScoreSinkStart(runId, _mark, since), _abandon.Token);
        using var ready = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task first = await Task.WhenAny(opening, Task.Delay(OpeningPatience, time, ready.Token)).ConfigureAwait(false);
        await ready.CancelAsync().ConfigureAwait(false);
        if (first == opening)
        {
            await opening.ConfigureAwait(false);
            _mark = sink.Mark;
        }

        Delivering = Task.Run(() => DeliverAllAsync(opening), CancellationToken.None);
    }

    /// <summary>An empty chunk.</summary>
    public ScoreChunk Take()
    {
        lock (_lock) return _free.TryPop(out ScoreChunk? chunk) ? chunk : new ScoreChunk();
    }

    /// <summary>Adds lines; those that may be seen go out at once.</summary>
    public void Add(ScoreChunk chunk, long durable)
    {
        lock (_lock)
        {
            _bytes += chunk.Bytes;
            (chunk.Needs <= durable ? _released : _held).Enqueue(chunk);
        }

        _work.Writer.TryWrite(true);
    }

    /// <summary>Lets out what a durable checkpoint holds.</summary>
    public void Release(long durable)
    {
        lock (_lock)
            while (_held.TryPeek(out ScoreChunk? chunk) && chunk.Needs <= durable) _released.Enqueue(_held.Dequeue());
        _work.Writer.TryWrite(true);
    }

    /// <summary>Makes what has arrived survive a power cut. Any thread.</summary>
    public void MakeDurable() => sink.MakeDurable();

    /// <summary>Delivers what was let out and ends; gives up when <paramref name="deadline"/> is cancelled.</summary>
    public async Task CloseAsync(CancellationToken deadline)
    {
        lock (_lock) _isClosed = true;
        _work.Writer.TryWrite(true);
        await using (deadline.Register(_abandon.Cancel).ConfigureAwait(false)) await Delivering.ConfigureAwait(false);
    }

    /// <summary>Writes where the sink is and what has not arrived.</summary>
    public void Save(BinaryWriter writer)
    {
        lock (_lock)
        {
            writer.Write(_mark is not null);
            if (_mark is not null)
            {
                writer.Write(_mark.Length);
                writer.Write(_mark.Identity);
            }

            writer.Write(_released.Count + _held.Count);
            foreach (ScoreChunk chunk in _released) chunk.Save(writer);
            foreach (ScoreChunk chunk in _held) chunk.Save(writer);
            _hasArrivals = false;
        }
    }

    /// <summary>Takes over where the sink of a state was, before it is opened.</summary>
    public void Restore(SavedLane saved, DateTimeOffset savedAt)
    {
        (_mark, _since) = (saved.Mark, savedAt);
        foreach (ScoreChunk chunk in saved.Chunks)
        {
            _released.Enqueue(chunk);
            _bytes += chunk.Bytes;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _abandon.CancelAsync().ConfigureAwait(false);
        await Delivering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await sink.DisposeAsync().ConfigureAwait(false);
        _abandon.Dispose();
    }

    private async Task DeliverAllAsync(Task opening)
    {
        await opening.WaitAsync(_abandon.Token).ConfigureAwait(false);
        lock (_lock) _mark = sink.Mark;
        var ready = new List<ScoreChunk>();
        while (Next(ready))
        {
            if (ready.Count == 0)
            {
                await _work.Reader.ReadAsync(_abandon.Token).ConfigureAwait(false);
                continue;
            }

            await sink.DeliverAsync(ready, _abandon.Token).ConfigureAwait(false);
            Arrived(ready);
        }
    }

    /// <summary>Fills in what is to be delivered next; false when there will be no more.</summary>
    private bool Next(List<ScoreChunk> ready)
    {
        ready.Clear();
        lock (_lock)
        {
            long bytes = 0;
            foreach (ScoreChunk chunk in _released)
            {
                ready.Add(chunk);
                if ((bytes += chunk.Bytes) >= sink.BytesAtOnce) break;
            }

            return ready.Count > 0 || !_isClosed;
        }
    }

    private void Arrived(List<ScoreChunk> chunks)
    {
        lock (_lock)
        {
            _mark = sink.Mark;
            _hasArrivals = true;
            foreach (ScoreChunk chunk in chunks)
            {
                _released.Dequeue();
                _bytes -= chunk.Bytes;
                metrics.ScoresDelivered(Name, chunk.Lines.Count);
                if (_free.Count >= FreeChunks || chunk.Bytes > FreeBytes) continue;
                chunk.Clear();
                _free.Push(chunk);
            }
        }

        _onArrived();
    }
}

/// <summary>What a state says of one sink.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Mark">Where its file ended; null without.</param>
/// <param name="Chunks">What had not arrived.</param>
internal sealed record SavedLane(string Name, ScoreFileMark? Mark, IReadOnlyList<ScoreChunk> Chunks)
{
    /// <summary>Reads what <see cref="ScoreLane.Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static SavedLane Load(string name, BinaryReader reader)
    {
        ScoreFileMark? mark = reader.ReadBoolean() ? new ScoreFileMark(reader.ReadInt64(), reader.ReadString()) : null;
        if (mark is { Length: < 0 }) throw new InvalidDataException("The length of a file of scores is below 0.");
        int count = reader.ReadInt32();
        if (count < 0 || count > reader.BaseStream.Length - reader.BaseStream.Position)
            throw new InvalidDataException($"Undelivered scores say {count} parts, which are not there.");
        var chunks = new List<ScoreChunk>();
        for (int at = 0; at < count; at++) chunks.Add(ScoreChunk.Load(reader));
        return new SavedLane(name, mark, chunks);
    }
}
