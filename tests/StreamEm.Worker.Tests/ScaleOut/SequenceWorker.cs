using StreamEm.Sources;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>One worker of <see cref="SimulatedSequences"/>: what it believes to have, to know and to have sent.</summary>
internal sealed class SequenceWorker(Random random, SimulatedKeysTopic[] topics, ModelPlace state, string directory) : IDisposable
{
    private readonly InFlight _inFlight = new(2);
    private readonly Dictionary<int, Owned> _parts = [];
    private bool _isBehind;

    public int[] Assigned { get; private set; } = [];

    public ModelPlace State { get; private set; } = state;

    public long Remembered { get; private set; }

    public long Waited { get; private set; }

    /// <summary>Begins at what is assigned, from where the model stands.</summary>
    public void Begin(ModelPlace state, int[] assigned)
    {
        (State, Assigned) = (state, assigned);
        _inFlight.Clear();
        foreach (int gone in _parts.Keys.Except(assigned).ToArray()) Drop(gone);
        foreach (int partition in assigned)
            if (!_parts.ContainsKey(partition)) _parts.Add(partition, Restored(partition));
        foreach (Owned owned in _parts.Values) owned.Part.Sequences!.Forget();
        _isBehind = _parts.Any(one => one.Value.Part.IsAheadOf(Stands(one.Key)?.Next));
        if (_isBehind)
        {
            Waited++;
            return;
        }

        foreach ((int partition, Owned owned) in _parts)
        {
            PartitionPosition? stands = Stands(partition);
            PartitionPosition place = owned.Part.Place(stands) ?? new PartitionPosition(0);
            (owned.Stood, owned.Next, owned.HasBegun) = (stands?.Next ?? 0, place.Next, false);
            if (owned.Part.Position is not null) continue;
            owned.Part.Begin(place);
            foreach (KeyMessage message in Captured(owned.Part)) topics[partition].Append(message);
        }
    }

    public void Look(ModelPlace state)
    {
        bool isNewer = state.Next > State.Next;
        State = state;
        bool isMissed = _inFlight.Look(state.Position, state.Next, version: 0);
        foreach ((int partition, Owned owned) in _parts)
            if (Stands(partition) is { } stands) owned.Part.Confirm(stands.Next);
        if (isMissed || (_isBehind && isNewer)) Begin(state, Assigned);
    }

    /// <summary>Reads some of what the model has for the memory alone.</summary>
    public bool TryRemember(int partition)
    {
        if (_isBehind || !_parts.TryGetValue(partition, out Owned? owned) || owned.Next >= owned.Stood) return false;
        long to = Math.Min(owned.Next + random.Next(1, 20), owned.Stood);
        SequencedRecords.Take(owned.Part, partition, owned.Next, to, isForMemory: true);
        owned.Part.Confirm(to);
        Remembered += to - owned.Next;
        owned.Next = to;
        return true;
    }

    public (SequenceMessage Message, Action<long> Written)? TryCut(int partition)
    {
        if (_isBehind || !_parts.TryGetValue(partition, out Owned? owned) || !_inFlight.HasRoom(SequencedRecords.NameOf(partition)))
            return null;
        long from = owned.Next, to = Math.Min(from + random.Next(1, 12), SequencedRecords.Records);
        if (from == to) return null;
        var range = new RecordRange(SequencedRecords.NameOf(partition), from, to);
        bool begins = !owned.HasBegun && Stands(partition) is null;
        var message = new SequenceMessage(
            partition, range, begins, SequencedRecords.Take(owned.Part, partition, from, to, isForMemory: false));
        (owned.Next, owned.HasBegun) = (to, true);
        return (message, _inFlight.Add(range));
    }

    /// <summary>States go one after another, and the mark when all of them are there.</summary>
    public void Write(int partition)
    {
        if (!_parts.TryGetValue(partition, out Owned? owned) || owned.Sent.Count > 0 || owned.Part.Position is null) return;
        foreach (KeyMessage message in Captured(owned.Part)) owned.Sent.Enqueue(message);
        owned.Part.Tidy();
    }

    public void Send(int partition, int count)
    {
        for (; count > 0 && _parts.TryGetValue(partition, out Owned? owned) && owned.Sent.TryDequeue(out KeyMessage message); count--)
            topics[partition].Append(message);
    }

    public void GiveUp()
    {
        foreach (int partition in _parts.Keys)
        {
            Send(partition, int.MaxValue);
            Write(partition);
            Send(partition, int.MaxValue);
        }
    }

    /// <summary>What it had under way gets there after all, or not.</summary>
    public void Die()
    {
        foreach ((int partition, Owned owned) in _parts)
            if (random.Next(2) == 0)
                foreach (KeyMessage message in owned.Sent) topics[partition].Delay(message);
        Dispose();
    }

    public Dictionary<string, Seen> Known(int partition) => SequencedRecords.Below(partition, SequencedRecords.Records).Keys
        .ToDictionary(key => key, key => Seen.Decode(_parts[partition].Part.Sequences!.Read(key)), StringComparer.Ordinal);

    public void Dispose()
    {
        foreach (int partition in _parts.Keys.ToArray()) Drop(partition);
    }

    private PartitionPosition? Stands(int partition) => State.Position.Partitions.GetValueOrDefault(SequencedRecords.NameOf(partition));

    private Owned Restored(int partition)
    {
        Guid tenure = new(random.Next(), 0, 0, BitConverter.GetBytes(random.NextInt64()));
        var part = new KeyedPartition(SequencedRecords.Options, SequencedRecords.NameOf(partition), tenure,
            random.Next(4) == 0 ? Path.Combine(directory, $"{tenure}") : null);
        KeyHistory history = part.ReadHistory();
        topics[partition].ReadInto(history);
        part.Restore(history.Finish(), topics[partition].End);
        return new Owned(part);
    }

    private void Drop(int partition)
    {
        _parts.Remove(partition, out Owned? owned);
        owned!.Part.Dispose();
    }

    private static List<KeyMessage> Captured(KeyedPartition part)
    {
        List<KeyMessage> messages = [.. part.Capture()];
        if (part.Mark() is { } mark) messages.Add(mark);
        return messages;
    }

    /// <summary>A partition that it has.</summary>
    private sealed class Owned(KeyedPartition part)
    {
        public KeyedPartition Part => part;

        public Queue<KeyMessage> Sent { get; } = new();

        /// <summary>Where the model stood when it began.</summary>
        public long Stood { get; set; }

        public long Next { get; set; }

        public bool HasBegun { get; set; }
    }
}
