using StreamEm.Worker.Api;

namespace StreamEm.Worker.Hosting;

/// <summary>
/// Where it is asked that the configuration be read again. Who asks before a reading begins is answered by it, however many they are; who
/// asks during one gets the next. Thread-safe.
/// </summary>
internal sealed class ReloadDesk
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _asked = NewSignal();
    private TaskCompletionSource<ReloadReport> _answer = NewAnswer();
    private bool _isClosed;

    /// <summary>Completes when it is asked for.</summary>
    public Task Asked
    {
        get
        {
            lock (_lock) return _asked.Task;
        }
    }

    /// <summary>Asks for it.</summary>
    public Task<ReloadReport> AskAsync()
    {
        lock (_lock)
        {
            if (_isClosed) return Task.FromResult(Stopping);
            _asked.TrySetResult();
            return _answer.Task;
        }
    }

    /// <summary>Does it, and answers all that have asked.</summary>
    public async Task AnswerAsync(Func<Task<ReloadReport>> reload)
    {
        TaskCompletionSource<ReloadReport> answer;
        lock (_lock)
        {
            answer = _answer;
            (_asked, _answer) = (NewSignal(), NewAnswer());
        }

        try
        {
            answer.SetResult(await reload().ConfigureAwait(false));
        }
        finally
        {
            answer.TrySetResult(Stopping);
        }
    }

    /// <summary>Answers whoever waits, and whoever comes: the worker stops.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            _answer.TrySetResult(Stopping);
        }
    }

    private static ReloadReport Stopping => ReloadReport.Refused("The worker is stopping.");

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource<ReloadReport> NewAnswer() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
