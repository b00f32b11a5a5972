using System.Diagnostics;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// Writes checkpoints beside the learner, one at a time: the learner hands over an immutable value and goes on. What waits for the disk
/// (publishing) is told when a checkpoint is safe. An error of fsync ends the worker: what the kernel may have dropped is not to be
/// trusted. A full disk is waited out on the checkpoint before.
/// </summary>
public sealed class CheckpointWriter(CheckpointDirectory directory, ModelMetrics metrics, TimeProvider time, ILogger log)
{
    private Task _inFlight = Task.CompletedTask;

    /// <summary>Called on the writing thread after a checkpoint has become durable.</summary>
    public required Action<Checkpoint> Durable { get; init; }

    /// <summary>Whether a checkpoint is being written.</summary>
    public bool IsBusy => !_inFlight.IsCompleted;

    /// <summary>Ends when the checkpoint being written is done; throws what stopped it.</summary>
    public Task InFlight => _inFlight;

    /// <summary>Why the last attempt failed on a full disk; null when it did not.</summary>
    public Obstacle? Obstacle { get; private set; }

    /// <summary>
    /// Starts writing; <paramref name="before"/> runs first on the writing thread (flushing what the checkpoint refers to).
    /// </summary>
    /// <exception cref="InvalidOperationException">One is being written.</exception>
    public void Begin(Checkpoint checkpoint, Action before)
    {
        if (IsBusy) throw new InvalidOperationException("A checkpoint is being written.");
        _inFlight.GetAwaiter().GetResult();
        _inFlight = Task.Factory
            .StartNew(() => Write(checkpoint, before), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Write(Checkpoint checkpoint, Action before)
    {
        long start = time.GetTimestamp();
        using Activity? span = WorkerTraces.Begin("checkpoint", checkpoint.ModelId, checkpoint.Updates);
        try
        {
            before();
            long size = directory.Write(checkpoint);
            TimeSpan took = time.GetElapsedTime(start);
            Obstacle = null;
            metrics.CheckpointWritten(size, took, time.GetUtcNow());
            WorkerLog.CheckpointWritten(log, checkpoint.ModelId, checkpoint.Updates, checkpoint.Records, size, took.TotalMilliseconds);
        }
        catch (IOException failure) when (failure.HResult == DurableFile.NoSpaceLeft)
        {
            Obstacle = new Obstacle(ObstacleKind.CheckpointsNotWritten, "the disk is full");
            metrics.CheckpointFailed("no_space");
            WorkerLog.CheckpointFailed(log, checkpoint.ModelId, failure.Message);
            return;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            metrics.CheckpointFailed(failure is IOException ? "io" : "denied");
            throw new CommandException(ExitCode.InputOutput,
                $"The checkpoint of model '{checkpoint.ModelId}' could not be made durable: {failure.Message} The worker stops; the "
                    + "checkpoint before is intact.", failure);
        }

        Debug.Assert(Obstacle is null);
        Durable(checkpoint);
    }
}
