using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Kafka;

/// <summary>
/// Whether the brokers of a consumer are away. Its client says once that they are, and of their return nothing: one that has nothing to
/// read would never hear of it. So what it says is a doubt, after which the brokers are asked for the topic, every second, until they
/// answer; an outage lasts while they do not. Used by the thread that polls, which never waits for an answer;
/// <see cref="Note(Error)"/> and <see cref="Problem"/> by any.
/// </summary>
/// <param name="target">The topic that is asked for.</param>
/// <param name="outage">How long the brokers may be away.</param>
/// <param name="time">The clock.</param>
internal sealed class BrokerWatch(KafkaTarget target, Outage outage, TimeProvider time)
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(3);

    private IAdminClient? _admin;
    private Task? _question;
    private Error? _doubt;
    private long? _askedAt;
    private volatile Error? _error;

    /// <summary>What is wrong; null while the brokers answer.</summary>
    public string? Problem => outage.Problem;

    /// <summary>Notes what the client reports by itself.</summary>
    public void Note(Error error)
    {
        if (KafkaTarget.IsTelling(error)) _error = error;
    }

    /// <summary>Waits for what comes next, and looks after the brokers while nothing does.</summary>
    /// <param name="consumer">The consumer; always the same one.</param>
    /// <param name="wait">For how long.</param>
    /// <exception cref="CommandException">The client cannot go on.</exception>
    /// <exception cref="SourceException">The brokers were away for too long.</exception>
    public ConsumeResult<TKey, TValue>? Consume<TKey, TValue>(IConsumer<TKey, TValue> consumer, TimeSpan wait)
    {
        ConsumeResult<TKey, TValue>? result = null;
        try
        {
            result = consumer.Consume(wait);
        }
        catch (ConsumeException failure) when (!failure.Error.IsFatal && !KafkaClient.IsDenied(failure.Error.Code))
        {
            // It may pass: the next one is as good.
            _error = failure.Error;
        }

        if (result is null)
        {
            Look(consumer.Handle);
        }
        else
        {
            _error = null;
            outage.End();
        }

        return result;
    }

    /// <summary>
    /// Closes the consumer, which leaves its group; brokers that do not answer are waited for only so long, then its thread is left to
    /// itself.
    /// </summary>
    /// <param name="consumer">The consumer.</param>
    /// <param name="last">What it does before; null for nothing.</param>
    public void Close<TKey, TValue>(IConsumer<TKey, TValue> consumer, Action? last = null)
    {
        Task closing = Task.Factory.StartNew(() =>
        {
            // In this order: nobody may be asked by a client that is gone.
            if (_question is not null) Task.WaitAny([_question]);
            _admin?.Dispose();
            try
            {
                last?.Invoke();
                consumer.Close();
            }
            catch (KafkaException)
            {
                // Then the group finds out by itself.
            }

            consumer.Dispose();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task.WaitAny([closing], KafkaTopic.CloseDeadline);
    }

    private void Look(Handle handle)
    {
        if (_question is { IsCompleted: true } answer)
        {
            _question = null;
            Judge(answer);
        }

        if (_error is not { } error) return;
        if (error.IsFatal || KafkaClient.IsDenied(error.Code)) throw target.FailureOf(error);
        outage.ThrowIfTooLong();
        if (_question is not null || (_askedAt is { } at && time.GetElapsedTime(at) < AskEvery)) return;
        (_doubt, _askedAt) = (error, time.GetTimestamp());
        IAdminClient admin = _admin ??= new DependentAdminClientBuilder(handle).Build();
        _question = Task.Run(() => Ask(admin));
    }

    private void Judge(Task answer)
    {
        try
        {
            answer.GetAwaiter().GetResult();
            // What was said since may be news: the brokers are asked again.
            if (ReferenceEquals(_error, _doubt)) _error = null;
            outage.End();
        }
        catch (KafkaException failure) when (!failure.Error.IsFatal && !KafkaClient.IsDenied(failure.Error.Code))
        {
            outage.Begin((_doubt ?? failure.Error).Reason);
        }
        catch (KafkaException failure)
        {
            throw target.FailureOf(failure.Error, failure);
        }
    }

    /// <exception cref="KafkaException">No broker answers, or none leads the topic.</exception>
    private void Ask(IAdminClient admin)
    {
        TopicMetadata topic = admin.GetMetadata(target.Topic, Timeout).Topics.Single();
        if (topic.Error.IsError) throw new KafkaException(topic.Error);
        if (topic.Partitions.Find(partition => partition.Leader < 0) is { } orphan)
            throw new KafkaException(orphan.Error.IsError ? orphan.Error : new Error(ErrorCode.LeaderNotAvailable));
    }
}
