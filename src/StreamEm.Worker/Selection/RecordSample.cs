using StreamEm.Core;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Sources;

namespace StreamEm.Worker.Selection;

/// <summary>
/// A seeded sample of a stream: of independent records every one is in it as likely as any other (Vitter 1985, algorithm R); of sequences
/// it is the first ones, which a choice among them would tear apart.
/// </summary>
internal sealed class RecordSample(RecordSchema schema, int size, ulong seed, bool isOfSequences)
{
    private readonly Minibatch _kept = new RecordBatch(schema, 4096).Records;
    private readonly SplitMix64 _chance = new(seed);
    private readonly List<int> _places = [];

    /// <summary>Records seen.</summary>
    public long Seen { get; private set; }

    /// <summary>Takes records, in their order.</summary>
    public void Take(Minibatch rows)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            Seen++;
            if (_places.Count < size)
            {
                _places.Add(Keep(rows, row));
                continue;
            }

            if (isOfSequences) continue;
            long place = (long)(_chance.NextDouble() * Seen);
            if (place < size) _places[(int)place] = Keep(rows, row);
        }
    }

    /// <summary>The sample; of independent records in a seeded random order.</summary>
    public Minibatch Rows()
    {
        int[] order = [.. _places];
        for (int at = order.Length - 1; at > 0 && !isOfSequences; at--)
        {
            int other = _chance.NextInt32(at + 1);
            (order[at], order[other]) = (order[other], order[at]);
        }

        Minibatch rows = new RecordBatch(schema, Math.Max(1, order.Length)).Records;
        rows.Texts = _kept.Texts;
        rows.Append(_kept, order);
        return rows;
    }

    private int Keep(Minibatch rows, int row)
    {
        _kept.Append(rows, row, 1);
        return _kept.Count - 1;
    }
}
