using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>One message for the topic of keys.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value.</param>
internal readonly record struct KeyMessage(byte[] Name, byte[] Value);

/// <summary>
/// What is known of the keys of one partition of the source, on the worker that has it: models of their own, or where their sequences
/// stand. A model is what its key's records say in their order, and nothing else, so that whoever reads them has the same, to the byte. So
/// is a sequence, under the parameters of the time at which its records were worked on. One thread.
/// </summary>
internal sealed class KeyedPartition : IDisposable
{
    private readonly KeyNames _names;
    private readonly KeyLog? _log;
    private readonly Tracked _states;
    private readonly KeyedMixtures? _mixtures;
    private readonly Guid _tenure;
    private KeyedScore[] _scores = [];
    private int _taken;
    private long _known, _begin, _marked, _captured, _aheadEnd;
    private string? _identity;
    private IReadOnlyDictionary<string, long>? _ahead;

    /// <summary>Nothing is known yet.</summary>
    /// <param name="options">The model.</param>
    /// <param name="partition">The partition's name.</param>
    /// <param name="tenure">Tells who has it, and since when, from all others.</param>
    /// <param name="directory">Where those are that have no room in memory, as long as this is here; null keeps all in memory.</param>
    public KeyedPartition(ModelOptions options, string partition, Guid tenure, string? directory)
    {
        (Name, _tenure) = (partition, tenure);
        _names = new KeyNames(options.Id, partition);
        _log = directory is null ? null : new KeyLog(directory);
        _states = new Tracked(new KeyStore(options.KeysInMemory, _log), key => IsNew?.Invoke(this, key));
        Schema = $"{options.Schema.Key}: {string.Join(", ", options.Schema.Columns)}";
        if (options.PerKey)
        {
            _mixtures = new KeyedMixtures(options.KeyModel, options.Schema, options.Learning, _states);
            return;
        }

        Sequences = new SequenceStates(_states);
        Schema += $" ({options.Model.Type})";
    }

    /// <summary>The partition's name.</summary>
    public string Name { get; }

    /// <summary>What the states are of.</summary>
    public string Schema { get; }

    /// <summary>Where the sequences of the keys stand; null where keys have models of their own.</summary>
    public SequenceStates? Sequences { get; }

    /// <summary>All know what the records below say; null where they do not know yet where they begin.</summary>
    public long? Position { get; private set; }

    /// <summary>Records passed since what was captured last.</summary>
    public long Passed => (Position ?? 0) - _captured;

    /// <summary>Keys, and what they take.</summary>
    public KeyCounts Counts =>
        new(_states.Store.Count, _states.Store.InMemory, _states.Store.Bytes, _states.Store.Returned, _log?.Bytes ?? 0);

    /// <summary>Models in memory at most.</summary>
    public int MaxKeys
    {
        get => _states.Store.MaxKeys;
        set => _states.Store.MaxKeys = value;
    }

    /// <summary>The alarms, what is known of whose keys goes where their models go; null for none.</summary>
    public AlarmWatch? Alarms { get; init; }

    /// <summary>What the models said of the records taken last, in their order.</summary>
    public ReadOnlySpan<KeyedScore> Scores => _scores.AsSpan(0, _taken);

    /// <summary>Told of every key that is new.</summary>
    public Action<KeyedPartition, string>? IsNew { get; init; }

    /// <summary>What takes what the topic of keys says; then <see cref="Restore"/>.</summary>
    public KeyHistory ReadHistory() => new(_names, _states.Store, Alarms);

    /// <summary>Goes on from what the topic says.</summary>
    /// <param name="start">That; null where it says nothing.</param>
    /// <param name="known">The offset in the topic up to which it was read.</param>
    public void Restore(KeyStart? start, long known)
    {
        _known = known;
        if (start is null) return;
        (Position, _captured, _begin, _marked, _identity) = (start.Position, start.Position, start.Begin, start.Marked, start.Identity);
        _ahead = start.Ahead.Count > 0 ? start.Ahead : null;
        _aheadEnd = start.Ahead.Count > 0 ? start.Ahead.Values.Max() : 0;
        _states.Changed.UnionWith(start.Behind.Where(Contains));
    }

    /// <summary>Begins at a position, where nothing says where.</summary>
    public void Begin(PartitionPosition place)
    {
        _begin = _captured = place.Next;
        (Position, _identity) = (place.Next, place.Identity);
    }

    /// <summary>Where reading begins for the model of all and for these.</summary>
    /// <param name="stands">Where the model of all stands; null where that has no place yet.</param>
    /// <returns>Null where nobody says.</returns>
    public PartitionPosition? Place(PartitionPosition? stands) => (stands, Position) switch
    {
        ({ } place, { } own) => place with { Next = Math.Min(place.Next, own) },
        // The model of all begins where these began.
        (null, not null) => new PartitionPosition(_begin, _identity),
        _ => stands,
    };

