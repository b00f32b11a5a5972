using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>Makes the snapshot of every version: the learner's parameters with identity, time and source position; and logs what is new in it.</summary>
internal sealed class SnapshotMaker(ModelOptions options, ModelRun run, TimeProvider time, ILogger log)
{
    private IReadOnlyList<string> _warnings = [];

    /// <summary>The newest snapshot, of this process or of the checkpoint; null before the first.</summary>
    public SnapshotDocument? Latest { get; private set; } = run.From?.Latest;

    /// <summary>Makes the snapshot of the update just done.</summary>
    public SnapshotDocument Make()
    {
        Learner learner = run.Learner;
        ModelSnapshot made = learner.CreateSnapshot(options.Schema.Features) ?? throw new InvalidOperationException("An update left no parameters.");
        if (Latest is null) WorkerLog.ModelInitialized(log, options.Id, learner.Records + learner.Pending);
        Latest = new SnapshotDocument(made with
        {
            ModelId = options.Id,
            RunId = run.RunId,
            ConfigHash = options.ConfigHash,
            Version = learner.Updates,
            CreatedAt = time.GetUtcNow(),
            Source = run.Position.Partitions.ToDictionary(pair => pair.Key, pair => pair.Value.Next, StringComparer.Ordinal),
        });
        Tell(made.Training);
        return Latest;
    }

    private void Tell(TrainingReport training)
    {
        WorkerLog.ModelUpdated(log, options.Id, training.Updates, training.LastStepSize, training.MeanLogLikelihood);
        if (training.Warnings.SequenceEqual(_warnings)) return;
        // A warning that only its numbers changed in is told once.
        foreach (string warning in training.Warnings.Where(warning => !_warnings.Any(told => MessageKind.Of(told) == MessageKind.Of(warning)))) WorkerLog.ModelWarning(log, options.Id, warning);
        _warnings = training.Warnings;
    }
}
