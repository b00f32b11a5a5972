using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// The life of one model's thread, first to last: shows what is restored, learns (<see cref="LearnerLoop"/>), keeps the state and has the
/// rest published. What a stop may give up is decided here: only what can be read again.
/// </summary>
internal sealed class LearnerThread(
    ModelContext context, RunStart start, SourceReader reader, StateKeeper keeper, SnapshotDelivery delivery, OrderDesk desk,
    SnapshotFeed feed)
{
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(2.5);

    private readonly TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LearnerLoop _loop = new(context, start.Run, reader, keeper, delivery, desk, feed);

    /// <summary>Where the model stands.</summary>
    public ModelState State => _loop.Report.State;

    /// <summary>What is said of too large a share of rejected records; see <see cref="RunReport.Rejecting"/>.</summary>
    public string? Rejecting => _loop.Report.Rejecting;

    /// <summary>Completes when the run is on disk with its settings as they are now, and begins to read.</summary>
    public Task Resumed => _resumed.Task;

    /// <summary>What others ask of the thread.</summary>
    public AskedOfLearner Asked => _loop.Asked;

    private bool IsReplayable => reader.Source.IsReplayable;

    /// <summary>From the first record to the last checkpoint. Never throws.</summary>
    public PipelineEnd Run(CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource();
        using CancellationTokenRegistration stopping = stop.Register(() =>
        {
            if (IsReplayable) deadline.CancelAfter(StopDeadline);
        });
        using CancellationTokenRegistration abandoning = deadline.Token.Register(start.Run.RejectedTo.Abandon);
        try
        {
            Resume();
            PipelineEnd end = _loop.Learn(stop);
            Settle(end, deadline, stop);
            return end;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            Task.WaitAny([keeper.InFlight], CancellationToken.None);
            WarnOfRejected();
            return new PipelineEnd(ModelState.Stopped);
        }
        catch (Exception failure)
        {
            // A checkpoint that is being written is written first: once the end is told, the state may be another start's.
            Task.WaitAny([keeper.InFlight], StopDeadline);
            return PipelineEnd.OfFailure(failure);
        }
        finally
        {
            _loop.Asked.Close();
        }
    }

    private void Resume()
    {
        delivery.Restore(start, IsReplayable);
        // From here on the run has its identity and the length of the rejected file it started with, whenever it is killed, this start has
        // its number, and what is learned is of the configuration as it is now.
        keeper.Demand();
        bool isKept = keeper.TryKeepNow();
        // A start that changes nothing waits out a full disk as ever.
        if (!isKept && (start.IsNew || start.HasChanged)) keeper.KeepNow();
        _loop.Report.Tell();
        if (start.Run.IsPaused) WorkerLog.StillPaused(context.Log, context.Options.Id);
        reader.Start();
        _resumed.TrySetResult();
    }

    /// <summary>Keeps the state and publishes what is left; a stop does not wait for a publisher for ever.</summary>
    private void Settle(PipelineEnd end, CancellationTokenSource deadline, CancellationToken stop)
    {
        bool hasFailed = end.State == ModelState.Failed;
        start.Run.IsFinal = true;
        keeper.Demand();
        if (hasFailed && IsReplayable) deadline.CancelAfter(StopDeadline);
        try
        {
            keeper.KeepNow();
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            WarnOfRejected();
        }

        using CancellationTokenRegistration stopping = IsReplayable ? default : stop.Register(() => deadline.CancelAfter(StopDeadline));
        if (hasFailed && !IsReplayable) deadline.CancelAfter(StopDeadline);
        bool tookAll = delivery.Close(deadline.Token);
        if (delivery.HasNews && !deadline.IsCancellationRequested)
        {
            // What is known to be there is not sent again at the next start.
            keeper.Demand();
            keeper.KeepNow();
        }

        if (tookAll) return;
        WorkerLog.ModelWarning(context.Log, context.Options.Id,
            "A publisher or a sink of scores did not take all in time; the rest is in the checkpoint and goes out at the next start.");
    }

    private void WarnOfRejected() => WorkerLog.ModelWarning(context.Log, context.Options.Id,
        "The rejected records were not acknowledged in time; the checkpoint before them is intact, and the records after it are read again "
            + "at the next start.");
}
