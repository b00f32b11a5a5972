using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.ScaleOut;

/// <summary>The topics through which workers learn one model together, and the models of its keys.</summary>
internal sealed class ScaleOutTopics(ModelOptions options, TimeProvider time)
{
    /// <summary>The largest message of both: statistics or state of a model.</summary>
    public const int MaxMessageBytes = 64 << 20;

    /// <summary>Records in which the newest state is looked for first: a few states, which may be large, with their snapshots.</summary>
    private const int FirstWindow = 2 * Reduction.Batch;

    private readonly KafkaSourceOptions _source = (KafkaSourceOptions)options.Source;

    /// <summary>The group that shares out the source's partitions.</summary>
    public string Group => options.ScaleOut!.GroupOf(options.Id, _source);

    /// <summary>The group of those that stand ready to fold.</summary>
    public string ReducerGroup => $"{Group}-reducer";

    /// <summary>The topics that the model is learned from.</summary>
    public IReadOnlyList<string> Sources => _source.Topics;

    /// <summary>The <c>transactional.id</c> of whoever folds: one at a time writes states.</summary>
    public string ReducerTransactions => ReducerGroup;

    /// <summary>The <c>transactional.id</c> of a worker: started again at the same place it settles what it left open.</summary>
    /// <param name="worker">Its name.</param>
    public string WorkerTransactions(string worker) => $"{Group}-worker-{worker}";

    /// <summary>The statistics topic.</summary>
    public KafkaTarget Statistics => Target(options.ScaleOut!.StatisticsTopic);

    /// <summary>The model topic.</summary>
    public KafkaTarget Model => Target(options.ScaleOut!.ModelTopic);

    /// <summary>The topic of keys.</summary>
    public KafkaTarget Keys => Target(options.ScaleOut!.KeysTopic ?? $"{options.Id}-keys");

    /// <summary>The key of the model's states.</summary>
    public byte[] StateKey => StateKeyOf(options.Id);

    /// <summary>The key of a model's states.</summary>
    public static byte[] StateKeyOf(string modelId) => Encoding.UTF8.GetBytes($"{modelId}/state");

    /// <summary>The key of the state that a run began with, which stays in the topic.</summary>
    public static byte[] StartKey(string modelId, string runId) => Encoding.UTF8.GetBytes($"{modelId}/start/{runId}");

    /// <summary>How long the brokers may be away, counted for one client.</summary>
    public Outage NewOutage() => new(_source.Brokers, _source.UnavailableAfter, "scale_out", time);

