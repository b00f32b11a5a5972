using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEm.Core.Data;

namespace StreamEm.Core.Calibration;

/// <summary>
/// The records (inside) that many others equal, with their weight: at most 128, of which each version says anew how probable they are. One
/// is looked for among the first 256 records of every 1024, by equal log-densities, which costs a stream without equal records next to
/// nothing; when there is no room, those met least are dropped (Misra &amp; Gries 1982). Part of the state.
/// </summary>
/// <param name="dimension">D.</param>
internal sealed class FrequentRecords(int dimension)
{
    /// <summary>Records kept: one that more than 0.8 % of all equal has room.</summary>
    public const int Capacity = 128;

    /// <summary>Records among which equal ones are looked for at a time, and the records these stand for.</summary>
    public const int Sample = 256, Stretch = 1024;

    /// <summary>Places where records are looked for.</summary>
    public const int Slots = 512;

    /// <summary>Records of one log-density that a record is compared with: many others may be just as probable.</summary>
    private const int Probes = 16;

    private readonly Entry[] _entries = new Entry[Capacity];
    private readonly short[] _slots = new short[Slots];
    private double[] _values = [];

    /// <summary>Records kept.</summary>
    public int Count { get; private set; }

    /// <summary>Whether there is no room for another.</summary>
    public bool IsFull => Count == Capacity;

    /// <summary>What is known of one, to be changed.</summary>
    public ref Entry this[int entry] => ref _entries[entry];

    /// <summary>The D values of one.</summary>
    public ReadOnlySpan<double> Row(int entry) => _values.AsSpan(entry * dimension, dimension);

    /// <summary>The number of the record that equals a row, NaN being NaN; -1 when there is none.</summary>
    public int Find(ReadOnlySpan<double> row)
    {
        if (Count == 0) return -1;
        for (int slot = SlotOf(row); _slots[slot] != 0; slot = (slot + 1) % Slots)
            if (AreEqual(Row(_slots[slot] - 1), row)) return _slots[slot] - 1;
        return -1;
    }

    /// <summary>
    /// Rows of a stretch that equal an earlier one of its first 256 and are not kept yet, each once; those of finite log-density.
    /// </summary>
    /// <param name="rows">Inside.</param>
    /// <param name="logDensities">One per row.</param>
    /// <param name="first">First row of the stretch.</param>
    /// <param name="twins">Room for <see cref="Sample"/> / 2.</param>
    /// <returns>How many.</returns>
    [SkipLocalsInit]
    public int FindTwins(Minibatch rows, ReadOnlySpan<double> logDensities, int first, Span<int> twins)
    {
        Span<int> seen = stackalloc int[2 * Sample];
        seen.Clear();
        int found = 0, end = Math.Min(first + Sample, rows.Count);
        for (int row = first; row < end; row++)
        {
            double density = logDensities[row];
            if (!double.IsFinite(density)) continue;
            int slot = (int)(SplitMix64.Mixed(BitConverter.DoubleToUInt64Bits(density)) % (2 * Sample));
            for (int probe = 0; seen[slot] != 0 && probe < Probes; probe++, slot = (slot + 1) % (2 * Sample))
            {
                int earlier = Math.Abs(seen[slot]) - 1;
                if (logDensities[earlier] != density || !AreEqual(rows.Row(earlier), rows.Row(row))) continue;
                if (seen[slot] > 0 && Find(rows.Row(row)) < 0) twins[found++] = row;
                seen[slot] = -(earlier + 1);
                break;
            }
            if (seen[slot] == 0) seen[slot] = row + 1;
        }
        return found;
    }

    /// <summary>Keeps a row that is not kept yet; there is room.</summary>
    public int Add(ReadOnlySpan<double> row)
    {
        if (_values.Length == 0) _values = new double[Capacity * dimension];
        row.CopyTo(_values.AsSpan(Count * dimension));
        _entries[Count] = default;
        Index(Count);
        return Count++;
    }

