using System.Buffers;
using System.Globalization;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// Changes to a state directory that nobody uses: its lock is held. Each is durable when it returns; one that is interrupted has happened
/// or not.
/// </summary>
internal static class StateChange
{
    private const string Rejected = "rejected.ndjson";

    /// <summary>Deletes what a model has learned, and notes which run ended so.</summary>
    /// <exception cref="CommandException">It cannot be written (74).</exception>
    public static void Reset(StateDirectory directory, string id) => Write(directory, () =>
    {
        string folder = directory.FolderOf(id);
        if (directory.NewestOf(id) is { } newest)
            StateDirectory.WritePredecessors(folder, [.. newest.Predecessors ?? [], newest.RunId]);
        // The newest last: were this interrupted, the model would be where it was, or gone.
        foreach (KeptCheckpoint kept in directory.CheckpointsOf(id).Reverse()) File.Delete(kept.File);
        DurableFile.SyncDirectory(folder);
        string keys = Path.Combine(folder, CheckpointDirectory.KeysFolder);
        if (Directory.Exists(keys)) Directory.Delete(keys, recursive: true);
    });

    /// <summary>Gives a model another id.</summary>
    /// <exception cref="CommandException">The id is taken (73), no checkpoint can be used (65), or it cannot be written (74).</exception>
    public static void Rename(StateDirectory directory, string from, string to, TimeProvider time) => Write(directory, () =>
    {
        string source = directory.FolderOf(from), target = directory.FolderOf(to), made = directory.FolderOf($".{to}.new");
        if (Directory.Exists(target))
            throw new CommandException(ExitCode.CannotCreate,
                $"There is '{target}' already. Reset that model and remove its folder, or choose another id.");
        List<KeptCheckpoint> kept = Usable(directory, from);
        if (Directory.Exists(made)) Directory.Delete(made, recursive: true);
        DurableFile.CreateDirectory(made, DurableFile.PrivateDirectory);
        foreach (KeptCheckpoint one in kept)
        {
            Checkpoint renamed = WithIdentity(one.Checkpoint!, one.Checkpoint!.Identity with { ModelId = to }) with
            {
                History = RunEvent.Append(one.Checkpoint.History,
                    [new RunEvent(time.GetUtcNow(), one.Checkpoint.Updates, $"id: {from} -> {to}")]),
            };
            StateDirectory.WriteDurably(
                StateDirectory.FileOf(made, StateDirectory.SequenceOf(one.File)), CheckpointFile.Encode(renamed));
        }

        string rejected = Path.Combine(source, Rejected);
        if (File.Exists(rejected)) File.Move(rejected, Path.Combine(made, Rejected));
        string keys = Path.Combine(source, CheckpointDirectory.KeysFolder);
        if (Directory.Exists(keys)) CopyKeys(keys, Path.Combine(made, CheckpointDirectory.KeysFolder));
        DurableFile.SyncDirectory(made);
        Directory.Move(made, target);
        DurableFile.SyncDirectory(directory.Path);
        Directory.Delete(source, recursive: true);
        DurableFile.SyncDirectory(directory.Path);
    });

