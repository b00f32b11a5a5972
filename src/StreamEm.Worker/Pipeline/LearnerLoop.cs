using System.Diagnostics;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// Takes batches and learns from them row by row, hands on a snapshot after every update, carries out what people ask, has checkpoints
/// written when they are due, and waits where there is nothing to do or too much on its way. See <see cref="Learn"/>. One thread, which
/// owns the state.
/// </summary>
internal sealed class LearnerLoop
{
    private readonly ModelContext _context;
    private readonly RunState _run;
    private readonly SourceReader _reader;
    private readonly StateKeeper _keeper;
    private readonly SnapshotDelivery _delivery;
    private readonly RecordFold _fold;
    private readonly MinibatchClock _clock;
    private readonly WarningLog _warnings;
    private readonly OrderDesk _desk;
    private readonly LearnerOrders _orders;
    private readonly UpdateSpans _spans;

    /// <summary>When the oldest records that are in no version were read.</summary>
    private long? _oldestReadAt;

    public LearnerLoop(
        ModelContext context, RunState run, SourceReader reader, StateKeeper keeper, SnapshotDelivery delivery, OrderDesk desk,
        SnapshotFeed feed)
    {
        (_context, _run, _reader, _keeper, _delivery, _desk) = (context, run, reader, keeper, delivery, desk);
        _clock = new MinibatchClock(context.Options, context.Time);
        Report = new RunReport(context, run);
        // What clients send cannot end the model: they are told, and held back.
        _fold = new RecordFold(
            run.Learner, run.Position, run.Rejections, run.RejectedTo, reader.Source.IsPushed ? 1 : Options.Rejected.StopAboveRatio)
        {
            Updated = OnUpdated,
            Rejected = OnRejected,
            Taking = OnTaking,
            Flushing = run.Candidates is { } candidates ? candidates.Flush : null,
        };
        _warnings = new WarningLog(Options.Id, context.Log);
        _orders = new LearnerOrders(context, run, delivery, feed)
        {
            Updated = OnReverted,
            // What waited did so because nothing was taken.
            Resumed = () => _clock.Pending(run.Learner, hasUpdated: true),
        };
        _spans = new UpdateSpans(context);
        Asked = new AskedOfLearner(run, delivery, keeper, context.Time, desk.Wake);
    }

    /// <summary>What others ask of the learner's thread.</summary>
    public AskedOfLearner Asked { get; }

    /// <summary>Tells where the model stands.</summary>
    public RunReport Report { get; }

    private ModelOptions Options => _context.Options;

    private ILogger Log => _context.Log;

    /// <summary>Learns until the source has ended or failed, too much was rejected, or a stop is asked for.</summary>
    /// <exception cref="CommandException">A publisher cannot go on, or a checkpoint could not be made durable.</exception>
    public PipelineEnd Learn(CancellationToken stop)
    {
        Begin();
        while (true)
        {
            ThrowIfStuck();
            if (stop.IsCancellationRequested) return Stopped();
            if (_run.IsPaused)
            {
                WaitForWork(stop);
            }
            else if (_reader.TryTake(out RecordBatch? batch))
            {
                // What a stop leaves of a batch is read again from its position; where it cannot be, the batch is learned from to its end.
                if (LearnFrom(batch, _reader.Source.IsReplayable ? stop : CancellationToken.None) is { } excess)
                    return TooManyRejected(excess);
            }
            else if (_reader.Ended.IsCompleted)
            {
                return SourceEnded();
            }
            else
            {
                // Only while nothing is at hand: what waits then is all there is.
                WaitForWork(stop);
                if (_clock.IsOverdue && _reader.Waiting == 0) CutMinibatch();
            }

            if (_desk.Asked.IsCompleted) LookUp();
            _keeper.KeepIfDue(_delivery.IsCheckpointDue);
            if (_delivery.IsFull) WaitForPublishers(stop);
        }
    }

