using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// The one thread that owns a model's state. It takes batches, learns from them row by row, makes a snapshot after every update and hands
/// checkpoints to be written beside it. See <see cref="Run"/>: the whole life of a model, top to bottom.
/// </summary>
internal sealed class LearnerLoop
{
    /// <summary>Unpublished snapshots that no checkpoint holds yet: beyond this a checkpoint is due.</summary>
    private const long OutboxDue = 8L << 20;

    /// <summary>Unpublished snapshots in all: beyond this learning waits for the publishers.</summary>
    private const long OutboxLimit = 64L << 20;

    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(2.5);

    private readonly ModelOptions _options;
    private readonly ModelRun _run;
    private readonly RecordFold _fold;
    private readonly SourceReader _reader;
    private readonly CheckpointSchedule _checkpoints;
    private readonly Outbox _outbox;
    private readonly PublisherLanes _lanes;
    private readonly SnapshotDisplay _display;
    private readonly ModelMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationToken _stop;
    private readonly MinibatchClock _clock;
    private readonly SnapshotMaker _snapshots;
    private volatile ModelState _state;

    public LearnerLoop(
        ModelOptions options, ModelRun run, SourceReader reader, CheckpointWriter writer, Outbox outbox, PublisherLanes lanes,
        SnapshotDisplay display, ModelMetrics metrics, TimeProvider time, ILogger log, CancellationToken stop)
    {
        (_options, _run, _reader, _outbox, _lanes) = (options, run, reader, outbox, lanes);
        (_display, _metrics, _time, _log, _stop) = (display, metrics, time, log, stop);
        _clock = new MinibatchClock(options.MinibatchMaxWait, time);
        _fold = new RecordFold(run.Learner, run.Position, run.Rejections, run.RejectedTo, options.Rejected.StopAboveRatio)
        {
            Updated = OnUpdated,
            Rejected = OnRejected,
        };
        _checkpoints = new CheckpointSchedule(options.Checkpoint, writer, time, Capture, run.RejectedTo, run.Learner.Updates);
        _snapshots = new SnapshotMaker(options, run, time, log);
    }

    /// <summary>Where the model stands.</summary>
    public ModelState State => _state;

    /// <summary>From the first record to the last checkpoint. Never throws.</summary>
    public PipelineEnd Run()
    {
        using var deadline = new CancellationTokenSource();
        // Only what can be read again may be given up.
        using CancellationTokenRegistration stopping = _stop.Register(() =>
        {
            if (_reader.Source.IsReplayable) deadline.CancelAfter(StopDeadline);
        });
        using CancellationTokenRegistration abandoning = deadline.Token.Register(_run.RejectedTo.Abandon);
        try
        {
            Resume();
            PipelineEnd end = Learn();
            Settle(end, deadline);
            return end;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            Task.WaitAny(_checkpoints.InFlight);
            WarnOfRejected();
            return new PipelineEnd(ModelState.Stopped);
        }
        catch (CommandException failure)
        {
            return new PipelineEnd(ModelState.Failed, failure.ExitCode, failure.Message, failure);
        }
        catch (Exception fault)
        {
            return new PipelineEnd(ModelState.Failed, ExitCode.Internal, $"internal error: {fault.GetType().FullName}: {fault.Message}", fault);
        }
    }

    private void Resume()
    {
        if (_snapshots.Latest is { } restored) _display.Restored(restored);
        _lanes.Release(_run.Unpublished);
        if (_run.From is null)
        {
            // From here on the run has its identity and the length of the rejected file it started with, whenever it is killed.
            _checkpoints.Demand();
            _checkpoints.WriteNow();
        }

        Report();
        _reader.Start();
    }

