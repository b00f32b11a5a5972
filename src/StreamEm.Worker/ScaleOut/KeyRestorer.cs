using System.Globalization;
using StreamEm.Core.Alarms;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>What the models of the keys of all partitions of a worker have in common.</summary>
/// <param name="MaxKeys">Models in memory, of each partition.</param>
/// <param name="IsNew">Told of keys that are new; null for nobody.</param>
/// <param name="Alarms">The alarms; null for none.</param>
internal sealed record KeyedParts(int MaxKeys, Action<KeyedPartition, string>? IsNew = null, AlarmWatch? Alarms = null);

/// <summary>Makes the models of the keys of partitions that this worker gets, as the topic of keys has them.</summary>
/// <param name="context">The model.</param>
/// <param name="topics">The topics.</param>
/// <param name="directory">Where those are that have no room in memory.</param>
internal sealed class KeyRestorer(ModelContext context, ScaleOutTopics topics, string directory) : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>No topic has the folder's name.</summary>
    private readonly KeyStandby? _standby = context.Options.ScaleOut is { Standby: true }
        ? new KeyStandby(context, topics, Path.Combine(directory, "+copies")) : null;

    /// <summary>The number of a partition of a topic.</summary>
    public static int NumberOf(string partition) =>
        int.Parse(partition.AsSpan(partition.LastIndexOf('/') + 1), CultureInfo.InvariantCulture);

    /// <summary>Makes the directory anew, and has copies follow what other workers have where that is wanted.</summary>
    public void Open()
    {
        Delete(directory);
        _standby?.Start();
    }

    /// <summary>Restores partitions.</summary>
    /// <param name="partitions">Which.</param>
    /// <param name="made">What each is made with.</param>
    /// <param name="holds">Asked now and then whether this worker still has them.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>Null where the partitions changed meanwhile.</returns>
    /// <exception cref="CommandException">The topic cannot be used.</exception>
    public IReadOnlyList<KeyedPartition>? TryRestore(
        string[] partitions, KeyedParts made, Func<bool> holds, CancellationToken stop)
    {
        long start = context.Time.GetTimestamp();
        topics.PrepareKeys(partitions.Max(NumberOf) + 1, stop);
        var copies = new Dictionary<int, KeyCopy>();
        foreach (int number in partitions.Select(NumberOf))
            if (_standby?.Hold(number) is { } copy) copies[number] = copy;
        Restored[] restored = [];
        try
        {
            for (; ; )
            {
                restored = [.. partitions.Select(partition => Begin(partition, made))];
                try
                {
                    var reading = new KeyReading(topics, restored.ToLookup(one => NumberOf(one.Part.Name), one => one.History), copies);
                    if (!reading.TryRead(Patient(holds), stop))
                    {
                        GiveBack(restored, partitions);
                        return null;
                    }

                    foreach (Restored one in restored) Finish(one, reading.Ends[NumberOf(one.Part.Name)]);
                    Tell(restored, reading, context.Time.GetElapsedTime(start));
                    return [.. restored.Select(one => one.Part)];
                }
                catch (KeyCopyException failure)
                {
                    _standby!.Drop(failure.Number, failure.Message);
                    copies.Remove(failure.Number);
                    foreach (Restored one in restored) Discard(one.Part);
                }
            }
        }
        catch
        {
            GiveBack(restored, partitions);
            throw;
        }
    }

    /// <summary>Closes one that this worker has no more, whose files nobody needs.</summary>
    public void Close(KeyedPartition part)
    {
        part.Dispose();
        Delete(DirectoryOf(part.Name));
        _standby?.Release(NumberOf(part.Name));
    }

    /// <inheritdoc/>
    public void Dispose() => _standby?.Dispose();

    private void GiveBack(Restored[] restored, string[] partitions)
    {
        foreach (Restored one in restored) Discard(one.Part);
        foreach (string partition in partitions) _standby?.Release(NumberOf(partition));
    }

    /// <summary>What was read of it is nothing.</summary>
    private void Discard(KeyedPartition part)
    {
        part.ForgetAlarms();
        part.Dispose();
        Delete(DirectoryOf(part.Name));
    }

    /// <summary>Asks now and then.</summary>
    private Func<bool> Patient(Func<bool> holds)
    {
        long looked = context.Time.GetTimestamp();
        return () =>
        {
            if (context.Time.GetElapsedTime(looked) < LookEvery) return true;
            looked = context.Time.GetTimestamp();
            return holds();
        };
    }

    private Restored Begin(string partition, KeyedParts made)
    {
        var part = new KeyedPartition(
            context.Options, partition, Guid.CreateVersion7(context.Time.GetUtcNow()), DirectoryOf(partition))
        { MaxKeys = made.MaxKeys, IsNew = made.IsNew, Alarms = made.Alarms };
        return new Restored(part, part.ReadHistory());
    }

    private void Tell(Restored[] restored, KeyReading reading, TimeSpan took)
    {
        long keys = restored.Sum(one => (long)one.History.Keys);
        context.Metrics.KeysRestored(keys, took);
        WorkerLog.KeysRestored(
            context.Log, context.Options.Id, keys, restored.Length, took.TotalSeconds, reading.Read, reading.Copied);
    }

    private void Finish(Restored restored, long end)
    {
        (KeyedPartition part, KeyHistory history) = restored;
        if (history.Schema is { } schema && schema != part.Schema)
            throw new CommandException(ExitCode.Configuration,
                $"scale_out: {topics.Keys.Description} holds models of keys of other features ({schema}; now {part.Schema}). Name "
                    + "another keys_topic, and they begin anew.");
        KeyStart? start = history.Finish();
        part.Restore(start, end);
        if (start is not null && start.Position < start.Marked)
            WorkerLog.KeysReadAgain(context.Log, context.Options.Id, part.Name, start.Position, start.Marked);
    }

    private string DirectoryOf(string partition) => Path.Combine([directory, .. partition.Split('/')]);

    private static void Delete(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    /// <summary>A partition, and what is read of it.</summary>
    private sealed record Restored(KeyedPartition Part, KeyHistory History);
}
