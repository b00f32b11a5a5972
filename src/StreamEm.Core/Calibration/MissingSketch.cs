using StreamEm.Core.Data;

namespace StreamEm.Core.Calibration;

/// <summary>The log-densities of the records in which one set of features is missing.</summary>
/// <param name="words">64-bit words of a set.</param>
internal sealed class MissingSketch(int words)
{
    private readonly ulong[] _mask = new ulong[words];

    /// <summary>The set: a bit a feature.</summary>
    public ReadOnlySpan<ulong> Mask => _mask;

    /// <summary>The log-densities of the values observed.</summary>
    public LogDensitySketch Sketch { get; private init; } = new();

    /// <summary>How long the set is kept: records of it, less those of sets for which there was no room.</summary>
    public double Counter { get; set; }

    /// <summary>The sketch of complete records, which are all so far.</summary>
    public static MissingSketch OfComplete(int words, LogDensitySketch all)
    {
        var result = new MissingSketch(words) { Counter = all.Total };
        result.Sketch.Merge(all);
        return result;
    }

    /// <summary>Begins anew with another set.</summary>
    public void Begin(ReadOnlySpan<ulong> mask, double counter)
    {
        mask.CopyTo(_mask);
        Sketch.Clear();
        Counter = counter;
    }

    /// <summary>Whether it is of this set.</summary>
    public bool Is(ReadOnlySpan<ulong> mask) => mask.SequenceEqual(_mask);

    /// <summary>Numbers of the features missing, ascending.</summary>
    public int[] Missing(int dimension) =>
        [.. Enumerable.Range(0, dimension).Where(d => (_mask[d / 64] & 1UL << (d % 64)) != 0)];

    /// <summary>Multiplies the weight of everything remembered.</summary>
    public void Fade(double factor)
    {
        Sketch.Fade(factor);
        Counter *= factor;
    }

    /// <summary>Writes all of it.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.WriteArray<ulong>(_mask);
        writer.Write(Counter);
        Sketch.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static MissingSketch Load(BinaryReader reader, int words)
    {
        ulong[] mask = reader.ReadArray<ulong>();
        if (mask.Length != words)
            throw new InvalidDataException($"A set of missing features has {mask.Length} words; expected {words}.");
        var result = new MissingSketch(words);
        result.Begin(mask, reader.ReadDouble());
        if (!double.IsFinite(result.Counter)) throw new InvalidDataException("The counter of a set of missing features is not finite.");
        result.Sketch.Load(reader);
        return result;
    }
}
