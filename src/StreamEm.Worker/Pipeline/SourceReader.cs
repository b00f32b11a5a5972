using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Sources;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// Reads a source ahead of the learner into a few reused batches. The source waits when all of them are full, so memory does not grow with
/// the stream.
/// </summary>
internal sealed class SourceReader : IAsyncDisposable
{
    private const int Batches = 4;
    private const int RowsPerBatch = 1024;
    private const int ValuesPerBatch = 1 << 18;

    private readonly Channel<(RecordBatch Batch, long ReadAt)> _filled =
        Channel.CreateBounded<(RecordBatch, long)>(new BoundedChannelOptions(Batches) { SingleReader = true, SingleWriter = true });
    private readonly Channel<RecordBatch> _free =
        Channel.CreateBounded<RecordBatch>(new BoundedChannelOptions(Batches) { SingleReader = true, SingleWriter = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly RecordSource _source;
    private readonly TimeProvider _time;
    private Task _reading = Task.CompletedTask;

    /// <summary>A reader of a source; takes ownership of it.</summary>
    public SourceReader(RecordSource source, RecordSchema schema, TimeProvider time)
    {
        (_source, _time) = (source, time);
        int rows = Math.Clamp(ValuesPerBatch / Math.Max(1, schema.Width), 16, RowsPerBatch);
        for (int i = 0; i < Batches; i++) _free.Writer.TryWrite(new RecordBatch(schema, rows));
    }

    /// <summary>Told how long a batch took to be decoded of which nothing had to be waited for; null where nobody asks.</summary>
    public Action<TimeSpan>? Decoded { get; init; }

    /// <summary>Told of the records of a batch, on the thread that reads, before the learner gets them; null where nobody asks.</summary>
    public Action<Minibatch>? Taken { get; init; }

    /// <summary>The source.</summary>
    public RecordSource Source => _source;

    /// <summary>Completed when every batch was taken and no more will come; faulted when the source failed.</summary>
    public Task Ended => _filled.Reader.Completion;

    /// <summary>Batches waiting to be taken.</summary>
    public int Waiting => _filled.Reader.Count;

    /// <summary>Starts reading.</summary>
    public void Start() => _reading = Task.Run(ReadAsync);

    /// <summary>Takes the next batch if there is one; give it back with <see cref="Return"/>.</summary>
    public bool TryTake([NotNullWhen(true)] out RecordBatch? batch)
    {
        bool isThere = _filled.Reader.TryRead(out (RecordBatch Batch, long ReadAt) next);
        if (isThere) TakenReadAt = next.ReadAt;
        batch = next.Batch;
        return isThere;
    }

    /// <summary>When the batch taken last was read, as a timestamp of the clock.</summary>
    public long TakenReadAt { get; private set; }

    /// <summary>Gives a batch back to be filled again.</summary>
    public void Return(RecordBatch batch) => _free.Writer.TryWrite(batch);

    /// <summary>Completes when there is a batch to take, or there will be none.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _filled.Reader.WaitToReadAsync(cancellationToken).AsTask();

    /// <summary>Stops reading; batches already read can still be taken.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (true)
            {
                RecordBatch batch = await _free.Reader.ReadAsync(_stop.Token).ConfigureAwait(false);
                long began = _time.GetTimestamp();
                ValueTask<bool> reading = _source.ReadAsync(batch, _stop.Token);
                // What had to be waited for says nothing of how long decoding takes.
                if (reading.IsCompletedSuccessfully) Decoded?.Invoke(_time.GetElapsedTime(began));
                if (!await reading.ConfigureAwait(false)) break;
                Taken?.Invoke(batch.Records);
                await _filled.Writer.WriteAsync((batch, _time.GetTimestamp())).ConfigureAwait(false);
            }

            _filled.Writer.Complete();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            _filled.Writer.Complete();
        }
        catch (Exception failure)
        {
            // Handed to the learner, which stops for it after what was read before.
            _filled.Writer.Complete(failure);
        }
    }
}
