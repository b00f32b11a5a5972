using StreamEm.Core.Data;

namespace StreamEm.Core.Models.Sequences;

/// <summary>Of every key, the probabilities of its state after its last row: p(z_t given x_1 .. x_t) [keys, K].</summary>
internal sealed class FilterMemory(int keys, int components) : StreamMemory
{
    private readonly double[] _filtered = new double[keys * components];
    private readonly bool[] _isKnown = new bool[keys];

    /// <summary>Whether a slot has had rows.</summary>
    public bool IsKnown(int slot) => _isKnown[slot];

    /// <summary>The state's probabilities of a slot [K].</summary>
    public ReadOnlySpan<double> Of(int slot) => _filtered.AsSpan(slot * components, components);

    /// <summary>Remembers a slot's state.</summary>
    public void Set(int slot, ReadOnlySpan<double> filtered)
    {
        filtered.CopyTo(_filtered.AsSpan(slot * components));
        _isKnown[slot] = true;
    }

    /// <inheritdoc/>
    public override void Forget(int slot) => _isKnown[slot] = false;

    /// <inheritdoc/>
    public override void CopyFrom(StreamMemory other)
    {
        var filter = (FilterMemory)other;
        filter._filtered.CopyTo(_filtered, 0);
        filter._isKnown.CopyTo(_isKnown, 0);
    }

    /// <inheritdoc/>
    public override void CopyFrom(StreamMemory other, int from, int to)
    {
        var filter = (FilterMemory)other;
        if (filter.IsKnown(from)) Set(to, filter.Of(from));
        else Forget(to);
    }

    /// <inheritdoc/>
    public override void Save(BinaryWriter writer)
    {
        writer.WriteArray<int>([.. Enumerable.Range(0, keys).Where(IsKnown)]);
        for (int slot = 0; slot < keys; slot++)
            if (_isKnown[slot]) foreach (double value in Of(slot)) writer.Write(value);
    }

    /// <inheritdoc/>
    public override void Load(BinaryReader reader)
    {
        Array.Clear(_isKnown);
        int[] known = reader.ReadArray<int>();
        foreach (int slot in known)
        {
            if ((uint)slot >= (uint)keys) throw new InvalidDataException($"A saved filter has slot {slot}; there are {keys}.");
            double sum = 0;
            for (int k = 0; k < components; k++)
            {
                double probability = _filtered[slot * components + k] = reader.ReadDouble();
                if (!(probability >= 0)) throw new InvalidDataException($"A saved filter has a probability below 0 in slot {slot}.");
                sum += probability;
            }
            if (!(Math.Abs(sum - 1) < 1e-6)) throw new InvalidDataException($"The saved probabilities of slot {slot} sum to {sum:R}.");
            _isKnown[slot] = true;
        }
    }
}
