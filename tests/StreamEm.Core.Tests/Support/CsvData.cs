using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Core.Tests.Support;

/// <summary>Reads the small data sets beside the tests.</summary>
internal static class CsvData
{
    /// <summary>Columns by name; empty cells are NaN. Rows without any value are left out.</summary>
    public static Minibatch Load(string file, params string[] columns)
    {
        string[] lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Data", file));
        string[] header = lines[0].Split(',');
        int[] at = [.. columns.Select(column => Array.IndexOf(header, column))];
        var batch = new Minibatch(columns.Length);
        foreach (string line in lines.Skip(1))
        {
            string[] cells = line.Split(',');
            double[] row =
                [.. at.Select(index => cells[index].Length == 0 ? double.NaN : double.Parse(cells[index], CultureInfo.InvariantCulture))];
            if (row.Any(value => !double.IsNaN(value))) batch.Add(row);
        }
        return batch;
    }

    /// <summary>The same rows in a seeded random order (Fisher-Yates).</summary>
    public static Minibatch Shuffle(Minibatch batch, ulong seed)
    {
        var chance = new SplitMix64(seed);
        int[] order = [.. Enumerable.Range(0, batch.Count)];
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = chance.NextInt32(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        var result = new Minibatch(batch.Dimension, batch.Count);
        result.Append(batch, order);
        return result;
    }

    /// <summary>Every feature minus its mean over its population standard deviation.</summary>
    public static Minibatch ZScore(Minibatch batch)
    {
        FeatureSpace space = new FeatureSpace([.. RecordSchema.OfNumbers(batch.Dimension).Features.Select(name => new Feature(name))])
            .Learn(batch);
        var result = new Minibatch(batch.Dimension, batch.Count);
        space.Encode(batch, 0, batch.Count, result);
        return result;
    }
}