    /// <summary>
    /// Goes back to a version that a checkpoint holds, as a run of its own: the versions after it will be other ones than those of the run
    /// it was of.
    /// </summary>
    /// <param name="directory">The state directory.</param>
    /// <param name="id">The model.</param>
    /// <param name="version">The version.</param>
    /// <param name="keepPosition">Whether reading goes on where it is now.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="CommandException">No checkpoint holds the version (66), none can be used (65), or it cannot be written
    /// (74).</exception>
    public static void Rollback(StateDirectory directory, string id, long version, bool keepPosition, TimeProvider time) =>
        Write(directory, () =>
        {
            List<KeptCheckpoint> kept = Usable(directory, id);
            Checkpoint newest = kept[0].Checkpoint!;
            // Of several of one version the last, which has read the most.
            Checkpoint then = kept.Find(one => one.Checkpoint!.Updates == version)?.Checkpoint ?? throw new CommandException(
                ExitCode.InputMissing, string.Create(CultureInfo.InvariantCulture,
                    $"No checkpoint holds version {version} of model '{id}'; those kept hold "
                        + $"{string.Join(", ", kept.Select(one => one.Checkpoint!.Updates).Distinct())}, checkpoint.keep sets how many. Or "
                        + $"start a new run from a published snapshot of that version: learning.initialization.from."));
            RunIdentity identity = then.Identity with { RunId = RunIdentity.New(id, then.ConfigHash, time).RunId };
            Checkpoint back = WithIdentity(then, identity) with
            {
                CreatedAt = time.GetUtcNow(),
                Outbox = [],
                Incarnation = newest.Incarnation,
                IsFinal = true,
                Position = keepPosition ? newest.Position : then.Position,
                Rejections = newest.Rejections,
                RejectedFileLength = newest.RejectedFileLength,
                Predecessors = [.. newest.Predecessors ?? [], newest.RunId],
                History = RunEvent.Append(newest.History,
                    [new RunEvent(time.GetUtcNow(), version, string.Create(CultureInfo.InvariantCulture,
                        $"rolled back from version {newest.Updates} of run {newest.RunId} to {version}"))]),
            };
            string folder = directory.FolderOf(id);
            long sequence = StateDirectory.SequenceOf(directory.CheckpointsOf(id)[0].File) + 1;
            StateDirectory.WriteDurably(StateDirectory.FileOf(folder, sequence), CheckpointFile.Encode(back));
            DurableFile.SyncDirectory(folder);
            foreach (KeptCheckpoint later in kept.Where(one => one.Checkpoint!.Updates > version)) File.Delete(later.File);
            DurableFile.SyncDirectory(folder);
        });

    /// <summary>Copies the files of keys: an interrupted change leaves those that the checkpoints there name.</summary>
    private static void CopyKeys(string from, string to)
    {
        DurableFile.CreateDirectory(to, DurableFile.PrivateDirectory);
        foreach (string file in Directory.EnumerateFiles(from))
        {
            string copy = Path.Combine(to, Path.GetFileName(file));
            File.Copy(file, copy);
            using FileStream copied = DurableFile.Open(copy, FileMode.Open, FileShare.Read);
            DurableFile.Sync(copied.SafeFileHandle, copy);
        }

        DurableFile.SyncDirectory(to);
    }

    private static List<KeptCheckpoint> Usable(StateDirectory directory, string id)
    {
        IReadOnlyList<KeptCheckpoint> all = directory.CheckpointsOf(id);
        List<KeptCheckpoint> usable = [.. all.Where(one => one.Checkpoint is not null)];
        return usable.Count > 0
            ? usable
            : throw new CommandException(
                ExitCode.DataCorrupt, $"None of the {all.Count} checkpoints of model '{id}' can be used: {all[0].Damage}");
    }

    /// <summary>A checkpoint of another identity, which its snapshots then have too.</summary>
    public static Checkpoint WithIdentity(Checkpoint checkpoint, RunIdentity identity) => checkpoint with
    {
        ModelId = identity.ModelId,
        RunId = identity.RunId,
        Latest = checkpoint.Latest is { } latest ? SnapshotDocument.Parse(Stamped(latest.Json, identity)) : null,
        Outbox = [.. checkpoint.Outbox
            .Select(entry => new OutboxEntry(entry.Version, entry.IsLast, Stamped(entry.Json, identity), entry.IsAcknowledged))],
    };

    private static ReadOnlyMemory<byte> Stamped(ReadOnlyMemory<byte> json, RunIdentity identity)
    {
        ModelSnapshot snapshot = SnapshotReader.Read(json);
        ModelSnapshot other = snapshot with { Origin = snapshot.Origin with { ModelId = identity.ModelId, RunId = identity.RunId } };
        // The same parameters as another snapshot: it comes from the one it was.
        if (snapshot.Ancestry is { } before)
            other = other with { Ancestry = Ancestry.Of(other, [new SnapshotParent(snapshot.RunId, snapshot.Version, before.Hash)]) };
        var output = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(other, output);
        return output.WrittenMemory;
    }

    private static void Write(StateDirectory directory, Action change)
    {
        try
        {
            change();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                ExitCode.InputOutput, $"The state directory '{directory.Path}' could not be changed: {failure.Message}", failure);
        }
    }
}
