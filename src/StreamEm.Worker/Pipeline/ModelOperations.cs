using System.Globalization;
using StreamEm.Core.Estimation;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// What a person may ask of a model while it runs: to keep its state, to pause and go on, to go back to an earlier version, and to serve
/// one version whatever is learned. Each answers when it is on disk. Any thread.
/// </summary>
internal sealed class ModelOperations(ModelPipeline model, OrderDesk desk, string stateDirectory)
{
    private ModelOptions Options => model.Options;

    /// <summary>Has the state kept now.</summary>
    public Task<OrderOutcome> CheckpointAsync() => desk.PlaceAsync(_ => false);

    /// <summary>Takes no more records; they wait in their source.</summary>
    public Task<OrderOutcome> PauseAsync() => desk.PlaceAsync(orders => orders.Pause());

    /// <summary>Takes records again.</summary>
    public Task<OrderOutcome> ResumeAsync() => desk.PlaceAsync(orders => orders.Resume());

    /// <summary>Goes back to a version that is kept: its parameters are those of a new version, and learning goes on from there.</summary>
    /// <exception cref="OrderRefusedException">It is not kept, or the model cannot go on from it.</exception>
    public async Task<OrderOutcome> RevertAsync(long version)
    {
        if (model.Feed.Latest?.Version == version)
            throw new OrderRefusedException(OrderRefusal.Impossible, string.Create(CultureInfo.InvariantCulture,
                $"Version {version} is the newest of model '{Options.Id}': there is nothing to go back from."));
        Learner earlier = await Task.Run(() => LearnerAt(version)).ConfigureAwait(false);
        return await desk.PlaceAsync(orders => orders.Revert(earlier)).ConfigureAwait(false);
    }

    /// <summary>Serves and publishes a version that is kept, whatever is learned; null: the newest there is.</summary>
    /// <exception cref="OrderRefusedException">It is not kept.</exception>
    public async Task<OrderOutcome> PinAsync(long? version)
    {
        SnapshotDocument? document = version is { } wanted
            ? await Task.Run(() => model.Find(wanted) ?? HolderOf(wanted)?.Latest).ConfigureAwait(false)
            : model.Feed.Served;
        if (document is null)
            throw version is null
                ? new OrderRefusedException(OrderRefusal.NotKept, $"Model '{Options.Id}' has no version yet.")
                : NotKept(version.Value);
        return await desk.PlaceAsync(orders => orders.Pin(document)).ConfigureAwait(false);
    }

    /// <summary>Serves and publishes the newest version again.</summary>
    public Task<OrderOutcome> UnpinAsync() => desk.PlaceAsync(orders => orders.Pin(null));

    /// <summary>A learner that stands at a version: of a checkpoint where one holds it, else begun from its snapshot.</summary>
    private Learner LearnerAt(long version)
    {
        try
        {
            if (HolderOf(version) is { } checkpoint)
            {
                ModelOptions options = KeptRecursion.Of(Options, checkpoint);
                StateBinding? binding = StateBinding.Of(options, checkpoint);
                if (binding?.Refusal(acceptsModelChange: false) is not { } refusal)
                    return StateRestore.Learner(options, checkpoint, binding);
                throw new OrderRefusedException(OrderRefusal.Impossible, refusal);
            }

            SnapshotDocument document = model.Find(version) ?? throw NotKept(version);
            Recursion recursion = model.Feed.Latest?.Snapshot.Training.Recursion ?? Options.Learning.Recursion;
            return new Learner(Options.Model, Options.Schema, Options.Learning with { Recursion = recursion },
                SnapshotReader.ReadInitialParameters(document.Json));
        }
        catch (Exception failure) when (failure is CommandException or ArgumentException or ArithmeticException or InvalidDataException)
        {
            throw new OrderRefusedException(OrderRefusal.Impossible, string.Create(CultureInfo.InvariantCulture,
                $"Model '{Options.Id}' cannot go back to version {version}: {failure.Message}"), failure);
        }
    }

    private Checkpoint? HolderOf(long version) => new StateDirectory(stateDirectory).HolderOf(Options.Id, version);

    private OrderRefusedException NotKept(long version) => new(OrderRefusal.NotKept, string.Create(CultureInfo.InvariantCulture,
        $"Version {version} of model '{Options.Id}' is not kept. Those that are: GET /v1/models/{Options.Id}/snapshots; snapshots.keep, "
            + $"snapshots.archive_every and checkpoint.keep set how many."));
}
