using Confluent.Kafka;
using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// What is known of the keys of the partitions that this worker has, models or sequences: restored from the topic when it gets one,
/// written there now and then and when it gives one up. First the states that have changed, then, when all of them are there, the mark that
/// says how far they are. What their records' scores say has arrived before. Used by the contributor's thread.
/// </summary>
/// <param name="context">The model.</param>
/// <param name="topics">The topics.</param>
/// <param name="follower">The model of all.</param>
/// <param name="directory">Where those are that have no room in memory; nobody counts on it after the end.</param>
internal sealed class KeyShare(ModelContext context, ScaleOutTopics topics, ModelFollower follower, string directory) : IDisposable
{
    private const long MostUnsent = 64 << 20;
    private static readonly TimeSpan GiveUpWithin = TimeSpan.FromSeconds(5), TellEvery = TimeSpan.FromMilliseconds(500);

    private readonly ModelOptions _options = context.Options;
    private readonly SortedDictionary<string, KeyedPartition> _parts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Pending> _pending = new(StringComparer.Ordinal);
    private readonly Queue<Task> _deliveries = new();
    private readonly KeyQuestions _questions = new();
    private readonly KeyRestorer _restorer = new(context, topics, directory);
    private readonly KeyScoring? _scoring = KeyScoring.Of(context);
    private KafkaProducer? _producer;
    private long? _toldAt;
    private long _returned;
    private bool _isDisposed;

    /// <summary>Asks what a key has learned. Any thread.</summary>
    public Task<KeyAnswer> DescribeAsync(string key) => _questions.AskAsync(key);

    /// <summary>Whether it is of sequences: keys have no models of their own.</summary>
    public bool AreSequences => !_options.PerKey;

    /// <summary>What keeps scores from arriving; null when all is well. Any thread.</summary>
    public Obstacle? Obstacle => _scoring?.Obstacle;

    /// <summary>Makes the client that writes.</summary>
    public void Open()
    {
        _restorer.Open();
        _producer = new KafkaProducer(topics.Keys, ScaleOutTopics.MaxMessageBytes, isBatched: true, topics.NewOutage(), context.Time);
    }

    /// <summary>Takes the partitions that this worker has now: those it had are as they were, the others come from the topic.</summary>
    /// <returns>False where the partitions changed meanwhile.</returns>
    /// <exception cref="CommandException">The topic cannot be used.</exception>
    public bool TryTake(Membership members, CancellationToken stop)
    {
        string[] partitions = [.. members.Assigned];
        // Between two assignments it has none, and may get the same again.
        if (partitions.Length == 0 && !members.IsSettled) return true;
        foreach (string gone in _parts.Keys.Except(partitions, StringComparer.Ordinal).ToArray()) Drop(gone);
        string[] missing = [.. partitions.Where(partition => !_parts.ContainsKey(partition))];
        if (missing.Length > 0)
        {
            long epoch = members.Epoch;
            bool Holds()
            {
                members.Poll();
                return members.Epoch == epoch;
            }

            var made = new KeyedParts(Max(partitions.Length), IsNew, _scoring?.Alarms);
            if (_restorer.TryRestore(missing, made, Holds, stop) is not { } restored) return false;
            foreach (KeyedPartition part in restored) _parts.Add(part.Name, part);
        }

        foreach (KeyedPartition part in _parts.Values) part.MaxKeys = Max(partitions.Length);
        Tell();
        return true;
    }

    /// <summary>Where reading begins in a partition for the model of all and those of its keys.</summary>
    public PartitionPosition? Place(string partition, PartitionPosition? stands) => _parts[partition].Place(stands);

    /// <summary>Whether sequences are known further than a state of the model is, which then is not the newest.</summary>
    /// <exception cref="CommandException">The newest is no further: they are of another run.</exception>
    public bool IsAheadOf(Checkpoint state, CancellationToken stop)
    {
        KeyedPartition? AheadOf(SourcePosition model) =>
            _parts.Values.FirstOrDefault(part => part.IsAheadOf(model.Partitions.GetValueOrDefault(part.Name)?.Next));
        if (AheadOf(state.Position) is not { } part) return false;
        if (topics.ReadNewest(stop) is { } newest && AheadOf(newest.Position) is null) return true;
        throw KeyFaults.OfAnotherRun(topics, part.Name);
    }

