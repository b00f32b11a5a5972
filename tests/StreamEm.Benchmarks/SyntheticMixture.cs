using StreamEm.Core.Data;

namespace StreamEm.Benchmarks;

/// <summary>
/// Rows drawn from K Gaussians whose means lie <c>distance</c> standard deviations apart, and the parameters an iteration starts
/// from: means off by 0.1, covariances 10 % too large, equal weights. The seed is the shape, so every run and every peer sees the same
/// data.
/// </summary>
internal sealed class SyntheticMixture
{
    private readonly Random _random;
    private readonly double[] _roots, _cumulative, _trueMeans;
    private double _spare = double.NaN;

    public SyntheticMixture(int dimension, int components, double distance = 4)
    {
        (Dimension, Components) = (dimension, components);
        _random = new Random(1000 * dimension + components);
        _cumulative = new double[components];
        double total = 0;
        for (int k = 0; k < components; k++) _cumulative[k] = total += 0.5 + _random.NextDouble();
        for (int k = 0; k < components; k++) _cumulative[k] /= total;
        _trueMeans = Fill(components * dimension, () => Normal() * distance / Math.Sqrt(2 * dimension));
        _roots = new double[components * dimension * dimension];
        Covariances = new double[components * dimension * dimension];
        for (int k = 0; k < components; k++) Covariance(k);
        Means = Fill(components * dimension, () => 0.1 * Normal());
        for (int at = 0; at < Means.Length; at++) Means[at] += _trueMeans[at];
        Weights = Fill(components, () => 1.0 / components);
    }

    public int Dimension { get; }

    public int Components { get; }

    /// <summary>K.</summary>
    public double[] Weights { get; }

    /// <summary>K x D.</summary>
    public double[] Means { get; }

    /// <summary>K x D x D.</summary>
    public double[] Covariances { get; }

    /// <summary>Weights, means and covariances (or only their diagonals) one after the other: a mixture's parameters.</summary>
    public double[] Parameters(bool full)
    {
        int matrix = Dimension * Dimension;
        double[] variances = new double[Components * Dimension];
        for (int at = 0; at < variances.Length; at++)
            variances[at] = Covariances[at / Dimension * matrix + at % Dimension * (Dimension + 1)];
        return [.. Weights, .. Means, .. full ? Covariances : variances];
    }

    /// <summary>The next <paramref name="count"/> rows.</summary>
    public Minibatch Draw(int count)
    {
        var batch = new Minibatch(Dimension, count);
        Refill(batch, count);
        return batch;
    }

    /// <summary>Overwrites <paramref name="batch"/> with the next <paramref name="count"/> rows.</summary>
    public void Refill(Minibatch batch, int count)
    {
        batch.Clear();
        double[] noise = new double[Dimension], row = new double[Dimension];
        for (int n = 0; n < count; n++)
        {
            double u = _random.NextDouble();
            int k = 0;
            while (k < Components - 1 && u > _cumulative[k]) k++;
            for (int d = 0; d < Dimension; d++) noise[d] = Normal();
            for (int i = 0; i < Dimension; i++)
            {
                double x = _trueMeans[k * Dimension + i];
                for (int j = 0; j <= i; j++) x += _roots[(k * Dimension + i) * Dimension + j] * noise[j];
                row[i] = x;
            }
            batch.Add(row);
        }
    }

    /// <summary>
    /// A A' + diag(0.6 .. 1.4), A of standard deviation 0.5 / sqrt D, its Cholesky root for drawing, and 1.1 times it to start from.
    /// </summary>
    private void Covariance(int k)
    {
        int at = k * Dimension * Dimension;
        double[] a = Fill(Dimension * Dimension, () => Normal() * 0.5 / Math.Sqrt(Dimension));
        for (int i = 0; i < Dimension; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = i == j ? 0.6 + 0.8 * _random.NextDouble() : 0;
                for (int d = 0; d < Dimension; d++) sum += a[i * Dimension + d] * a[j * Dimension + d];
                Covariances[at + i * Dimension + j] = Covariances[at + j * Dimension + i] = 1.1 * sum;
                for (int d = 0; d < j; d++) sum -= _roots[at + i * Dimension + d] * _roots[at + j * Dimension + d];
                _roots[at + i * Dimension + j] = i == j ? Math.Sqrt(sum) : sum / _roots[at + j * Dimension + j];
            }
    }

    private double Normal()
    {
        if (!double.IsNaN(_spare))
        {
            double kept = _spare;
            _spare = double.NaN;
            return kept;
        }
        double radius = Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())), angle = 2 * Math.PI * _random.NextDouble();
        _spare = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }

    private static double[] Fill(int length, Func<double> next)
    {
        double[] values = new double[length];
        for (int at = 0; at < length; at++) values[at] = next();
        return values;
    }
}
