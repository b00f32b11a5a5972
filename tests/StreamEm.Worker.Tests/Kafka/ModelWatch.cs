using System.Diagnostics;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Follows a model that workers learn together, as each of them does: how far it is, and for how long it stood.</summary>
internal sealed class ModelWatch : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly SnapshotFeed _feed = new();
    private readonly ModelFollower _follower;
    private readonly Task _following, _measuring;
    private long _written;

    /// <summary>Begins; the topics are there.</summary>
    public ModelWatch(ModelOptions model)
    {
        _follower = new ModelFollower(new ScaleOutTopics(model, TimeProvider.System), _feed, TimeProvider.System);
        _following = Task.Factory.StartNew(
            () => _follower.Run(_stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _measuring = MeasureAsync();
    }

    /// <summary>Records that the source has, as whoever writes them says.</summary>
    public long Written
    {
        get => Volatile.Read(ref _written);
        set => Volatile.Write(ref _written, value);
    }

    /// <summary>Records of these that are in the model, those that could not be used among them.</summary>
    public long Read => _follower.Newest?.Rejections.Read ?? 0;

    /// <summary>The version of the parameters.</summary>
    public long Version => _follower.Newest?.Updates ?? 0;

    /// <summary>The longest time without a new record in the model while the source had some.</summary>
    public TimeSpan LongestStall { get; private set; }

    /// <summary>Waits until the model has so many records.</summary>
    public async Task<Checkpoint> Until(long read, TimeSpan? patience = null)
    {
        try
        {
            await Eventually.True(() => Read >= read || _following.IsCompleted, $"{read} records in the model", patience ?? Patience);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message} There are {Read}, and version {Version}.", late);
        }

        if (_following.IsCompleted) await _following;
        return _follower.Newest!;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await Task.WhenAll(_following, _measuring);
        }
        catch (OperationCanceledException)
        {
            // Asked to.
        }

        _feed.Dispose();
        _stop.Dispose();
    }

    private async Task MeasureAsync()
    {
        var standing = Stopwatch.StartNew();
        long read = Read;
        while (!_stop.IsCancellationRequested)
        {
            await Task.WhenAny(_follower.Changed, Task.Delay(100, _stop.Token));
            if (standing.Elapsed > LongestStall) LongestStall = standing.Elapsed;
            if (Read == read && Read < Written) continue;
            read = Read;
            standing.Restart();
        }
    }
}
