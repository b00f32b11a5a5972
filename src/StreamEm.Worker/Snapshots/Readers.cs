using System.Reactive.Concurrency;
using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace StreamEm.Worker.Snapshots;

/// <summary>Ways to read a feed that never run on its thread nor make it wait: they end an observable's chain of operators.</summary>
internal static class Readers
{
    /// <summary>Waits for the first that is wanted; null when the feed ends before.</summary>
    /// <exception cref="OperationCanceledException">The caller stopped waiting.</exception>
    public static Task<T?> WaitForAsync<T>(this IObservable<T> feed, Func<T, bool> isWanted, CancellationToken cancellationToken)
        where T : class =>
        // Answered on the pool: what the reader does next must not hold up the thread that publishes.
        feed.FirstOrDefaultAsync(isWanted).ToTask<T?>(cancellationToken, TaskPoolScheduler.Default);

    /// <summary>The newest there is each time the reader comes back: a slow reader skips what came between.</summary>
    public static async IAsyncEnumerable<T> NewestAsync<T>(
        this IObservable<T> feed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Sample and Throttle go by the clock; this is one place that the newer takes over, read at the reader's own pace.
        var newest = Channel.CreateBounded<T>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        using IDisposable subscription = feed.Subscribe(item => newest.Writer.TryWrite(item), () => newest.Writer.TryComplete());
        await foreach (T item in newest.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return item;
    }
}
