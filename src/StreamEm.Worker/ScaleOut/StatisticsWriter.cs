using Confluent.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.ScaleOut;

/// <summary>How a worker's statistics get into their topic. Used by the thread that polls the group.</summary>
internal abstract class StatisticsWriter : IDisposable
{
    /// <summary>The one that the configuration says.</summary>
    /// <param name="context">The model.</param>
    /// <param name="topics">The topics.</param>
    /// <param name="members">Whose partitions the statistics are of.</param>
    /// <param name="worker">The worker's name.</param>
    public static StatisticsWriter Create(ModelContext context, ScaleOutTopics topics, Membership members, string worker)
    {
        KafkaTarget target = topics.Statistics;
        if (context.Options.ScaleOut!.Transactions != Transactions.On)
            return new PlainWriter(new KafkaProducer(
                target, ScaleOutTopics.MaxMessageBytes, isBatched: false, topics.NewOutage(), context.Time), context.Time);
        var transactions = new GroupTransactions(
            target, topics.WorkerTransactions(worker), ScaleOutTopics.MaxMessageBytes, topics.NewOutage());
        return new TransactionalWriter(
            members, transactions, target.Topic, end => TransactionNotes.Tell(context, "contributor", end));
    }

    /// <summary>Why nothing of what was sent gets there; null when all is well. Any thread.</summary>
    public virtual string? Problem => null;

    /// <summary>Sends a message, after those before it; returns at once.</summary>
    /// <param name="message">The message.</param>
    /// <param name="range">The records it is of.</param>
    /// <param name="written">Told its offset once it is in the topic to stay. Any thread.</param>
    public abstract void Send(Message<byte[]?, byte[]?> message, RecordRange range, Action<long> written);

    /// <summary>Looks at what was sent.</summary>
    /// <returns>False when some of it will not get there: everything after it is let go, and the worker begins anew.</returns>
    /// <exception cref="CommandException">It cannot go on.</exception>
    /// <exception cref="StreamEm.Sources.SourceException">The brokers were away for too long.</exception>
    public abstract bool Look();

    /// <summary>Lets go of what is not on its way yet.</summary>
    public abstract void Forget();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Sends every message by itself, each once and in order.</summary>
internal sealed class PlainWriter(KafkaProducer producer, TimeProvider time) : StatisticsWriter
{
    private readonly Queue<Task> _deliveries = new();

    /// <summary>When the first of them became that.</summary>
    private long _since;

    /// <inheritdoc/>
    public override string? Problem => producer.Problem;

    /// <inheritdoc/>
    public override void Send(Message<byte[]?, byte[]?> message, RecordRange range, Action<long> written)
    {
        if (_deliveries.Count == 0) _since = time.GetTimestamp();
        producer.Send(message, written);
        _deliveries.Enqueue(producer.TakeDelivery());
    }

    /// <inheritdoc/>
    public override bool Look()
    {
        // Nobody else watches a topic that takes nothing: too few replicas in sync, no leader, no brokers.
        while (_deliveries.TryPeek(out Task? delivery) && producer.Look(delivery, time.GetElapsedTime(_since)))
        {
            _ = _deliveries.Dequeue();
            _since = time.GetTimestamp();
        }

        return true;
    }

    /// <inheritdoc/>
    public override void Forget()
    {
        // What was sent counts or not, by its range.
    }

    /// <inheritdoc/>
    public override void Dispose() => producer.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
