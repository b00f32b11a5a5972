using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Worker.Shown;

/// <summary>
/// The last records of a source, so that they can be replayed under another configuration: as they were read, whatever became of them, but
/// for those that were rejected. Bounded in bytes, in no state, of no influence on what is learned. Filled by the thread that reads, which
/// copies whole batches; the learner's thread has no part in it.
/// </summary>
/// <param name="schema">The records as they are read.</param>
/// <param name="maxBytes">The most it takes.</param>
internal sealed class RecordMemory(RecordSchema schema, long maxBytes)
{
    private const int PartBytes = 1 << 18, MinRows = 64, MaxRows = 4096;

    /// <summary>What a row costs beside its values: weight, label, key, time.</summary>
    private const int RowBytes = 24;

    /// <summary>What a text costs beside its bytes, twice over: as UTF-8 and as a string.</summary>
    private const int TextBytes = 96;

    private readonly Lock _lock = new();
    private readonly Queue<Minibatch> _parts = new();
    private readonly int _partRows = Math.Clamp(PartBytes / Math.Max(1, schema.Width * sizeof(double)), MinRows, MaxRows);
    private readonly int[] _textFeatures =
        [.. Enumerable.Range(0, schema.Width).Where(d => schema.KindOf(d) is FeatureKind.Level or FeatureKind.Terms)];
    private Minibatch? _last;

    /// <summary>Records that are kept. Any thread.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _parts.Sum(part => part.Count);
        }
    }

    /// <summary>About what they cost in memory. Any thread.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock) return _parts.Sum(BytesOf);
        }
    }

    /// <summary>Takes rows. The reading thread.</summary>
    public void Add(Minibatch rows)
    {
        lock (_lock)
        {
            for (int first = 0, count; first < rows.Count; first += count)
            {
                if (_last is null || _last.Count >= _partRows || _last.Texts!.Bytes >= PartBytes) Begin();
                count = Math.Min(rows.Count - first, _partRows - _last!.Count);
                _last.Append(rows, first, count);
            }

            Trim();
        }
    }

    /// <summary>Copies of the last records, oldest first, of at most so many. Any thread.</summary>
    public IReadOnlyList<Minibatch> Last(int most)
    {
        var copies = new List<Minibatch>();
        lock (_lock)
        {
            int skip = Math.Max(0, _parts.Sum(part => part.Count) - most);
            foreach (Minibatch part in _parts)
            {
                int first = Math.Min(skip, part.Count);
                skip -= first;
                if (first == part.Count) continue;
                Minibatch copy = New(part.Count - first);
                copy.Append(part, first, part.Count - first);
                copies.Add(copy);
            }
        }

        return copies;
    }

    /// <summary>Begins a part, with the memory of the oldest one where another would be too many.</summary>
    private void Begin()
    {
        bool isFull = _parts.Count > 1 && _parts.Sum(BytesOf) + PartBytes > maxBytes;
        _last = isFull ? _parts.Dequeue() : New(_partRows);
        _last.Clear();
        _last.Texts = new TextTable();
        _parts.Enqueue(_last);
    }

    /// <summary>Lets the oldest parts go whose texts were more than was thought.</summary>
    private void Trim()
    {
        while (_parts.Count > 1 && _parts.Sum(BytesOf) > maxBytes) _parts.Dequeue();
    }

    private Minibatch New(int rows) => new(schema.Width, rows, new TextTable(), _textFeatures);

    private long BytesOf(Minibatch part) =>
        ((long)_partRows * ((schema.Width * sizeof(double)) + RowBytes)) + (2 * part.Texts!.Bytes) + ((long)TextBytes * part.Texts.Count);
}
