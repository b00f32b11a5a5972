using System.Runtime.InteropServices;

namespace StreamEm.Core.Data;

/// <summary>
/// Arrays, texts and minibatches in a saved state: little-endian, lengths first. What is read is hostile: lengths are checked before memory
/// is asked for.
/// </summary>
internal static class StateBinary
{
    private const int MaxLength = 1 << 27;

    public static void WriteDoubles(this BinaryWriter writer, ReadOnlySpan<double> values)
    {
        writer.Write(values.Length);
        writer.Write(MemoryMarshal.AsBytes(values));
    }

    public static double[] ReadDoubles(this BinaryReader reader) => reader.ReadArray<double>();

    /// <summary>Length and values of a type without references.</summary>
    public static void WriteArray<T>(this BinaryWriter writer, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        writer.Write(values.Length);
        writer.Write(MemoryMarshal.AsBytes(values));
    }

    public static T[] ReadArray<T>(this BinaryReader reader)
        where T : unmanaged
    {
        int length = reader.ReadLength(Marshal.SizeOf<T>());
        var values = new T[length];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    public static void WriteTexts(this BinaryWriter writer, IReadOnlyCollection<string> texts)
    {
        writer.Write(texts.Count);
        foreach (string text in texts) writer.Write(text);
    }

    public static List<string> ReadTexts(this BinaryReader reader)
    {
        int count = reader.ReadLength(1);
        var texts = new List<string>();
        for (int at = 0; at < count; at++) texts.Add(reader.ReadString());
        return texts;
    }

    /// <summary>Writes the observations of a minibatch with what accompanies them; texts only of the keys, the rest are codes.</summary>
    public static void WriteMinibatch(this BinaryWriter writer, Minibatch batch)
    {
        writer.WriteDoubles(batch.Values);
        writer.WriteDoubles(batch.Weights);
        writer.WriteDoubles(batch.Targets);
        writer.WriteArray(batch.Labels);
        // Nothing where every label is a component or none, as in states before there were others.
        if (!batch.AllEvidence.IsEmpty) writer.WriteDoubles(batch.AllEvidence);
        writer.WriteArray(batch.Timestamps);
        writer.Write(batch.Keys.Length);
        foreach (int key in batch.Keys) writer.Write(batch.Texts?.Find(key) ?? "");
        if (batch.KeepsEnds) writer.WriteArray(MemoryMarshal.AsBytes(batch.Lasts));
        batch.SaveTerms(writer);
    }

    /// <summary>Adds what <see cref="WriteMinibatch"/> wrote to an empty minibatch, which has terms and keeps ends where the one written
    /// did.</summary>
    public static void ReadMinibatch(this BinaryReader reader, Minibatch batch)
    {
        double[] values = reader.ReadDoubles(), weights = reader.ReadDoubles(), targets = reader.ReadDoubles();
        int[] labels = reader.ReadArray<int>();
        double[] evidence = labels.Any(label => label < Minibatch.Unlabelled) ? reader.ReadDoubles() : [];
        long[] timestamps = reader.ReadArray<long>();
        int[] keys = new int[reader.ReadLength(1)];
        for (int row = 0; row < keys.Length; row++)
        {
            string key = reader.ReadString();
            keys[row] = key.Length == 0 || batch.Texts is null ? Minibatch.NoKey : batch.Texts.Number(key);
        }
        byte[] lasts = batch.KeepsEnds ? reader.ReadArray<byte>() : [];
        int count = batch.Dimension == 0 ? 0 : values.Length / batch.Dimension;
        if (values.Length != (long)count * batch.Dimension || values.Any(double.IsInfinity))
            throw new InvalidDataException(
                $"A saved minibatch of {batch.Dimension} features has {values.Length} values, or infinite ones.");
        RequireColumns(count, weights.Length, targets.Length, labels.Length, timestamps.Length, keys.Length, lasts.Length);
        if (weights.Any(weight => !(weight >= 0) || double.IsInfinity(weight)))
            throw new InvalidDataException("A saved minibatch has a weight that is not a number of at least 0.");
        int[] known = Labels(labels, evidence, batch);
        for (int row = 0; row < count; row++)
        {
            batch.Add(
                values.AsSpan(row * batch.Dimension, batch.Dimension),
                weights.Length > 0 ? weights[row] : 1,
                known.Length > 0 ? known[row] : Minibatch.Unlabelled,
                targets.Length > 0 ? targets[row] : double.NaN,
                keys.Length > 0 ? keys[row] : Minibatch.NoKey,
                timestamps.Length > 0 ? timestamps[row] : Minibatch.NoTimestamp);
            if (lasts.Length > 0 && lasts[row] != 0) batch.EndSequence();
        }
        batch.LoadTerms(reader);
    }

    /// <summary>Labels as they are in the minibatch that they are added to.</summary>
    private static int[] Labels(int[] labels, double[] evidence, Minibatch batch)
    {
        int uncertain = labels.Count(label => label < Minibatch.Unlabelled), next = 0;
        if (uncertain == 0) return labels;
        int width = evidence.Length / uncertain;
        if (width == 0 || evidence.Length % uncertain != 0 || evidence.Any(value => value is not (>= 0 and <= 1)))
            throw new InvalidDataException("A saved minibatch has labels that say nothing that can be said of components.");
        int[] result = new int[labels.Length];
        for (int row = 0; row < labels.Length; row++)
        {
            if (labels[row] < Minibatch.Unlabelled && !evidence.AsSpan(width * next, width).ContainsAnyExcept(0.0))
                throw new InvalidDataException("A saved minibatch has a label that leaves no component.");
            result[row] = labels[row] < Minibatch.Unlabelled
                ? batch.AddEvidence(evidence.AsSpan(width * next++, width))
                : labels[row];
        }
        return result;
    }

    /// <summary>Throws when a column of a minibatch is neither empty nor of as many rows.</summary>
    public static void RequireColumns(int rows, params ReadOnlySpan<int> lengths)
    {
        foreach (int length in lengths)
            if (length != 0 && length != rows)
                throw new InvalidDataException($"A saved minibatch of {rows} rows has a column of {length}.");
    }

    /// <summary>A length, of things that take at least so many bytes each.</summary>
    private static int ReadLength(this BinaryReader reader, int least)
    {
        int length = reader.ReadInt32();
        if (length is < 0 or > MaxLength)
            throw new InvalidDataException($"A saved array has length {length}; expected 0 to {MaxLength}.");
        Stream stream = reader.BaseStream;
        return !stream.CanSeek || (long)length * least <= stream.Length - stream.Position
            ? length
            : throw new InvalidDataException($"A saved array has length {length}, more than is left of the state.");
    }
}
