using StreamEm.Core.Data;

namespace StreamEm.Core.Models.Ratings;

/// <summary>Of every row of a matrix, what its cells so far say of its factors: a precision and what it is multiplied by, less the prior's.
/// </summary>
internal sealed class RowMemory(int keys, int length) : StreamMemory
{
    private readonly double[] _sums = new double[keys * length];

    /// <summary>What is remembered of a slot; zeros for nothing.</summary>
    public Span<double> Of(int slot) => _sums.AsSpan(slot * length, length);

    /// <inheritdoc/>
    public override void Forget(int slot) => Of(slot).Clear();

    /// <inheritdoc/>
    public override void CopyFrom(StreamMemory other) => ((RowMemory)other)._sums.CopyTo(_sums, 0);

    /// <inheritdoc/>
    public override void CopyFrom(StreamMemory other, int from, int to) => ((RowMemory)other).Of(from).CopyTo(Of(to));

    /// <inheritdoc/>
    public override void Save(BinaryWriter writer)
    {
        int[] known = [.. Enumerable.Range(0, keys).Where(slot => Of(slot).ContainsAnyExcept(0.0))];
        writer.WriteArray<int>(known);
        foreach (int slot in known)
            foreach (double value in Of(slot)) writer.Write(value);
    }

    /// <inheritdoc/>
    public override void Load(BinaryReader reader)
    {
        Array.Clear(_sums);
        foreach (int slot in reader.ReadArray<int>())
        {
            if ((uint)slot >= (uint)keys) throw new InvalidDataException($"A saved row has slot {slot}; there are {keys}.");
            Span<double> sums = Of(slot);
            for (int at = 0; at < sums.Length; at++)
                if (!double.IsFinite(sums[at] = reader.ReadDouble()))
                    throw new InvalidDataException($"What is saved of the cells of slot {slot} is not finite.");
        }
    }
}
