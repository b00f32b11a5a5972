using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>Rows as sequences: inside, with slots as keys, and as a source delivers them.</summary>
internal static class Sequences
{
    /// <summary>
    /// The rows cut into sequences of 1 to 20, each with the slot of its own as key and the weight of its first row: a likelihood has a
    /// power for a sequence, not for a row in it.
    /// </summary>
    public static Minibatch Of(Minibatch rows, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var result = new Minibatch(rows.Dimension, rows.Count);
        double weight = 1;
        for (int row = 0, left = 0, slot = -1; row < rows.Count; row++)
        {
            if (left-- == 0)
            {
                result.BeginSequence();
                (left, slot, weight) = (chance.NextInt32(20), slot + 1, rows.Weight(row));
            }
            result.Add(rows.Row(row), weight, key: slot);
        }
        return result;
    }

    /// <summary>The rows of several sequences in turn, keys as texts; nine keys in all.</summary>
    public static Minibatch Interleaved(Minibatch rows)
    {
        TextTable texts = rows.Texts ?? new();
        var records = new Minibatch(rows.Dimension, rows.Count, texts);
        for (int row = 0; row < rows.Count; row++)
        {
            int from = (int)(row * 37L % rows.Count);
            records.Add(rows.Row(from), rows.Weight(from), key: texts.Number($"device {from % 9}"));
        }
        return records;
    }
}
