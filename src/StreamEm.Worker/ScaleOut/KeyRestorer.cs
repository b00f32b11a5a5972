using System.Globalization;
using Confluent.Kafka;
using StreamEm.Core.Alarms;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
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
internal sealed class KeyRestorer(ModelContext context, ScaleOutTopics topics, string directory)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>The number of a partition of a topic.</summary>
    public static int NumberOf(string partition) =>
        int.Parse(partition.AsSpan(partition.LastIndexOf('/') + 1), CultureInfo.InvariantCulture);

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
        Restored[] restored = [.. partitions.Select(partition => Begin(partition, made))];
        try
        {
            if (Read(restored, holds, stop) is not { } ends)
            {
                foreach (Restored one in restored) Close(one.Part);
                return null;
            }

            foreach (Restored one in restored) Finish(one, ends[NumberOf(one.Part.Name)]);
        }
        catch
        {
            foreach (Restored one in restored) Close(one.Part);
            throw;
        }

        TimeSpan took = context.Time.GetElapsedTime(start);
        long keys = restored.Sum(one => (long)one.History.Keys);
        context.Metrics.KeysRestored(keys, took);
        WorkerLog.KeysRestored(context.Log, context.Options.Id, keys, partitions.Length, took.TotalSeconds);
        return [.. restored.Select(one => one.Part)];
    }

    /// <summary>Closes one, whose files nobody needs any more.</summary>
    public void Close(KeyedPartition part)
    {
        part.Dispose();
        Delete(DirectoryOf(part.Name));
    }

    /// <summary>Deletes what is there of another run.</summary>
    public void DeleteFiles() => Delete(directory);

    private Restored Begin(string partition, KeyedParts made)
    {
        var part = new KeyedPartition(
            context.Options, partition, Guid.CreateVersion7(context.Time.GetUtcNow()), DirectoryOf(partition))
        { MaxKeys = made.MaxKeys, IsNew = made.IsNew, Alarms = made.Alarms };
        return new Restored(part, part.ReadHistory());
    }

    /// <summary>Reads the topic's partitions to their ends.</summary>
    /// <returns>The ends; null where the partitions of the source changed meanwhile.</returns>
    private Dictionary<int, long>? Read(Restored[] restored, Func<bool> holds, CancellationToken stop)
    {
        long looked = context.Time.GetTimestamp();
        ILookup<int, KeyHistory> histories = restored.ToLookup(one => NumberOf(one.Part.Name), one => one.History);
        using var changed = new CancellationTokenSource();
        using var topic = new KafkaTopic(topics.Keys, topics.NewOutage(), stop);
        Dictionary<int, long> ends = topic.Ends().Where(end => histories.Contains(end.Key.Partition.Value))
            .ToDictionary(end => end.Key.Partition.Value, end => end.Value);
        try
        {
            topic.Read(ends.Select(end => new OffsetRange(new TopicPartition(topics.Keys.Topic, end.Key), 0, end.Value)), record =>
            {
                foreach (KeyHistory history in histories[record.Partition.Value])
                    history.Take(record.Offset.Value, record.Message.Key, record.Message.Value);
                if (context.Time.GetElapsedTime(looked) < LookEvery) return;
                looked = context.Time.GetTimestamp();
                if (holds()) return;
                changed.Cancel();
                changed.Token.ThrowIfCancellationRequested();
            });
            return ends;
        }
        catch (OperationCanceledException) when (changed.IsCancellationRequested)
        {
            return null;
        }
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