    /// <summary>Looks at what a run that goes on has pending: with another configuration it may be enough for an update.</summary>
    private void Begin()
    {
        if (_run.IsPaused) return;
        long updates = _run.Learner.Updates;
        _fold.CatchUp();
        if (_run.Learner.Updates > updates) _keeper.Changed(_run.Learner.Updates);
        _clock.Pending(_run.Learner, hasUpdated: false);
    }

    private string? LearnFrom(RecordBatch batch, CancellationToken stop)
    {
        long updates = _run.Learner.Updates;
        if (batch.IsDecision)
        {
            _delivery.Decided(updates);
            // Where a partition starts cannot be found out again once records have come after a start at its end.
            if (batch.Count == 0 && !_run.Position.Partitions.ContainsKey(batch.PartitionName)) _keeper.Demand();
        }

        if (batch.Start.Skipped is { } skipped && skipped > (_run.Position.Partitions.GetValueOrDefault(batch.PartitionName)?.Skipped ?? 0))
            WorkerLog.RecordsSkipped(Log, Options.Id, batch.PartitionName, batch.Start.Next, skipped);
        (int records, long began) = (batch.Count, _context.Time.GetTimestamp());
        _run.Learner.Entering = _spans.Entering;
        if (records > 0) _oldestReadAt ??= _reader.TakenReadAt;
        string? excess = _fold.Fold(batch, stop);
        if (_run.Learner.Pending == 0) _oldestReadAt = null;
        if (records > 0) _context.Metrics.BatchLearned(records, _context.Time.GetElapsedTime(began));
        _reader.Return(batch);
        _clock.Pending(_run.Learner, hasUpdated: _run.Learner.Updates > updates);
        _keeper.Changed(_run.Learner.Updates);
        // The first version is what people wait for.
        if (updates == 0 && _run.Learner.Updates > 0) _keeper.Demand();
        if (_reader.Source.IsPushed && (batch.Rejected.Count > 0 || Report.Rejecting is not null)) Report.LookAtRejections();
        if (_delivery.AwaitsCheckpoint || _reader.Source.AwaitsAcknowledgement) _keeper.Demand();
        Report.Tell();
        return excess;
    }

    /// <summary>
    /// What waited too long, a minibatch or the buffer of the first parameters, is learned from as it is. Such a cut cannot be made again
    /// from the data alone: a checkpoint with it is written before the version is published.
    /// </summary>
    private void CutMinibatch()
    {
        _delivery.Decided(_run.Learner.Updates);
        _fold.Flush(hasEnded: false);
        _clock.Pending(_run.Learner, hasUpdated: true);
        _keeper.Demand();
        Report.Tell();
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

        WorkerLog.ModelStopped(Log, Options.Id, _run.Learner.Updates, _run.Learner.Records);
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
        if (!_reader.Source.IsPushed && _run.Rejections.Excess(Options.Rejected.StopAboveRatio, atEnd: true) is { } excess)
            return TooManyRejected(excess);
        _fold.Flush();
        if (_run.Latest is { } last && _delivery.TakeLast(last)) _keeper.Demand();
        _keeper.Changed(_run.Learner.Updates);
        Report.Tell();
        WorkerLog.SourceFinished(Log, Options.Id, _run.Learner.Updates, _run.Learner.Records, _run.Rejections.Rejected);
        return new PipelineEnd(ModelState.Finished);
    }

    private static PipelineEnd TooManyRejected(string excess) => new(ModelState.Failed, ExitCode.DataCorrupt, excess);

    private void WaitForWork(CancellationToken stop)
    {
        _run.RejectedTo.Flush();
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var events = new List<Task>(5)
        {
            _desk.Asked,
            _run.IsPaused ? Task.Delay(Timeout.InfiniteTimeSpan, _context.Time, awake.Token) : _reader.WaitAsync(awake.Token),
        };
        if (Earliest(_run.IsPaused ? null : _clock.Remaining, _keeper.Remaining) is { } timeout)
            events.Add(Task.Delay(timeout, _context.Time, awake.Token));
        if (_keeper.InFlight is { IsCompleted: false } writing) events.Add(writing);
        events.AddRange(_delivery.Publishing);
        Task.WaitAny([.. events], CancellationToken.None);
        awake.Cancel();
    }

