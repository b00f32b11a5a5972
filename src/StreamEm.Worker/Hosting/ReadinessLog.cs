using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Hosting;

/// <summary>
/// Logs when something begins to keep the worker from its work and when nothing does any more, as <c>/readyz</c> tells it: brokers out of
/// reach, a full disk, a publisher that cannot publish.
/// </summary>
internal sealed class ReadinessLog(Func<IReadOnlyList<Obstacle>> obstacles, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Newcomers<(ObstacleKind, string)> _newcomers = new();

    /// <summary>Looks every second until <paramref name="stop"/>.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false)) Look();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The worker is stopping and says so itself.
        }
    }

    /// <summary>Logs what has changed since the last look.</summary>
    public void Look()
    {
        IReadOnlyList<Obstacle> now = obstacles();
        bool isReadyAgain = _newcomers.AnyKnown && now.Count == 0;
        foreach (Obstacle obstacle in _newcomers.Among(now, obstacle => (obstacle.Kind, obstacle.Subject)))
            WorkerLog.NotReady(log, obstacle.Text);
        if (isReadyAgain) WorkerLog.ReadyAgain(log);
    }
}