    /// <summary>How many of some records are alike: known to the model of their key, all of them or none.</summary>
    /// <param name="batch">Their batch.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many there are, at least one.</param>
    public int CountAlike(RecordBatch batch, int first, int count)
    {
        if (_ahead is null && (batch.Offset(first + count - 1) < Position || batch.Offset(first) >= Position)) return count;
        bool isKnown = IsKnown(batch, first);
        int alike = 1;
        while (alike < count && IsKnown(batch, first + alike) == isKnown) alike++;
        return alike;
    }

    /// <summary>Takes records that are alike (<see cref="CountAlike"/>); those that the models know they do not learn again.</summary>
    /// <returns>Whether they are not known: models have learned them, and <see cref="Scores"/> are of them; sequences lack them.</returns>
    /// <exception cref="InvalidDataException">The state of a key is of other features.</exception>
    /// <exception cref="IOException">The state of a key cannot be read or written.</exception>
    public bool Take(in TakenRecords taken)
    {
        bool isKnown = IsKnown(taken.Batch, taken.First);
        if (_mixtures is null) return !isKnown;
        Reach(taken.Batch.NextOffset(taken.First + taken.Count - 1));
        if (isKnown) return false;
        Minibatch rows = taken.Made;
        if (_scores.Length < taken.Count) _scores = new KeyedScore[taken.Count];
        _taken = taken.Count;
        for (int at = 0; at < taken.Count; at++)
        {
            int row = taken.FirstMade + at;
            _scores[at] = _mixtures.Take(rows.Texts?.Find(rows.Key(row)) ?? "", rows.Row(row), learns: rows.Weight(row) > 0);
        }

        return true;
    }

    /// <summary>Says that there are no more records below a position.</summary>
    public void Reach(long position)
    {
        if (position > Position) Position = position;
        if (Position >= _aheadEnd) _ahead = null;
    }

    /// <summary>Of sequences: the model of all has all records below a position.</summary>
    public void Confirm(long stands)
    {
        if (Sequences?.Confirm(stands) is { } reached) Reach(reached);
    }

    /// <summary>Whether sequences are known further than the model of all is.</summary>
    /// <param name="stands">Where that stands; null where it has no place yet.</param>
    public bool IsAheadOf(long? stands) => Sequences is not null && Math.Max(Position ?? 0, _aheadEnd) > (stands ?? _begin);

    /// <summary>The states that are other than they were at the last call.</summary>
    public IEnumerable<KeyMessage> Capture()
    {
        _mixtures?.Flush();
        _captured = Position ?? 0;
        foreach (string key in _states.Changed)
        {
            byte[] name = _names.Of(key);
            long to = Math.Max(_captured, _ahead?.GetValueOrDefault(key) ?? 0);
            yield return new KeyMessage(name, KeyEntry.Encode(
                name, _tenure, to, Alarms?.StateOf(key) ?? [], _states.Store.Peek(key)));
        }

        _states.Changed.Clear();
    }

    /// <summary>
    /// What says that all that was captured is in the topic; null where an earlier mark says more, because this reads again what was
    /// known.
    /// </summary>
    public KeyMessage? Mark() => _captured < _marked ? null : new KeyMessage(_names.Mark, new KeyMark
    {
        Tenure = _tenure,
        Known = _known,
        Begin = _begin,
        Position = _captured,
        Keys = _states.Store.Count,
        Schema = Schema,
        Identity = _identity,
    }.Encode(_names.Mark));

    /// <summary>Has the files hold no more than is worth its while.</summary>
    public void Tidy() => _states.Store.Tidy();

    /// <summary>Whether there is a model of a key.</summary>
    public bool Contains(string key) => _states.Store.Contains(key);

    /// <summary>What the model of a key has learned; null of a key that never came.</summary>
    public KeySummary? Describe(string key) => _mixtures?.Describe(key);

    /// <summary>Forgets the alarms of the keys, which are another worker's now.</summary>
    public void ForgetAlarms()
    {
        if (Alarms is not null)
            foreach (string key in _states.Store.Keys) Alarms.Restore(key, default);
    }

    /// <summary>The states as bytes, by key.</summary>
    public IEnumerable<(string Key, byte[] State)> States(IEnumerable<string> keys)
    {
        _mixtures?.Flush();
        foreach (string key in keys)
            if (Contains(key)) yield return (key, _states.Store.Peek(key).ToArray());
    }

    /// <inheritdoc/>
    public void Dispose() => _log?.Dispose();

    private bool IsKnown(RecordBatch batch, int row)
    {
        long offset = batch.Offset(row);
        return offset < Position || (_ahead is not null && _ahead.TryGetValue(batch.Key(row) ?? "", out long to) && offset < to);
    }

    /// <summary>The states, and which have changed.</summary>
    private sealed class Tracked(KeyStore store, Action<string> isNew) : KeyStates
    {
        public KeyStore Store => store;

        public HashSet<string> Changed { get; } = new(StringComparer.Ordinal);

        public override ReadOnlySpan<byte> Read(string key) => store.Read(key);

        public override void Write(string key, ReadOnlySpan<byte> state)
        {
            if (!store.Contains(key)) isNew(key);
            store.Write(key, state);
            Changed.Add(key);
        }
    }
}
