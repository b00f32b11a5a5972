using StreamEm.Core.Data;

namespace StreamEm.Core.Learning;

/// <summary>
/// Which sequences the rows pending make, and which of them are over. All of it is a function of those rows and their order, so nothing of
/// it is kept: after a restart, and once rows were taken away, the rows are looked at again.
/// </summary>
/// <param name="maxKeys">Sequences open at once; with more, the one whose last row is furthest back is over.</param>
/// <param name="options">What ends a sequence.</param>
internal sealed class OpenSequences(int maxKeys, SequenceOptions options)
{
    private readonly long _gap = options.Gap is { } gap ? (long)gap.TotalMilliseconds : long.MaxValue;
    private readonly int _longest = options.MaxLength ?? int.MaxValue;
    private readonly Dictionary<int, Sequence> _open = [];
    private readonly LinkedList<Sequence> _byLastRow = new();
    private readonly List<Sequence> _all = [], _over = [];
    private readonly List<Sequence> _ofRow = [];
    private long _time = Minibatch.NoTimestamp;

    /// <summary>Rows of the sequences that are over.</summary>
    public int RowsOver { get; private set; }

    /// <summary>Looks at the rows that came since it was asked last.</summary>
    public void Look(Minibatch pending)
    {
        for (int row = _ofRow.Count; row < pending.Count; row++) Take(pending.Key(row), pending.Timestamp(row), pending.IsLast(row));
    }

    /// <summary>All sequences are over.</summary>
    public void CloseAll()
    {
        foreach (Sequence sequence in _all)
            if (!sequence.IsOver) Close(sequence);
    }

    /// <summary>
    /// Chooses sequences that are over, in the order in which they ended, until they have so many rows, and puts the rows in a new order:
    /// theirs first. Then all is forgotten.
    /// </summary>
    /// <param name="size">How many rows are enough.</param>
    /// <param name="order">Overwritten: for every row in the new order, the row it was.</param>
    /// <param name="numbers">Overwritten: for every row chosen, the number of its sequence.</param>
    /// <param name="evicted">How many of the sequences chosen made room for others.</param>
    public void Choose(int size, List<int> order, List<int> numbers, out int evicted)
    {
        order.Clear();
        numbers.Clear();
        evicted = 0;
        int rows = 0;
        for (int at = 0; at < _over.Count && rows < size; at++)
        {
            _over[at].Number = at;
            rows += _over[at].Rows;
            if (_over[at].WasEvicted) evicted++;
        }
        for (int row = 0; row < _ofRow.Count; row++)
        {
            if (_ofRow[row].Number < 0) continue;
            order.Add(row);
            numbers.Add(_ofRow[row].Number);
        }
        for (int row = 0; row < _ofRow.Count; row++)
            if (_ofRow[row].Number < 0) order.Add(row);
        Forget();
    }

    /// <summary>Forgets everything: the rows pending are other ones.</summary>
    public void Forget()
    {
        _open.Clear();
        _byLastRow.Clear();
        _all.Clear();
        _over.Clear();
        _ofRow.Clear();
        (_time, RowsOver) = (Minibatch.NoTimestamp, 0);
    }

    private void Take(int key, long timestamp, bool isLast)
    {
        _time = Math.Max(_time, timestamp);
        if (_open.TryGetValue(key, out Sequence? sequence) && SequenceLengths.IsBeyondGap(sequence.Last, timestamp, _gap))
        {
            Close(sequence);
            sequence = null;
        }
        if (sequence is null)
        {
            // The time of the stream has passed them by.
            while (_byLastRow.First is { } oldest && SequenceLengths.IsBeyondGap(oldest.Value.Last, _time, _gap)) Close(oldest.Value);
            if (_open.Count == maxKeys)
            {
                _byLastRow.First!.Value.WasEvicted = true;
                Close(_byLastRow.First.Value);
            }
            _open.Add(key, sequence = new Sequence(key));
            _all.Add(sequence);
        }
        else
        {
            _byLastRow.Remove(sequence.Place);
        }
        _byLastRow.AddLast(sequence.Place);
        _ofRow.Add(sequence);
        sequence.Rows++;
        sequence.Last = Math.Max(sequence.Last, timestamp);
        if (isLast || sequence.Rows >= _longest) Close(sequence);
    }

    private void Close(Sequence sequence)
    {
        sequence.IsOver = true;
        _open.Remove(sequence.Key);
        _byLastRow.Remove(sequence.Place);
        _over.Add(sequence);
        RowsOver += sequence.Rows;
    }

    /// <summary>Rows of one key that belong together.</summary>
    private sealed class Sequence
    {
        public Sequence(int key) => (Key, Place) = (key, new LinkedListNode<Sequence>(this));

        public int Key { get; }

        public LinkedListNode<Sequence> Place { get; }

        public int Rows { get; set; }

        public long Last { get; set; } = Minibatch.NoTimestamp;

        public bool IsOver { get; set; }

        public bool WasEvicted { get; set; }

        /// <summary>Its place among those chosen; -1 where it is not.</summary>
        public int Number { get; set; } = -1;
    }
}
