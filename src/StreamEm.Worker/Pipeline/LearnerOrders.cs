using System.Globalization;
using StreamEm.Core.Learning;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// What a person may ask of a learner, done between two minibatches on its thread: each changes the run and notes it in its history. What
/// is learned after it depends on it, so the next checkpoint holds it before anybody sees what came of it.
/// </summary>
/// <param name="context">The model.</param>
/// <param name="run">Its run.</param>
/// <param name="delivery">Where its versions go.</param>
/// <param name="feed">Its versions as they are served.</param>
internal sealed class LearnerOrders(ModelContext context, RunState run, SnapshotDelivery delivery, SnapshotFeed feed)
{
    /// <summary>Called when there is a version that no minibatch made.</summary>
    public required Action Updated { get; init; }

    /// <summary>Called when records are taken again.</summary>
    public required Action Resumed { get; init; }

    /// <summary>Where the model stands.</summary>
    /// <param name="hasChanged">Whether it stood otherwise before.</param>
    public OrderOutcome Outcome(bool hasChanged) =>
        new(run.Learner.Updates, run.Learner.Records, run.IsPaused, run.Pinned?.Version, hasChanged);

    /// <summary>Takes no more records until <see cref="Resume"/>.</summary>
    public bool Pause()
    {
        if (run.IsPaused) return false;
        run.IsPaused = true;
        Note("paused");
        return true;
    }

    /// <summary>Takes records again.</summary>
    public bool Resume()
    {
        if (!run.IsPaused) return false;
        run.IsPaused = false;
        Note("resumed");
        Resumed();
        return true;
    }

    /// <summary>Goes back to an earlier version: its parameters are the next version's.</summary>
    /// <param name="earlier">A learner that stands there; not used any more.</param>
    /// <exception cref="OrderRefusedException">It does not fit what there is.</exception>
    public bool Revert(Learner earlier)
    {
        long version = earlier.Updates, from = run.Learner.Updates;
        Learner reverted;
        try
        {
            reverted = run.Learner.GoBackTo(earlier);
        }
        catch (ArgumentException failure)
        {
            throw new OrderRefusedException(OrderRefusal.Impossible,
                $"Version {version} of model '{context.Options.Id}' cannot be gone on from: {failure.Message}.", failure);
        }

        run.Learner = reverted;
        Note(string.Create(CultureInfo.InvariantCulture, $"reverted from version {from} to {version}, which is version {from + 1} now"));
        delivery.Decided(from);
        Updated();
        return true;
    }

    /// <summary>Serves and publishes one version, whatever is learned.</summary>
    /// <param name="document">The version; null: the newest again.</param>
    public bool Pin(SnapshotDocument? document)
    {
        if (run.Pinned?.Version == document?.Version && run.Pinned?.Snapshot.RunId == document?.Snapshot.RunId) return false;
        run.Pinned = document;
        delivery.IsHeld = document is not null;
        feed.Pin(document);
        if (document is null && run.Latest is { } latest) delivery.Offer(latest);
        Note(document is null
            ? "unpinned"
            : string.Create(CultureInfo.InvariantCulture, $"pinned version {document.Version} of run {document.Snapshot.RunId}"));
        return true;
    }

    private void Note(string text) =>
        run.History = RunEvent.Append(run.History, [new RunEvent(context.Time.GetUtcNow(), run.Learner.Updates, text)]);
}
