using StreamEm.Core.Data;

namespace StreamEm.Core.Growing;

/// <summary>
/// Mean and variances of the heaviest confirmed components that together hold 80 % of their weight: where most of the stream is. Remote
/// records are scored by their distance from it. Part of the state.
/// </summary>
internal sealed class Bulk
{
    private const double Share = 0.8;

    private readonly int[] _order;
    private readonly double[] _mean, _variance;

    /// <summary>Of no records: mean 0, variances 1.</summary>
    public Bulk(int dimension, int capacity)
    {
        (_order, _mean, _variance) = (new int[capacity], new double[dimension], new double[dimension]);
        Array.Fill(_variance, 1);
    }

    /// <summary>b [D].</summary>
    public ReadOnlySpan<double> Mean => _mean;

    /// <summary>v [D].</summary>
    public ReadOnlySpan<double> Variance => _variance;

    /// <summary>Finds it anew.</summary>
    public void Find(GrowingComponents components, double floor)
    {
        int count = 0;
        double total = 0;
        for (int k = 0; k < components.Count; k++)
        {
            if (components.IsQuarantined[k]) continue;
            total += components.Weights[k];
            int at = count++;
            for (; at > 0 && components.Weights[_order[at - 1]] < components.Weights[k]; at--) _order[at] = _order[at - 1];
            _order[at] = k;
        }
        int used = 0;
        double weight = 0;
        while (used < count && weight < Share * total) weight += components.Weights[_order[used++]];
        for (int d = 0; d < _mean.Length; d++)
        {
            double mean = 0, squares = 0;
            for (int at = 0; at < used; at++)
            {
                int k = _order[at];
                double part = components.Weights[k] / weight, value = components.Mean(k)[d];
                mean += part * value;
                squares += part * (components.Scatter(k)[d * _mean.Length + d] + value * value);
            }
            (_mean[d], _variance[d]) = (mean, Math.Max(squares - mean * mean, floor));
        }
    }

    public void CopyFrom(Bulk other)
    {
        other._mean.CopyTo(_mean, 0);
        other._variance.CopyTo(_variance, 0);
    }

    public void Write(CompactWriter writer)
    {
        writer.Numbers(_mean);
        writer.Numbers(_variance);
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Read(ref CompactReader reader)
    {
        reader.Numbers(_mean);
        reader.Numbers(_variance);
        foreach (double variance in _variance)
            if (!(variance > 0)) throw new InvalidDataException("The state of a key is damaged: variances of the bulk are none.");
    }

    public void Save(BinaryWriter writer)
    {
        writer.WriteDoubles(_mean);
        writer.WriteDoubles(_variance);
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        double[] mean = reader.ReadDoubles(), variance = reader.ReadDoubles();
        if (mean.Length != _mean.Length || variance.Length != _variance.Length || !mean.All(double.IsFinite)
            || variance.Any(value => !(value > 0) || !double.IsFinite(value)))
            throw new InvalidDataException("The state is damaged: mean and variances of the bulk are none.");
        mean.CopyTo(_mean, 0);
        variance.CopyTo(_variance, 0);
    }
}
