using StreamEm.Sources;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Notices that the log has lost messages that were in it and that nobody had folded yet: who folds waits for others then, and sees nothing
/// wrong, while their worker waits for the model to pass them. So where something is under way and the model stands, the end of the log is
/// asked for. One that an open transaction holds back is no worse than one that was cut: what is sent again is a duplicate then. One
/// thread, which never waits for an answer.
/// </summary>
/// <param name="topics">The topics.</param>
/// <param name="inFlight">What is under way.</param>
/// <param name="time">The clock.</param>
internal sealed class LostTail(ScaleOutTopics topics, InFlight inFlight, TimeProvider time) : IDisposable
{
    /// <summary>How long the model stands before the end is asked for, and again.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private Task<long>? _question;
    private long _since = time.GetTimestamp(), _newest;

    /// <summary>Whether a question is out.</summary>
    public bool IsAsking => _question is not null;

    /// <summary>The model goes on.</summary>
    public void Restart() => _since = time.GetTimestamp();

    /// <summary>Looks at the answer, and asks when it is time.</summary>
    /// <returns>Whether something is lost and has to be worked on anew.</returns>
    public bool Look()
    {
        if (_question is { IsCompleted: true } answer)
        {
            _question = null;
            Restart();
            try
            {
                return answer.GetAwaiter().GetResult() <= _newest;
            }
            catch (Exception failure) when (failure is CommandException or SourceException or OperationCanceledException)
            {
                // Brokers that do not answer are others' to tell.
            }
        }

        if (_question is not null || time.GetElapsedTime(_since) < Patience) return false;
        if (inFlight.Newest is not { } newest)
        {
            Restart();
            return false;
        }

        _newest = newest;
        _question = Task.Factory.StartNew(
            () => topics.EndOfStatistics(_stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Cancel();
}