    private PipelineEnd Learn()
    {
        while (true)
        {
            ThrowIfStuck();
            if (_stop.IsCancellationRequested) return Stopped();
            if (_reader.TryTake(out RecordBatch? batch))
            {
                // What a stop leaves of a batch is read again from its position; where it cannot be, the batch is learned from to its end.
                if (LearnFrom(batch, _reader.Source.IsReplayable ? _stop : CancellationToken.None) is { } excess) return TooManyRejected(excess);
            }
            else if (_reader.Ended.IsCompleted)
            {
                return SourceEnded();
            }
            else
            {
                WaitForWork();
            }

            if (_clock.IsOverdue && _run.Learner.Status == LearnerStatus.Learning) CutMinibatch();
            _checkpoints.BeginIfDue(isUrgent: _outbox.BytesSinceCapture > OutboxDue);
            if (_outbox.Bytes > OutboxLimit) WaitForPublishers();
        }
    }

    private string? LearnFrom(RecordBatch batch, CancellationToken stop)
    {
        long updates = _run.Learner.Updates;
        if (batch.IsDecision)
        {
            _display.Decided(updates);
            // Where a partition starts cannot be found out again once records have come after a start at its end.
            if (!_run.Position.Partitions.ContainsKey(batch.PartitionName)) _checkpoints.Demand();
        }

        if (batch.Start.Skipped is { } skipped && skipped > (_run.Position.Partitions.GetValueOrDefault(batch.PartitionName)?.Skipped ?? 0))
            WorkerLog.RecordsSkipped(_log, _options.Id, batch.PartitionName, batch.Start.Next, skipped);
        string? excess = _fold.Fold(batch, stop);
        _reader.Return(batch);
        _clock.Pending(_run.Learner.Pending, hasUpdated: _run.Learner.Updates > updates);
        _checkpoints.Changed(_run.Learner.Updates);
        // The first version is what people wait for.
        if (updates == 0 && _run.Learner.Updates > 0) _checkpoints.Demand();
        Report();
        return excess;
    }

    /// <summary>A minibatch that waited too long is learned from as it is. Such a cut cannot be made again from the data alone: a checkpoint
    /// with it is written before the version is published.</summary>
    private void CutMinibatch()
    {
        _display.Decided(_run.Learner.Updates);
        _fold.Flush();
        _clock.Pending(0, hasUpdated: true);
        _checkpoints.Demand();
        Report();
    }

    private PipelineEnd Stopped()
    {
        if (_reader.Source.IsReplayable)
        {
            _reader.StopAsync().GetAwaiter().GetResult();
        }
        else
        {
            LearnTheRest();
        }

        WorkerLog.ModelStopped(_log, _options.Id, _run.Learner.Updates, _run.Learner.Records);
        return new PipelineEnd(ModelState.Stopped);
    }

    /// <summary>What was read from a source that cannot be read again is learned from before the state is kept.</summary>
    private void LearnTheRest()
    {
        if (!_reader.Source.Complete()) _reader.StopAsync().GetAwaiter().GetResult();
        while (!_reader.Ended.IsCompleted)
        {
            if (_reader.TryTake(out RecordBatch? batch)) LearnFrom(batch, CancellationToken.None);
            else Task.WaitAny(_reader.WaitAsync(CancellationToken.None));
        }
    }

    private PipelineEnd SourceEnded()
    {
        if (_reader.Ended.Exception?.InnerException is { } failure) return PipelineEnd.OfSource(failure);
        if (_run.Rejections.Excess(_options.Rejected.StopAboveRatio, atEnd: true) is { } excess) return TooManyRejected(excess);
        _fold.Flush();
        if (_snapshots.Latest is { } last && _outbox.Add(last, isLast: true)) _checkpoints.Demand();
        _checkpoints.Changed(_run.Learner.Updates);
        Report();
        WorkerLog.SourceFinished(_log, _options.Id, _run.Learner.Updates, _run.Learner.Records, _run.Rejections.Rejected);
        return new PipelineEnd(ModelState.Finished);
    }

    private static PipelineEnd TooManyRejected(string excess) => new(ModelState.Failed, ExitCode.DataCorrupt, excess);

