using System.Collections.Concurrent;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// Does the work that new snapshots make - their JSON - beside the learner, one after the other in their order. Bounded: when so many wait,
/// the one who adds waits too, and nothing is left out. Life cycle: <see cref="Add"/> by one thread at a time, disposed once.
/// </summary>
internal sealed class SerializationLane : IAsyncDisposable
{
    /// <summary>Snapshots that may wait: enough to ride out a collection or a flush, little beside the outbox.</summary>
    public const int Capacity = 16;

    private readonly BlockingCollection<Action> _waiting = new(Capacity);
    private Task? _running;

    /// <summary>Has something done on the lane's thread; throws what ended the lane when that failed before.</summary>
    public void Add(Action work)
    {
        _running ??= Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            _waiting.Add(work);
        }
        catch (InvalidOperationException)
        {
            // Closed from the other end: what ended the lane is the cause.
            _running.GetAwaiter().GetResult();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _waiting.CompleteAdding();
        if (_running is not null) await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _waiting.Dispose();
    }

    private void Run()
    {
        try
        {
            foreach (Action work in _waiting.GetConsumingEnumerable()) work();
        }
        finally
        {
            _waiting.CompleteAdding();
        }
    }
}