    /// <summary>Creates the topics that do not exist yet.</summary>
    /// <exception cref="CommandException">A topic cannot be used (78), or not created.</exception>
    public void Prepare(CancellationToken stop)
    {
        string largest = MaxMessageBytes.ToString(CultureInfo.InvariantCulture);
        Prepare(Statistics, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["cleanup.policy"] = "delete",
            ["max.message.bytes"] = largest,
        }, isCompacted: false, stop);
        Prepare(Model, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["cleanup.policy"] = "compact",
            ["segment.ms"] = "600000",
            ["min.cleanable.dirty.ratio"] = "0.1",
            ["max.compaction.lag.ms"] = "3600000",
            ["delete.retention.ms"] = "86400000",
            ["max.message.bytes"] = largest,
        }, isCompacted: true, stop);
        if (!options.KeepsKeys) return;
        int partitions = 1;
        foreach (string name in _source.Topics)
        {
            using var topic = new KafkaTopic(Target(name), NewOutage(), stop);
            partitions = Math.Max(partitions, topic.CountPartitions() ?? 0);
        }

        PrepareKeys(partitions, stop);
    }

    /// <summary>Creates the topic of keys, or gives it more partitions: each of the source's has one of the same number.</summary>
    /// <exception cref="CommandException">It cannot be used (78), or not created.</exception>
    public void PrepareKeys(int partitions, CancellationToken stop)
    {
        using var topic = new KafkaTopic(Keys, NewOutage(), stop);
        switch (topic.CountPartitions())
        {
            case null:
                topic.Create(partitions, new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["cleanup.policy"] = "compact",
                    ["segment.ms"] = "600000",
                    ["min.cleanable.dirty.ratio"] = "0.3",
                    ["max.message.bytes"] = MaxMessageBytes.ToString(CultureInfo.InvariantCulture),
                });
                break;
            case var known when known < partitions:
                topic.Grow(partitions);
                break;
        }

        if (topic.Describe().CleanupPolicy is { } policy && policy != "compact")
            throw new CommandException(ExitCode.Configuration,
                $"scale_out: {Keys.Description} has cleanup.policy={policy}, which would forget keys that do not come for long; set "
                    + "cleanup.policy=compact, or name another keys_topic.");
    }

    /// <summary>The newest state in the model topic; null when there is none.</summary>
    public Checkpoint? ReadNewest(CancellationToken stop) => ReadNewest(stop, out _);

    /// <summary>The newest state in the model topic: it is among the last records, which are read further and further back.</summary>
    /// <param name="stop">Stops reading.</param>
    /// <param name="end">The offset after the last record that was looked at.</param>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="CommandException">There are some, of which none can be read (65).</exception>
    public Checkpoint? ReadNewest(CancellationToken stop, out long end)
    {
        byte[] key = StateKey;
        using var topic = new KafkaTopic(Model, NewOutage(), stop);
        (TopicPartition partition, end) = topic.Ends().Single();
        for (long window = FirstWindow; ; window *= 16)
        {
            var states = new ModelStates();
            byte[]? last = null;
            long start = Math.Max(0, end - window);
            topic.Read([new OffsetRange(partition, start, end)], record =>
            {
                if (record.Message.Key?.AsSpan().SequenceEqual(key) != true) return;
                states.Take(record.Message.Value);
                last = record.Message.Value ?? last;
            });
            if (states.Newest is not null || start == 0) return states.Newest ?? (last is null ? null : throw Unreadable(last));
        }
    }

    /// <summary>The offset after the last message of statistics that is there to stay.</summary>
    public long EndOfStatistics(CancellationToken stop)
    {
        using var topic = new KafkaTopic(Statistics, NewOutage(), stop);
        return topic.Ends().Single().Value;
    }

    /// <summary>Reads what is in the statistics topic and not in a state of the model.</summary>
    /// <param name="state">The state.</param>
    /// <param name="receive">Told every message with its offset, in their order; damaged ones left out.</param>
    /// <param name="stop">Stops reading.</param>
    public void ReadAhead(Checkpoint state, Action<long, StatisticsMessage> receive, CancellationToken stop)
    {
        using var topic = new KafkaTopic(Statistics, NewOutage(), stop);
        (TopicPartition partition, long end) = topic.Ends().Single();
        topic.Read([new OffsetRange(partition, state.StatisticsNext ?? 0, end)], record =>
        {
            StatisticsMessage message;
            try
            {
                message = StatisticsMessage.Decode(record.Message.Value ?? []);
            }
            catch (InvalidDataException)
            {
                // It will not count.
                return;
            }

            receive(record.Offset.Value, message);
        });
    }

    /// <summary>A model whose states are all damaged, or of another release, is there: nothing is to take its place.</summary>
    private CommandException Unreadable(byte[] last)
    {
        string reason = "";
        try
        {
            CheckpointFile.DecodeState(last);
        }
        catch (InvalidDataException failure)
        {
            reason = $" The last one: {failure.Message}";
        }

        return new CommandException(ExitCode.DataCorrupt,
            $"scale_out: {Model.Description} holds states of model '{options.Id}', of which none can be read.{reason} Run the release that "
                + "wrote them; or, to begin anew, name another model_topic, statistics_topic and group_id (and keys_topic).");
    }

    private void Prepare(KafkaTarget target, Dictionary<string, string> settings, bool isCompacted, CancellationToken stop)
    {
        using var topic = new KafkaTopic(target, NewOutage(), stop);
        int? partitions = topic.CountPartitions();
        if (partitions is null) topic.Create(partitions: 1, settings);
        else RequireOne(target, partitions.Value);
        RequirePolicy(target, topic.Describe().CleanupPolicy, isCompacted);
    }

    /// <summary>Refuses a topic of which the brokers would delete what has to stay.</summary>
    /// <param name="target">The model topic, or that of the statistics.</param>
    /// <param name="policy">Its <c>cleanup.policy</c>; null when the user may not see it.</param>
    /// <param name="isCompacted">Whether it has to be compacted, or must not be.</param>
    /// <exception cref="CommandException">It is one (78).</exception>
    public static void RequirePolicy(KafkaTarget target, string? policy, bool isCompacted)
    {
        if (policy is null) return;
        string[] ways = policy.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (isCompacted ? ways is ["compact"] : !ways.Contains("compact")) return;
        (string name, string expected, string why) = isCompacted
            ? ("model_topic", "compact", "would forget the model when nothing was learned for as long as the topic is retained")
            : ("statistics_topic", "delete", "would forget statistics that are not in the model yet");
        throw new CommandException(ExitCode.Configuration,
            $"scale_out: {target.Description} has cleanup.policy={policy}, which {why}; set cleanup.policy={expected}, or name another "
                + $"{name}.");
    }

    /// <summary>Refuses a topic of several partitions.</summary>
    /// <exception cref="CommandException">It is one (78).</exception>
    public static void RequireOne(KafkaTarget target, int partitions)
    {
        if (partitions != 1)
            throw new CommandException(ExitCode.Configuration, string.Create(CultureInfo.InvariantCulture,
                $"scale_out: {target.Description} has {partitions} partitions; expected 1, whose order is the model's history. Name "
                    + $"another topic, or delete this one and have it created."));
    }

    private KafkaTarget Target(string topic) => new(_source.Brokers, topic, _source.Properties, "scale_out")
    { PropertiesName = "source.kafka.properties" };
}