    /// <summary>Begins where nothing says where: a batch that is about to be taken does.</summary>
    public void Meet(RecordBatch batch, CancellationToken stop)
    {
        _scoring?.Look(stop);
        if (follower.Newest is { } newest) _scoring?.Follow(newest, stop);
        KeyedPartition part = _parts[batch.PartitionName];
        if (part.Position is not null) return;
        part.Begin(batch.Start);
        // Before anything is learned: who comes after this one begins there too.
        Write(part, stop);
        Wait(stop);
    }

    /// <summary>How many of some records are to be taken at once.</summary>
    public int CountAlike(RecordBatch batch, int first, int count) => _parts[batch.PartitionName].CountAlike(batch, first, count);

    /// <summary>Takes records (<see cref="CountAlike"/>).</summary>
    /// <returns>Whether they were not known to their keys.</returns>
    /// <exception cref="CommandException">The state of a key cannot be used (65).</exception>
    public bool Take(in TakenRecords taken)
    {
        try
        {
            KeyedPartition part = _parts[taken.Batch.PartitionName];
            bool isNew = part.Take(taken);
            if (isNew) _scoring?.Take(taken, part);
            return isNew;
        }
        catch (InvalidDataException failure)
        {
            throw KeyFaults.Unusable(topics, failure);
        }
    }

    /// <summary>What the records of a partition say that a learner has pending, as its keys' sequences go on with them.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="learner">The learner.</param>
    /// <param name="to">With them all records of the partition below this are taken.</param>
    public Contribution? Contribute(string partition, Learner learner, long to)
    {
        SequenceStates? sequences = _parts[partition].Sequences;
        try
        {
            Contribution? made = learner.Pending > 0 ? learner.Contribute(sequences) : null;
            sequences?.Close(to);
            return made;
        }
        catch (InvalidDataException failure) when (sequences is not null)
        {
            throw KeyFaults.Unusable(topics, failure);
        }
    }

    /// <summary>The model has all records of a partition below a position.</summary>
    public void Confirm(string partition, long stands) => _parts.GetValueOrDefault(partition)?.Confirm(stands);

    /// <summary>What was contributed and is not in the model is worked on anew.</summary>
    public void Forget()
    {
        foreach (KeyedPartition part in _parts.Values) part.Sequences?.Forget();
    }

    /// <summary>Says that a batch was taken, and writes what is due.</summary>
    public void Reach(RecordBatch batch, CancellationToken stop)
    {
        KeyedPartition part = _parts[batch.PartitionName];
        if (!AreSequences) part.Reach(batch.EndPosition.Next);
        if (part.Passed >= _options.ScaleOut!.KeysEvery) Write(part, stop);
    }

    /// <summary>Looks at what is under way, and answers who asks.</summary>
    public void Look()
    {
        while (_deliveries.TryPeek(out Task? delivery) && delivery.IsCompleted) _deliveries.Dequeue().GetAwaiter().GetResult();
        if (_pending.Count > 0)
            foreach ((string partition, Pending pending) in _pending.ToArray())
                if (pending.States.IsCompleted) Mark(partition);
        _questions.AnswerAll(_parts.Values);
        if (_toldAt is null || context.Time.GetElapsedTime(_toldAt.Value) >= TellEvery) Tell();
    }

