using System.Runtime.InteropServices;
using StreamEm.Core.Data;

namespace StreamEm.Core.Learning;

/// <summary>Arrays and optional values in a saved state: little-endian, lengths first.</summary>
internal static class StateBinary
{
    public static void WriteDoubles(this BinaryWriter writer, ReadOnlySpan<double> values)
    {
        writer.Write(values.Length);
        writer.Write(MemoryMarshal.AsBytes(values));
    }

    public static double[] ReadDoubles(this BinaryReader reader, int maxLength = 1 << 27)
    {
        int length = reader.ReadInt32();
        if (length < 0 || length > maxLength) throw new InvalidDataException($"A saved array has length {length}; expected 0 to {maxLength}.");
        double[] values = new double[length];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Writes the observations of a minibatch with what accompanies them.</summary>
    public static void WriteMinibatch(this BinaryWriter writer, Minibatch batch)
    {
        writer.WriteDoubles(batch.Values);
        writer.WriteDoubles(batch.Weights);
        writer.WriteDoubles(batch.Targets);
        writer.Write(batch.Labels.Length);
        foreach (int label in batch.Labels) writer.Write(label);
    }

    /// <summary>Adds what <see cref="WriteMinibatch"/> wrote.</summary>
    public static void ReadMinibatch(this BinaryReader reader, Minibatch batch)
    {
        double[] values = reader.ReadDoubles(), weights = reader.ReadDoubles(), targets = reader.ReadDoubles();
        int[] labels = new int[reader.ReadInt32()];
        for (int row = 0; row < labels.Length; row++) labels[row] = reader.ReadInt32();
        int count = batch.Dimension == 0 ? 0 : values.Length / batch.Dimension;
        for (int row = 0; row < count; row++)
            batch.Add(
                values.AsSpan(row * batch.Dimension, batch.Dimension),
                weights.Length > 0 ? weights[row] : 1,
                labels.Length > 0 ? labels[row] : Minibatch.Unlabelled,
                targets.Length > 0 ? targets[row] : double.NaN);
    }
}
