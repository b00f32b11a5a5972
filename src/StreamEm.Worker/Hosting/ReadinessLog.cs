using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Hosting;

/// <summary>
/// Logs when something begins to keep the worker from its work and when nothing does any more, as <c>/readyz</c> tells it: brokers out of reach, a full
/// disk, a publisher that cannot publish.
/// </summary>
internal sealed class ReadinessLog(Func<IReadOnlyList<string>> obstacles, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private HashSet<string> _known = [];

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
        IReadOnlyList<string> now = obstacles();
        foreach (string obstacle in now.Where(obstacle => !_known.Contains(MessageKind.Of(obstacle)))) WorkerLog.NotReady(log, obstacle);
        if (_known.Count > 0 && now.Count == 0) WorkerLog.ReadyAgain(log);
        _known = [.. now.Select(MessageKind.Of)];
    }
}
