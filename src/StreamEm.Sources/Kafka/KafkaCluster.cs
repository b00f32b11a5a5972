using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamEm.Sources.Kafka;

/// <summary>A topic that is read, as the cluster describes it.</summary>
/// <param name="Name">Name.</param>
/// <param name="Identity">What the cluster calls it, another one after it was deleted and created again; null from brokers that do not
/// say.</param>
/// <param name="PartitionCount">Number of its partitions, which are numbered from 0.</param>
internal sealed record SourceTopic(string Name, string? Identity, int PartitionCount)
{
    /// <summary>Its partitions, by number.</summary>
    public IEnumerable<PartitionId> Partitions => Enumerable.Range(0, PartitionCount).Select(number => new PartitionId(Name, number));
}

/// <summary>Questions to the cluster, on the consumer's own connection: which partitions there are, and which offsets they hold.</summary>
internal sealed class KafkaCluster(Handle handle, KafkaSourceOptions options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    /// <summary>How long to wait for ids while none were ever had, less than <see cref="Timeout"/>.</summary>
    private static readonly TimeSpan WithoutIds = TimeSpan.FromSeconds(2);

    /// <summary>After how long a cluster that had no controller to ask for ids is asked again.</summary>
    private static readonly TimeSpan WithoutController = TimeSpan.FromSeconds(30);

    private readonly IAdminClient _admin = new DependentAdminClientBuilder(handle).Build();

    private bool _hasIds, _neverHasIds;
    private long? _hadNoController;

    /// <summary>
    /// The topics as they are now. First by the older question, which tells whether brokers answer at all, then, of those that do, with
    /// ids.
    /// </summary>
    /// <param name="needsIds">Whether an answer without the ids that the topics are known to have is none.</param>
    /// <exception cref="SourceException">One of them does not exist or may not be seen.</exception>
    /// <exception cref="KafkaException">The brokers do not answer.</exception>
    public async Task<IReadOnlyList<SourceTopic>> DescribeAsync(bool needsIds)
    {
        List<SourceTopic> topics = await Task.Run(DescribeWithoutIds).ConfigureAwait(false);
        if (_neverHasIds || _hadNoController is { } then && time.GetElapsedTime(then) < WithoutController) return topics;
        try
        {
            return await DescribeWithIdsAsync().ConfigureAwait(false);
        }
        catch (KafkaException failure) when (failure.Error.Code == ErrorCode.Local_UnsupportedFeature)
        {
            _neverHasIds = true;
        }
        catch (KafkaException failure) when (!_hasIds && LacksController(failure.Error))
        {
            // An election, or the client's own mock.
            _hadNoController = time.GetTimestamp();
        }
        catch (KafkaException failure) when (_hasIds && !needsIds && failure.Error.Code == ErrorCode.Local_TimedOut)
        {
            // The controller is away; what leads the partitions may well be there.
        }

        return topics;
    }

    /// <summary>
    /// Makes the client turn to the brokers that lead partitions. Its thread for a broker that has nothing to fetch sleeps for up to half a
    /// second and does not notice that a partition was resumed; any question to that broker wakes it. Nobody waits for the answer, and a
    /// failure shows in the fetching itself.
    /// </summary>
    public void Rouse(IEnumerable<TopicPartition> partitions)
    {
        IEnumerable<TopicPartitionOffsetSpec> specs = [
            .. partitions.Select(
                partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = OffsetSpec.Earliest() })];
        _ = _admin.ListOffsetsAsync(specs, new ListOffsetsOptions { RequestTimeout = AdminQuestion.ClientTimeout })
            .ContinueWith(answer => answer.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
    }

    /// <summary>Stops the polling of the answers, which must end before the consumer does.</summary>
    public void Dispose() => _admin.Dispose();

    /// <summary>Whether a question was not answered because nobody was known who could; a slow answer is another matter.</summary>
    private static bool LacksController(Error error) =>
        error.Code == ErrorCode.Local_TimedOut && error.Reason.Contains("controller", StringComparison.Ordinal);

    private async Task<IReadOnlyList<SourceTopic>> DescribeWithIdsAsync()
    {
        // Only the client can tell, by its own timeout, that there is no controller.
        TimeSpan timeout = _hasIds ? AdminQuestion.ClientTimeout : WithoutIds;
        try
        {
            Task<DescribeTopicsResult> question = _admin.DescribeTopicsAsync(
                TopicCollection.OfTopicNames(options.Topics), new DescribeTopicsOptions { RequestTimeout = timeout });
            DescribeTopicsResult result = await AdminQuestion.AnswerAsync(question, Timeout, time).ConfigureAwait(false);
            _hasIds = true;
            _hadNoController = null;
            return [.. result.TopicDescriptions.Select(topic => new SourceTopic(topic.Name, IdOf(topic), topic.Partitions.Count))];
        }
        catch (DescribeTopicsException failure)
        {
            foreach (TopicDescription topic in failure.Results.TopicDescriptions) Refuse(topic.Name, topic.Error, failure);
            throw;
        }
    }

    private List<SourceTopic> DescribeWithoutIds()
    {
        var topics = new List<SourceTopic>();
        foreach (string name in options.Topics)
        {
            TopicMetadata topic = _admin.GetMetadata(name, Timeout).Topics.Single();
            Refuse(name, topic.Error, null);
            topics.Add(new SourceTopic(name, null, topic.Partitions.Count));
        }

        return topics;
    }

    private void Refuse(string topic, Error error, Exception? inner)
    {
        if (error.Code == ErrorCode.UnknownTopicOrPart)
            throw new SourceException(SourceFailure.Missing,
                $"Topic '{topic}' does not exist on {string.Join(", ", options.Brokers)}. Create it or correct source.kafka.topics.",
                inner);
        if (KafkaClient.IsDenied(error.Code)) throw KafkaClient.FailureOf(error, options, inner);
        if (error.IsError && inner is null) throw new KafkaException(error);
    }

    /// <summary>All partitions, each where it goes on, or where the options say when it has no position yet.</summary>
    /// <param name="topics">From <see cref="DescribeAsync"/>.</param>
    /// <param name="stored">Positions of the state.</param>
    /// <param name="once">Whether the run ends at the partitions' present end, or at the one stored by the run that it goes on
    /// with.</param>
    public IReadOnlyList<KafkaPartition> Resolve(IReadOnlyList<SourceTopic> topics, SourcePosition stored, bool once)
    {
        RefuseOtherTopics(topics, stored);
        List<(PartitionId Id, string? Identity, PartitionPosition? Stored)> all =
            [.. topics.SelectMany(
                topic => topic.Partitions.Where(id => options.Only?.Contains(id.Name) != false)
                    .Select(id => (id, topic.Identity, stored.Partitions.GetValueOrDefault(id.Name))))];

        // A drained run that was stopped before its end goes on to that end; one that has reached it starts another.
        bool goesOn = once && all.Exists(p => p.Stored?.Turn?.Number > 0)
            && all.Exists(p => p.Stored is { End: { } end } && p.Stored.Next < end);
        if (goesOn) all.RemoveAll(p => p.Stored?.End is null);

        var fresh = all.Where(p => p.Stored is null).Select(p => p.Id.ForClient).ToList();
        bool isFirst = fresh.Count == all.Count;
        Dictionary<TopicPartition, long> starts = Starts(fresh, isFirst ? options.Start : KafkaStart.Earliest);
        Dictionary<TopicPartition, long> ends = once && !goesOn ? Offsets(all.Select(p => p.Id.ForClient), OffsetSpec.Latest()) : [];
        return
        [
            .. all.Select(p =>
            {
                TopicPartition key = p.Id.ForClient;
                PartitionPosition position = p.Stored ?? new PartitionPosition(starts[key]);
                return new KafkaPartition(p.Id, position with
                {
                    Identity = p.Identity ?? position.Identity,
                    End = goesOn ? position.End : ends.TryGetValue(key, out long end) ? end : null,
                    Turn = once || position.Turn is null
                        ? new PartitionTurn(position.Turn?.Number ?? 0, position.Turn is { IsIdle: false, Left: var left } ? left : 0,
                            IsIdle: false)
                        : position.Turn,
                });
            }),
        ];
    }

    /// <summary>The partitions that have no position yet, from their first record.</summary>
    public IReadOnlyList<KafkaPartition> ResolveNew(IReadOnlyList<SourceTopic> topics, SourcePosition known) =>
        [.. Resolve(topics, known, once: false).Where(partition => !known.Partitions.ContainsKey(partition.Name))];

    /// <summary>Where reading goes on when the record at a position does not exist.</summary>
    /// <exception cref="SourceException">The options do not allow to go on.</exception>
    public long PassGap(PartitionId id, long position)
    {
        TopicPartition partition = id.ForClient;
        long first = Offsets([partition], OffsetSpec.Earliest())[partition];
        long end = Offsets([partition], OffsetSpec.Latest())[partition];
        if (options.OnGap == GapPolicy.Skip) return position < first ? first : end;
        string found = position < first
            ? string.Create(CultureInfo.InvariantCulture,
                $"{first - position} records were deleted before they were read: its first offset is {first}")
            : string.Create(CultureInfo.InvariantCulture, $"its log was cut: it ends at offset {end}");
        throw new SourceException(SourceFailure.Changed, string.Create(CultureInfo.InvariantCulture,
            $"{id.Name} cannot be read from offset {position}: {found}. Set source.kafka.on_gap to skip to go on there with the loss on "
                + $"record, or restore the records."));
    }

    /// <summary>
    /// Refuses topics that were deleted and created again since the positions were stored: their offsets mean other records.
    /// </summary>
    /// <exception cref="SourceException">One was.</exception>
    public void RefuseOtherTopics(IReadOnlyList<SourceTopic> topics, SourcePosition stored)
    {
        foreach (SourceTopic topic in topics)
        {
            foreach (PartitionId id in topic.Partitions)
            {
                if (!stored.Partitions.TryGetValue(id.Name, out PartitionPosition? position)) continue;
                if (topic.Identity is null || position.Identity is null || position.Identity == topic.Identity) continue;
                throw new SourceException(SourceFailure.Changed,
                    $"Topic '{topic.Name}' was deleted and created again: its id is {topic.Identity}, the state was learned from "
                        + $"{position.Identity}. Give the model a new id, or delete its state, to learn from the new topic.");
            }
        }
    }

    private static string? IdOf(TopicDescription topic) =>
        topic.TopicId is { } id && (id.MostSignificantBits != 0 || id.LeastSignificantBits != 0) ? id.ToString() : null;

    private Dictionary<TopicPartition, long> Starts(IReadOnlyList<TopicPartition> partitions, KafkaStart start)
    {
        if (start.IsLatest) return Offsets(partitions, OffsetSpec.Latest());
        if (start.Timestamp is not { } instant) return Offsets(partitions, OffsetSpec.Earliest());
        Dictionary<TopicPartition, long> found = Offsets(partitions, OffsetSpec.ForTimestamp(instant.ToUnixTimeMilliseconds()));
        var none = found.Where(pair => pair.Value < 0).Select(pair => pair.Key).ToList();
        foreach ((TopicPartition partition, long end) in Offsets(none, OffsetSpec.Latest())) found[partition] = end;
        return found;
    }

    private Dictionary<TopicPartition, long> Offsets(IEnumerable<TopicPartition> partitions, OffsetSpec which)
    {
        List<TopicPartitionOffsetSpec> specs =
            [.. partitions.Select(p => new TopicPartitionOffsetSpec { TopicPartition = p, OffsetSpec = which })];
        if (specs.Count == 0) return [];
        Task<ListOffsetsResult> question = _admin.ListOffsetsAsync(specs,
            new ListOffsetsOptions { RequestTimeout = AdminQuestion.ClientTimeout, IsolationLevel = IsolationLevel.ReadCommitted });
        ListOffsetsResult result = AdminQuestion.AnswerAsync(question, Timeout, time).GetAwaiter().GetResult();
        return result.ResultInfos
            .ToDictionary(info => info.TopicPartitionOffsetError.TopicPartition, info => info.TopicPartitionOffsetError.Offset.Value);
    }
}
