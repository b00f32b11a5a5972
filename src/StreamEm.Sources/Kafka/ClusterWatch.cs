using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// Asks the cluster for its topics: now and then to find new partitions, soon when something makes its presence doubtful, and every second
/// while it does not answer. An outage begins when it does not answer and ends when it does: what the client says about single connections
/// depends on which of them it happened to hold, and messages it still has in memory prove nothing. Used by the polling thread, which never
/// waits for an answer.
/// </summary>
internal sealed class ClusterWatch(KafkaCluster cluster, Outage outage, KafkaSourceOptions options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    private Task<IReadOnlyList<SourceTopic>>? _question;
    private long _asked = time.GetTimestamp();
    private int _doubts;

    /// <summary>Waits for the question that is out, whose time is limited: the client must not be gone while it is asked.</summary>
    public void Dispose()
    {
        if (_question is not null) Task.WaitAny([_question]);
    }

    /// <summary>
    /// Notes a sign that some broker does not answer or a topic is gone: the cluster is asked soon, and once more, for its brokers may not
    /// all know yet.
    /// </summary>
    public void Doubt() => _doubts = 2;

    /// <summary>Asks when it is time.</summary>
    /// <returns>The topics, if an answer has come; null else.</returns>
    /// <exception cref="SourceException">The cluster refuses to answer.</exception>
    public IReadOnlyList<SourceTopic>? Poll()
    {
        TimeSpan every = outage.Problem is not null ? Retry : _doubts switch { 2 => Soon, 1 => Retry, _ => options.DiscoverEvery };
        if (_question is null && time.GetElapsedTime(_asked) >= every)
        {
            _doubts = Math.Max(0, _doubts - 1);
            _asked = time.GetTimestamp();
            _question = cluster.DescribeAsync(needsIds: false);
        }

        if (_question is not { IsCompleted: true } answer) return null;
        _question = null;
        try
        {
            IReadOnlyList<SourceTopic> topics = answer.GetAwaiter().GetResult();
            outage.End();
            return topics;
        }
        catch (SourceException missing) when (missing.Failure == SourceFailure.Missing)
        {
            outage.Begin(missing.Message, SourceFailure.Missing);
        }
        catch (KafkaException failure) when (!failure.Error.IsFatal && !KafkaClient.IsDenied(failure.Error.Code))
        {
            outage.Begin(failure.Error.Reason);
        }

        return null;
    }
}
