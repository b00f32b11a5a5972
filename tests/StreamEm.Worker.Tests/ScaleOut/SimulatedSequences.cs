using StreamEm.Sources;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>
/// Workers that learn sequences together, their log, who folds it and their topic of keys, on one thread, with every step chosen by a seed:
/// messages lost, late, twice or refused as stale, workers killed with half of their states written, partitions that go to others while
/// those that had them go on, workers that know an old state of the model, and a topic that is compacted. Of every message that counts
/// there is what its keys had seen before.
/// </summary>
internal sealed class SimulatedSequences : IDisposable
{
    private const int Workers = 3;

    private readonly Random _random;
    private readonly string _directory;
    private readonly List<SequenceMessage> _log = [];
    private readonly List<(SequenceMessage Message, Action<long> Written)> _late = [];
    private readonly List<ModelPlace> _states = [new(new SourcePosition(), 0)];
    private readonly RangeLedger _ranges = new(new SourcePosition());
    private readonly SimulatedKeysTopic[] _topics;
    private SequenceWorker[] _workers;
    private long _folded;
    private int _started;

    public SimulatedSequences(int seed, string directory)
    {
        (_random, _directory) = (new Random(seed), directory);
        _topics = [.. Enumerable.Range(0, SequencedRecords.Partitions).Select(_ => new SimulatedKeysTopic(_random))];
        _workers = [.. Enumerable.Range(0, Workers).Select(_ => Started())];
        Rebalance();
    }

    /// <summary>Of every message that counted what its keys had seen before, and what they should have.</summary>
    public List<(RecordRange Range, string Key, Seen Had, Seen Should)> Counted { get; } = [];

    /// <summary>Records that were read for the memory alone.</summary>
    public long Remembered => _workers.Sum(worker => worker.Remembered) + _rememberedBefore;

    /// <summary>Times that a worker knew the keys further than the model.</summary>
    public long Waited => _workers.Sum(worker => worker.Waited) + _waitedBefore;

    private long _rememberedBefore, _waitedBefore;

    /// <summary>Runs until every record counts; faults end after a while.</summary>
    public void Run()
    {
        for (int step = 0; _ranges.Position.Partitions.Values.Sum(place => place.Next)
            < SequencedRecords.Partitions * SequencedRecords.Records; step++)
        {
            Assert.True(step < 200_000, "not all records are in the model");
            Step(hasFaults: step < 1500);
        }
    }

    /// <summary>What one who gets a partition at the end knows of its keys.</summary>
    public Dictionary<string, Seen> Known(int partition)
    {
        foreach (SequenceWorker worker in _workers) worker.Dispose();
        while (_topics[partition].TryDeliver()) { }
        _topics[partition].Compact();
        using SequenceWorker last = Started();
        last.Begin(_states[^1], [partition]);
        while (last.TryRemember(partition)) { }
        return last.Known(partition);
    }

    public void Dispose()
    {
        foreach (SequenceWorker worker in _workers) worker.Dispose();
    }

    private void Step(bool hasFaults)
    {
        SequenceWorker worker = _workers[_random.Next(Workers)];
        int partition = _random.Next(SequencedRecords.Partitions), chance = _random.Next(100);
        if (hasFaults && chance < 1) Kill(worker);
        else if (hasFaults && chance < 3) Rebalance();
        else if (hasFaults && chance < 6) _topics[partition].Compact();
        else if (chance < 9) _topics[partition].TryDeliver();
        else if (chance < 14) worker.Write(partition);
        else if (chance < 22) worker.Send(partition, _random.Next(1, 4));
        else if (chance < 40) Fold(hasFaults);
        else if (chance < 55) worker.Look(SeenBy(worker));
        else if (chance < 60 && _late.Count > 0)
        {
            _log.Add(_late[0].Message);
            _late[0].Written(_log.Count - 1);
            _late.RemoveAt(0);
        }
        else if (!worker.TryRemember(partition) && worker.TryCut(partition) is var (message, written))
            Transmit(message, written, hasFaults);
    }

    /// <summary>A state that a worker may believe to be the newest, not before what it knows.</summary>
    private ModelPlace SeenBy(SequenceWorker worker)
    {
        ModelPlace seen = _states[_random.Next(Math.Max(0, _states.Count - 4), _states.Count)];
        return seen.Next < worker.State.Next ? worker.State : seen;
    }

    private SequenceWorker Started() => new(_random, _topics, _states[^1], Path.Combine(_directory, $"{_started++}"));

    private void Kill(SequenceWorker worker)
    {
        worker.Die();
        (_rememberedBefore, _waitedBefore) = (_rememberedBefore + worker.Remembered, _waitedBefore + worker.Waited);
        SequenceWorker next = Started();
        _workers = [.. _workers.Select(one => one == worker ? next : one)];
        next.Begin(_states[_random.Next(Math.Max(0, _states.Count - 4), _states.Count)], worker.Assigned);
    }

    /// <summary>Every partition to some worker; those that had it do not hear of it at once, or give it up in order.</summary>
    private void Rebalance()
    {
        var partitions = Enumerable.Range(0, SequencedRecords.Partitions).ToLookup(_ => _random.Next(Workers));
        for (int at = 0; at < Workers; at++)
        {
            if (!partitions[at].Any() && _random.Next(2) == 0) continue;
            if (_random.Next(2) == 0) _workers[at].GiveUp();
            _workers[at].Begin(SeenBy(_workers[at]), [.. partitions[at]]);
        }
    }

    private void Transmit(SequenceMessage message, Action<long> written, bool hasFaults)
    {
        int fault = hasFaults ? _random.Next(20) : 20;
        // Acknowledged and lost.
        if (fault == 0) written(_log.Count - 1);
        else if (fault == 1) _late.Add((message, written));
        else
        {
            _log.Add(message);
            written(_log.Count - 1);
            if (fault == 2) _log.Add(message);
        }
    }

    private void Fold(bool hasFaults)
    {
        for (int count = _random.Next(1, 4); count > 0 && _folded < _log.Count; count--)
        {
            SequenceMessage message = _log[(int)_folded++];
            // One that is stale does not count either.
            if (hasFaults && _random.Next(30) == 0) continue;
            if (_ranges.FitOf(message.Range, message.Begins) != RangeFit.Next) continue;
            _ranges.Advance(message.Range, identity: null);
            Dictionary<string, Seen> should = SequencedRecords.Below(message.Partition, message.Range.From);
            foreach ((string key, Seen had) in message.Before) Counted.Add((message.Range, key, had, should.GetValueOrDefault(key)));
        }

        if (_folded > _states[^1].Next) _states.Add(new ModelPlace(_ranges.Position.Copy(), _folded));
    }
}

/// <summary>Where the model stands in one of its states.</summary>
/// <param name="Position">Its partitions.</param>
/// <param name="Next">The next message that is not in it.</param>
internal sealed record ModelPlace(SourcePosition Position, long Next);

/// <summary>What a worker sends.</summary>
internal sealed record SequenceMessage(int Partition, RecordRange Range, bool Begins, Dictionary<string, Seen> Before);