    /// <summary>Drops a record.</summary>
    public void Remove(int entry)
    {
        Count--;
        if (entry < Count)
        {
            _entries[entry] = _entries[Count];
            Row(Count).CopyTo(_values.AsSpan(entry * dimension));
        }
        Array.Clear(_slots);
        for (int kept = 0; kept < Count; kept++) Index(kept);
    }

    /// <summary>Multiplies the weight of all.</summary>
    public void Fade(double factor)
    {
        for (int entry = 0; entry < Count; entry++)
        {
            _entries[entry].Weight *= factor;
            _entries[entry].OfItsPattern *= factor;
            _entries[entry].Counter *= factor;
        }
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        Count = 0;
        Array.Clear(_slots);
    }

    /// <summary>Writes all of it.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(Count);
        writer.WriteDoubles(_values.AsSpan(0, Count * dimension));
        writer.WriteDoubles(MemoryMarshal.Cast<Entry, double>(_entries.AsSpan(0, Count)));
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        Clear();
        int count = reader.ReadInt32();
        double[] values = reader.ReadDoubles(), entries = reader.ReadDoubles();
        if (count is < 0 or > Capacity || values.Length != (long)count * dimension || entries.Length != count * Unsafe.SizeOf<Entry>() / 8)
            throw new InvalidDataException($"The state remembers {count} frequent records of another size.");
        for (int at = 0; at < count; at++)
        {
            ReadOnlySpan<double> row = values.AsSpan(at * dimension, dimension);
            if (Find(row) >= 0) throw new InvalidDataException("The state remembers a frequent record twice.");
            _entries[Add(row)] = MemoryMarshal.Cast<double, Entry>(entries)[at];
            if (!_entries[at].IsSound) throw new InvalidDataException("The weight of a frequent record is not a number of at least 0.");
        }
    }

    /// <summary>The place where a row is looked for first.</summary>
    public static int SlotOf(ReadOnlySpan<double> row)
    {
        ulong hash = 0;
        foreach (double value in row)
            // All NaN are one, and so are the two zeros.
            hash = (hash ^ (double.IsNaN(value) ? ulong.MaxValue : BitConverter.DoubleToUInt64Bits(value + 0.0))) * SplitMix64.Increment;
        // The low half of round numbers is zeros, and products carry upwards only.
        return (int)(SplitMix64.Mixed(hash) % Slots);
    }

    private void Index(int entry)
    {
        int slot = SlotOf(Row(entry));
        while (_slots[slot] != 0) slot = (slot + 1) % Slots;
        _slots[slot] = (short)(entry + 1);
    }

    private static bool AreEqual(ReadOnlySpan<double> one, ReadOnlySpan<double> other)
    {
        for (int d = 0; d < one.Length; d++)
            if (one[d] != other[d] && !(double.IsNaN(one[d]) && double.IsNaN(other[d]))) return false;
        return true;
    }

    /// <summary>What is known of one record.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Entry
    {
        /// <summary>Weight of the records that are it.</summary>
        public double Weight;

        /// <summary>Of these, what came since its set of missing features has a sketch of its own.</summary>
        public double OfItsPattern;

        /// <summary>How long it is kept: its weight less that of others for which there was no room.</summary>
        public double Counter;

        /// <summary>Its log-density when it last came, and that of a complete record as improbable.</summary>
        public double LogDensity, Comparable;

        /// <summary>Whether these are numbers that a stream leaves behind.</summary>
        public readonly bool IsSound => Weight >= 0 && double.IsFinite(Weight) && OfItsPattern >= 0 && OfItsPattern <= Weight
            && double.IsFinite(Counter) && double.IsFinite(LogDensity) && !double.IsNaN(Comparable);
    }
}

/// <summary>Records of one log-density.</summary>
/// <param name="LogDensity">log p, standardised units.</param>
/// <param name="Weight">Their weight.</param>
internal readonly record struct Tie(double LogDensity, double Weight);
