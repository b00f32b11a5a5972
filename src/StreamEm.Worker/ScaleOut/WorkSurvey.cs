using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Asks the brokers who works on a model and how far it is. What is answered is two seconds old at most, and so is that nothing was: many
/// who ask cost the brokers no more than one, and wait no longer. Any thread.
/// </summary>
/// <param name="topics">The topics.</param>
/// <param name="follower">The newest state.</param>
/// <param name="worker">This worker's name.</param>
/// <param name="time">The clock.</param>
internal sealed class WorkSurvey(ScaleOutTopics topics, ModelFollower follower, string worker, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3), Fresh = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _one = new(1);
    private IAdminClient? _admin;
    private Task<SharedWork>? _last;
    private long _lastAt;
    private volatile bool _isDisposed;

    /// <summary>Asks.</summary>
    /// <exception cref="KafkaException">The brokers do not say.</exception>
    public async Task<SharedWork> AskAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_last is not null && time.GetElapsedTime(_lastAt) < Fresh) return await _last.ConfigureAwait(false);
            Task<SharedWork> asked = AdminQuestion.AnswerAsync(LookAsync(_admin ??= Build()), Patience, time);
            await asked.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default)
                .ConfigureAwait(false);
            (_last, _lastAt) = (asked, time.GetTimestamp());
            return await asked.ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        // Who is asking ends by itself.
        if (!_one.Wait(KafkaTopic.CloseDeadline)) return;
        (IAdminClient? admin, _admin) = (_admin, null);
        _one.Release();
        admin?.Dispose();
    }

    private async Task<SharedWork> LookAsync(IAdminClient admin)
    {
        Task<DescribeConsumerGroupsResult> groups = admin.DescribeConsumerGroupsAsync([topics.Group, topics.ReducerGroup],
            new DescribeConsumerGroupsOptions { RequestTimeout = AdminQuestion.ClientTimeout });
        Task<DescribeTopicsResult> described = admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(topics.Sources),
            new DescribeTopicsOptions { RequestTimeout = AdminQuestion.ClientTimeout });
        List<ConsumerGroupDescription> found =
            (await AdminQuestion.AnswerAsync(groups, Patience, time).ConfigureAwait(false)).ConsumerGroupDescriptions;
        TopicPartition[] partitions = [.. (await AdminQuestion.AnswerAsync(described, Patience, time).ConfigureAwait(false))
            .TopicDescriptions.SelectMany(topic => topic.Partitions.Select(part => new TopicPartition(topic.Name, part.Partition)))];
        ListOffsetsResult ends = await AdminQuestion.AnswerAsync(admin.ListOffsetsAsync(
            partitions.Select(part => new TopicPartitionOffsetSpec { TopicPartition = part, OffsetSpec = OffsetSpec.Latest() }),
            new ListOffsetsOptions { RequestTimeout = AdminQuestion.ClientTimeout }), Patience, time).ConfigureAwait(false);
        return Report(found, ends.ResultInfos.Select(info => info.TopicPartitionOffsetError));
    }

    private SharedWork Report(List<ConsumerGroupDescription> groups, IEnumerable<TopicPartitionOffsetError> ends)
    {
        ILookup<string, MemberDescription> members = groups.Where(group => group.GroupId == topics.Group)
            .SelectMany(group => group.Members).ToLookup(member => member.ClientId, StringComparer.Ordinal);
        MemberDescription[] ready = [.. groups.Where(group => group.GroupId == topics.ReducerGroup).SelectMany(group => group.Members)];
        IEnumerable<string> names = members.Select(group => group.Key).Union(ready.Select(one => one.ClientId), StringComparer.Ordinal);
        GroupWorker[] workers = [.. names.Order(StringComparer.Ordinal).Select(name => new GroupWorker(
            name, HostOf(members[name].Concat(ready.Where(one => one.ClientId == name)).First()),
            [.. members[name].SelectMany(Assigned).Order(PartitionOrder)],
            ready.Any(one => one.ClientId == name && one.Assignment.TopicPartitions.Count > 0)))];
        Dictionary<string, string> owners = workers.SelectMany(one => one.Partitions.Select(name => (name, one.Worker)))
            .GroupBy(pair => pair.name, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.First().Worker, StringComparer.Ordinal);
        Checkpoint? newest = follower.Newest;
        SharedPartition[] partitions = [.. ends.Select(end =>
        {
            string name = NameOf(end.TopicPartition);
            long? position = newest?.Position.Partitions.GetValueOrDefault(name)?.Next;
            return new SharedPartition(name, owners.GetValueOrDefault(name), position, end.Offset.Value,
                position is { } next ? Math.Max(0, end.Offset.Value - next) : null);
        }).OrderBy(part => part.Partition, PartitionOrder)];
        return new SharedWork(topics.Group, worker, workers, partitions, partitions.Sum(part => part.Lag ?? 0));
    }

    private IAdminClient Build() => topics.Statistics.Attempt(() =>
        new AdminClientBuilder(topics.Statistics.Configure(new AdminClientConfig())).SetLogHandler((_, _) => { })
            .SetErrorHandler((_, _) => { }).Build());

    private static IEnumerable<string> Assigned(MemberDescription member) => member.Assignment.TopicPartitions.Select(NameOf);

    private static string NameOf(TopicPartition partition) => $"{partition.Topic}/{partition.Partition.Value}";

    /// <summary>The brokers write an address as Java does: /10.0.0.7.</summary>
    private static string HostOf(MemberDescription member) => member.Host.TrimStart('/');

    /// <summary>By topic, then by number.</summary>
    private static readonly Comparer<string> PartitionOrder = Comparer<string>.Create((one, other) =>
    {
        TopicPartitionOffset a = Membership.PlaceOf(one, 0), b = Membership.PlaceOf(other, 0);
        int byTopic = string.CompareOrdinal(a.Topic, b.Topic);
        return byTopic != 0 ? byTopic : a.Partition.Value.CompareTo(b.Partition.Value);
    });
}
