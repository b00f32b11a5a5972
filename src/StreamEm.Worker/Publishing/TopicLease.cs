using System.Globalization;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// Who may publish a model to a topic: the run whose record is the newest under the model's id, in its newest start; or a run that says it
/// takes that one's place. A worker that is gone cannot be told from one that is slow, so nothing expires: whoever wants the place of
/// another run has to say so.
/// </summary>
/// <param name="claim">The run that publishes, and its start.</param>
/// <param name="modelId">The model's id.</param>
/// <param name="topic">The topic, as messages call it.</param>
internal sealed class TopicLease(RunClaim claim, string modelId, string topic)
{
    /// <summary>How many predecessors a record names.</summary>
    public const int MostPredecessors = 16;

    private const string Section = "publish.kafka";

    /// <summary>What keeps this start from publishing, by the newest record that was there before it; null when nothing does.</summary>
    public CommandException? Refusal(SnapshotHeaders? newest)
    {
        if (newest is null || claim.Predecessors.Contains(newest.RunId)) return null;
        if (newest.RunId != claim.RunId)
            return new CommandException(ExitCode.CannotCreate,
                $"{Section}: {topic} holds model '{modelId}' of another run, {Described(newest)}; this is run {claim.RunId}. Two workers "
                    + "that publish one id overwrite each other. Give this model an id or a topic of its own; or, when that worker has "
                    + $"ended for good, take its place: {Section}.take_over: {newest.RunId}");
        if (newest.Incarnation <= claim.KnownIncarnation) return null;
        return new CommandException(ExitCode.CannotCreate,
            $"{Section}: {topic} holds model '{modelId}' of this run, {Described(newest)}, and a later start of it than this state knows "
                + "of: the state directory is a copy, or was restored from a backup. Stop the worker that has the other one; when it has "
                + $"ended for good, go on from here: {Section}.take_over: {newest.RunId}");
    }

    /// <summary>Looks at a record that came after the start had looked at the topic.</summary>
    /// <param name="seen">What it says of itself.</param>
    /// <param name="isBeforeOurs">Whether it is before the first record of this start.</param>
    /// <param name="isStranger">Whether another run publishes beside this one, which is to give way.</param>
    /// <exception cref="CommandException">The place is taken: this start publishes no more (75).</exception>
    public void Look(SnapshotHeaders seen, bool isBeforeOurs, out bool isStranger)
    {
        isStranger = false;
        if (seen.RunId == claim.RunId)
        {
            if (seen.Incarnation > claim.Incarnation) throw Lost(seen, "a later start of this run publishes it now");
            return;
        }

        if (seen.Predecessors.Contains(claim.RunId)) throw Lost(seen, "another run has taken the place of this one");
        // A predecessor's last words.
        if (claim.Predecessors.Contains(seen.RunId)) return;
        if (isBeforeOurs) throw Lost(seen, "another run was first");
        isStranger = true;
    }

    private CommandException Lost(SnapshotHeaders seen, string how) => new(ExitCode.TryAgain,
        $"{Section}: {topic}: model '{modelId}' of run {claim.RunId} is not published any more: {how}, {Described(seen)}. One worker may "
            + "publish an id: stop the one that is not meant to, or give it an id of its own.");

    private static string Described(SnapshotHeaders seen)
    {
        string start = seen.Incarnation > 0 ? $", started {Time(DateTimeOffset.FromUnixTimeMilliseconds(seen.Incarnation))}" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{seen.RunId} (version {seen.Version} of {Time(seen.CreatedAt)}{(seen.Host is { } host ? $" from {host}" : "")}{start})");
    }

    private static string Time(DateTimeOffset time) => SnapshotJson.Timestamp(time);
}