    /// <summary>Keeps the state and publishes what is left; a stop does not wait for a publisher for ever.</summary>
    private void Settle(PipelineEnd end, CancellationTokenSource deadline)
    {
        bool isReplayable = _reader.Source.IsReplayable, hasFailed = end.State == ModelState.Failed;
        if (hasFailed && isReplayable) deadline.CancelAfter(StopDeadline);
        try
        {
            _checkpoints.WriteNow();
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            WarnOfRejected();
        }

        using CancellationTokenRegistration stopping = isReplayable ? default : _stop.Register(() => deadline.CancelAfter(StopDeadline));
        if (hasFailed && !isReplayable) deadline.CancelAfter(StopDeadline);
        if (_lanes.Close(deadline.Token)) return;
        WorkerLog.ModelWarning(_log, _options.Id, "A publisher did not take every snapshot in time; the rest is in the checkpoint and is published at the next start.");
    }

    private void WarnOfRejected() => WorkerLog.ModelWarning(_log, _options.Id,
        "The rejected records were not acknowledged in time; the checkpoint before them is intact, and the records after it are read again at the next start.");

    private void WaitForWork()
    {
        _run.RejectedTo.Flush();
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(_stop);
        var events = new List<Task>(4) { _reader.WaitAsync(awake.Token) };
        if (Earliest(_clock.Remaining, _checkpoints.Remaining) is { } timeout) events.Add(Task.Delay(timeout, _time, awake.Token));
        if (_checkpoints.InFlight is { IsCompleted: false } writing) events.Add(writing);
        events.AddRange(_lanes.Publishing);
        Task.WaitAny([.. events], CancellationToken.None);
        awake.Cancel();
    }

    private void WaitForPublishers()
    {
        WorkerLog.OutboxFull(_log, _options.Id, _outbox.Bytes);
        while (_outbox.Bytes > OutboxLimit && !_stop.IsCancellationRequested)
        {
            Task acknowledged = _outbox.NextAcknowledgement;
            _checkpoints.Demand();
            _checkpoints.BeginIfDue(isUrgent: true);
            using var awake = CancellationTokenSource.CreateLinkedTokenSource(_stop);
            Task.WaitAny([acknowledged, Task.Delay(TimeSpan.FromSeconds(1), _time, awake.Token), .. _lanes.Publishing], CancellationToken.None);
            awake.Cancel();
            ThrowIfStuck();
        }
    }

    private void ThrowIfStuck()
    {
        if (_checkpoints.InFlight.IsFaulted) _checkpoints.InFlight.GetAwaiter().GetResult();
        _lanes.ThrowIfFaulted();
    }

    private void OnUpdated()
    {
        SnapshotDocument made = _snapshots.Make();
        _outbox.Add(made, isLast: false);
        _display.Made(made);
        if (_display.AwaitsCheckpoint) _checkpoints.Demand();
    }

    private void OnRejected(RejectedRecord record)
    {
        _metrics.SetRejected(record.Reason, _run.Rejections[record.Reason]);
        if (_run.Rejections.Rejected == 1) WorkerLog.FirstRejection(_log, _options.Id, SnakeCase.Of(record.Reason), record.PartitionName, record.Offset);
    }

    private void Report()
    {
        _metrics.Records = _run.Rejections.Read - _run.Rejections.Rejected;
        _metrics.Pending = _run.Learner.Pending;
        foreach (RejectionReason reason in Enum.GetValues<RejectionReason>()) _metrics.SetRejected(reason, _run.Rejections[reason]);
        _state = _run.Learner.Status switch
        {
            LearnerStatus.Waiting => ModelState.Waiting,
            LearnerStatus.WarmingUp => ModelState.WarmingUp,
            _ => ModelState.Learning,
        };
    }

    private Checkpoint Capture() => _run.Capture(_options, _snapshots.Latest, _outbox.Capture(), _time.GetUtcNow());

    private static TimeSpan? Earliest(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other ?? one : one;
}