    private void WaitForPublishers(CancellationToken stop)
    {
        WorkerLog.OutboxFull(Log, Options.Id, _delivery.Bytes);
        while (_delivery.IsFull && !stop.IsCancellationRequested && !_desk.Asked.IsCompleted)
        {
            Task acknowledged = _delivery.NextAcknowledgement;
            _keeper.Demand();
            _keeper.KeepIfDue(isUrgent: true);
            using var awake = CancellationTokenSource.CreateLinkedTokenSource(stop);
            Task.WaitAny(
                [acknowledged, _desk.Asked, Task.Delay(TimeSpan.FromSeconds(1), _context.Time, awake.Token), .. _delivery.Publishing],
                CancellationToken.None);
            awake.Cancel();
            ThrowIfStuck();
        }
    }

    private void ThrowIfStuck()
    {
        if (_keeper.InFlight.IsFaulted) _keeper.InFlight.GetAwaiter().GetResult();
        _delivery.ThrowIfFaulted();
    }

    private void OnTaking(TakenRecords taken)
    {
        _spans.Take(taken);
        _run.Keyed?.Take(taken.Made, taken.FirstMade, taken.Count);
        _context.Shown.Take(taken, _run.Rejections.Read);
        _run.Scores?.Take(taken, _run.Rejections.Read);
        _run.Candidates?.Take(taken.Made, taken.FirstMade, taken.Count);
    }

    private void OnUpdated()
    {
        using Activity? span = _spans.Begin(_run.Learner.Updates);
        if (_run.Latest is null) WorkerLog.ModelInitialized(Log, Options.Id, _run.Learner.Records + _run.Learner.Pending);
        SnapshotDocument made = _run.MakeSnapshot(_context.Time.GetUtcNow());
        TrainingReport training = made.Snapshot.Training;
        WorkerLog.ModelUpdated(Log, Options.Id, training.Updates, training.LastStepSize, training.MeanLogLikelihood);
        _warnings.Tell(training.Warnings);
        foreach (ComponentEvent item in made.Snapshot.Events)
            if (item.Version == training.Updates)
                WorkerLog.ComponentEvent(Log, Options.Id, item.Component ?? "all", SnakeCase.Of(item.Kind), item.Version);
        _run.Scores?.Updated();
        if (_oldestReadAt is { } read) _context.Metrics.VersionMade(_context.Time.GetElapsedTime(read));
        // What is left of the batch that filled the minibatch was read with it.
        _oldestReadAt = _reader.TakenReadAt;
        _delivery.Take(made);
        if (_delivery.AwaitsCheckpoint) _keeper.Demand();
    }

    /// <summary>Does what others asked for; what it changed is kept before anybody sees what comes of it.</summary>
    private void LookUp()
    {
        if (_desk.CarryOut(_orders))
        {
            _keeper.Demand();
            Report.Tell();
        }

        Asked.AnswerAll();
    }

    /// <summary>Another learner has come, with a version that no minibatch made.</summary>
    private void OnReverted()
    {
        _fold.Learner = _run.Learner;
        _run.Scores?.Follow(_run.Learner);
        OnUpdated();
        _clock.Pending(_run.Learner, hasUpdated: true);
        _keeper.Changed(_run.Learner.Updates);
    }

    private void OnRejected(RejectedRecord record)
    {
        _context.Metrics.SetRejected(record.Reason, _run.Rejections[record.Reason]);
        if (_run.Rejections.Rejected == 1)
            WorkerLog.FirstRejection(Log, Options.Id, SnakeCase.Of(record.Reason), record.PartitionName, record.Offset);
    }

    private static TimeSpan? Earliest(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other ?? one : one;
}