    /// <summary>Partitions are about to go to others: writes what they are to begin with, as far as that takes no time.</summary>
    /// <param name="how"><c>revoked</c>, or <c>lost</c>: somebody else has them already.</param>
    public void Changing(string how)
    {
        if (_producer is null || how == "assigned") return;
        if (how == "lost")
        {
            foreach (string partition in _parts.Keys.ToArray()) Drop(partition);
            return;
        }

        using var deadline = new CancellationTokenSource(GiveUpWithin, context.Time);
        try
        {
            foreach (KeyedPartition part in _parts.Values)
                if (part.Passed > 0) Write(part, deadline.Token);
            Wait(deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            // Then the next one reads more records again.
        }
    }

    /// <summary>Leaves the partitions in order.</summary>
    public void GiveUp() => Changing("revoked");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _questions.Close();
        KafkaProducer? producer = _producer;
        _producer = null;
        producer?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _scoring?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        foreach (string partition in _parts.Keys.ToArray()) Drop(partition);
        _restorer.Dispose();
    }

    private int Max(int partitions) => Math.Max(1, _options.KeysInMemory / partitions);

    /// <summary>A key that is in two partitions has two models.</summary>
    private void IsNew(KeyedPartition part, string key)
    {
        if (key.Length == 0 || !_parts.Values.Any(other => other != part && other.Contains(key))) return;
        context.Metrics.KeyMetTwice();
        if (context.Metrics.KeysMetTwice == 1) WorkerLog.KeyMetTwice(context.Log, _options.Id, part.Name);
    }

    private void Write(KeyedPartition part, CancellationToken stop)
    {
        if (_pending.TryGetValue(part.Name, out Pending? before))
        {
            _producer!.WaitAsync(before.States, stop).GetAwaiter().GetResult();
            Mark(part.Name);
        }

        _scoring?.Settle(stop);
        foreach (KeyMessage message in part.Capture())
        {
            Send(message, part.Name);
            if (_producer!.Bytes <= MostUnsent) continue;
            _deliveries.Enqueue(_producer.TakeDelivery());
            while (_producer.Bytes > MostUnsent / 2) _producer.WaitAsync(_deliveries.Dequeue(), stop).GetAwaiter().GetResult();
        }

        // All that was sent and is not there yet, whoever it is of.
        _deliveries.Enqueue(_producer!.TakeDelivery());
        _pending[part.Name] = new Pending(Task.WhenAll(_deliveries), part.Mark());
        part.Tidy();
    }

    private void Mark(string partition)
    {
        _pending.Remove(partition, out Pending? pending);
        pending!.States.GetAwaiter().GetResult();
        if (pending.Mark is not { } mark) return;
        Send(mark, partition);
        _deliveries.Enqueue(_producer!.TakeDelivery());
    }

    /// <summary>Until all is there.</summary>
    private void Wait(CancellationToken stop)
    {
        foreach ((string partition, Pending pending) in _pending.ToArray())
        {
            _producer!.WaitAsync(pending.States, stop).GetAwaiter().GetResult();
            Mark(partition);
        }

        while (_deliveries.TryPeek(out Task? delivery))
        {
            _producer!.WaitAsync(delivery, stop).GetAwaiter().GetResult();
            _ = _deliveries.Dequeue();
        }
    }

    private void Send(KeyMessage message, string partition) => _producer!.Send(
        new Message<byte[]?, byte[]?> { Key = message.Name, Value = message.Value }, partition: KeyRestorer.NumberOf(partition));

    private void Drop(string partition)
    {
        _pending.Remove(partition);
        if (!_parts.Remove(partition, out KeyedPartition? part)) return;
        part.ForgetAlarms();
        _returned += part.Counts.Returned;
        _restorer.Close(part);
    }

    private void Tell()
    {
        _toldAt = context.Time.GetTimestamp();
        KeyCounts[] counts = [.. _parts.Values.Select(part => part.Counts)];
        context.Metrics.Keys = new KeyCounts(counts.Sum(one => one.Known), counts.Sum(one => one.InMemory), counts.Sum(one => one.Bytes),
            _returned + counts.Sum(one => one.Returned), counts.Sum(one => one.BytesOnDisk));
    }

    /// <summary>States that were sent, and the mark that follows them.</summary>
    private sealed record Pending(Task States, KeyMessage? Mark);
}
