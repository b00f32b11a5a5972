using System.Buffers;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Factors;

/// <summary>What is done row by row: those with missing values, distances and scores.</summary>
internal sealed partial class FactorAnalyserEStep
{
    public override MeasuredDistance Distance(RowBlock block, int index, int component)
    {
        Posterior posterior = Infer(block.Row(index), component, block.Scratch(WorkLength));
        return new MeasuredDistance(posterior.Square, posterior.Values);
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        double[] work = ArrayPool<double>.Shared.Rent(WorkLength);
        for (int k = 0; k < _components; k++)
        {
            Posterior posterior = row.IsEmpty ? new(_constants[k], 0, _dimension) : Infer(row, k, work);
            spreads[k] = new LogDensitySpread(posterior.Peak, 0.5 * posterior.Values, 0.5 * posterior.Values);
        }
        ArrayPool<double>.Shared.Return(work);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The code of every component, and of the mixture the expected value of every feature given those observed, with its variance: for a
    /// value that is missing this is its imputation.
    /// </remarks>
    public override void Score(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> scores, int width)
    {
        int codes = _components * _factors, covariances = codes * _factors;
        Span<double> work = block.Scratch(WorkLength);
        for (int i = 0; i < block.Count; i++)
        {
            Span<double> row = scores.Slice(i * width, codes + covariances + 2 * _dimension), expected = row[(codes + covariances)..];
            expected.Clear();
            for (int k = 0; k < _components; k++)
            {
                Infer(block.Row(i), k, work);
                Span<double> latent = row.Slice(k * _factors, _factors),
                    covariance = row.Slice(codes + k * _factors * _factors, _factors * _factors);
                work[.._factors].CopyTo(latent);
                SymmetricMatrix.Unpack(work.Slice(_factors, _packed), _factors, covariance);
                Expect(k, latent, covariance, responsibilities[k * RowBlock.Stride + i], expected);
            }
            for (int d = 0; d < _dimension; d++)
            {
                double mean = expected[d];
                expected[_dimension + d] = Math.FusedMultiplyAdd(-mean, mean, expected[_dimension + d]);
            }
        }
    }

    /// <summary>Doubles that <see cref="Infer"/> works in: E[z] [q], then Cov[z] packed, then its own.</summary>
    private int WorkLength => 2 * _factors + 2 * _packed;

    /// <summary>
    /// The posterior of z given the observed features of a row: E[z] is left in <paramref name="work"/>, then Cov[z] packed.
    /// </summary>
    private Posterior Infer(ReadOnlySpan<double> row, int k, Span<double> work)
    {
        Span<double> latent = work[.._factors], covariance = work.Slice(_factors, _packed),
            inverse = work.Slice(_factors + _packed, _packed), t = work.Slice(_factors + 2 * _packed, _factors);
        bool isComplete = IsComplete(row);
        t.Clear();
        inverse.Clear();
        double square = 0, logNoise = 0, peak = _constants[k];
        int values = 0;
        for (int d = 0, at = k * _dimension; d < _dimension; d++, at++)
        {
            if (double.IsNaN(row[d])) continue;
            double y = (row[d] - _means[at]) * _scales[at];
            ReadOnlySpan<double> w = _loadings.AsSpan(at * _factors, _factors);
            for (int j = 0; j < _factors; j++) t[j] = Math.FusedMultiplyAdd(w[j] * _scales[at], y, t[j]);
            square = Math.FusedMultiplyAdd(y, y, square);
            values++;
            if (isComplete) continue;
            AddGram(w, _noise[at], inverse);
            logNoise += ScalarMath.Log(_noise[at]);
        }
        if (isComplete)
        {
            _inverses.AsSpan(k * _packed, _packed).CopyTo(inverse);
            _covariances.AsSpan(k * _packed, _packed).CopyTo(covariance);
        }
        else if (values > 0) peak = -0.5 * (values * LogTwoPi + logNoise) - Invert(inverse, covariance);
        else
        {
            peak = 0;
            Invert(inverse, covariance);
        }
        for (int i = _factors - 1; i >= 0; i--)
        {
            double sum = 0;
            for (int j = 0; j <= i; j++) sum = Math.FusedMultiplyAdd(inverse[Packed.Index(i, j)], t[j], sum);
            t[i] = sum;
            square = Math.FusedMultiplyAdd(-sum, sum, square);
        }
        for (int j = 0; j < _factors; j++)
        {
            double sum = 0;
            for (int i = j; i < _factors; i++) sum = Math.FusedMultiplyAdd(inverse[Packed.Index(i, j)], t[i], sum);
            latent[j] = sum;
        }
        return new Posterior(peak, Math.Max(0, square), values);
    }

    private static bool IsComplete(ReadOnlySpan<double> row)
    {
        foreach (double value in row)
            if (double.IsNaN(value)) return false;
        return true;
    }

    private void AddIncomplete(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int cells = _components * _dimension, augmented = Packed.Length(_factors + 1);
        int products = 2 * cells, means = products + _factors * cells, moments = means + _components * _factors,
            missing = moments + _components * _packed;
        Span<double> work = block.Incomplete.IsEmpty ? default : block.Scratch(WorkLength);
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            for (int k = 0; k < _components; k++)
            {
                double r = responsibilities[k * RowBlock.Stride + index];
                if (!(r > 0)) continue;
                Infer(row, k, work);
                ReadOnlySpan<double> latent = work[.._factors];
                Span<double> second = work.Slice(_factors, _packed);
                for (int i = 0, at = 0; i < _factors; i++)
                    for (int j = 0; j <= i; j++, at++) second[at] = Math.FusedMultiplyAdd(latent[i], latent[j], second[at]);
                AddScaled(r, second, statistics.Slice(moments + k * _packed, _packed));
                AddScaled(r, latent, statistics.Slice(means + k * _factors, _factors));
                for (int d = 0, cell = k * _dimension; d < _dimension; d++, cell++)
                {
                    if (double.IsNaN(row[d]))
                    {
                        Span<double> lost = statistics.Slice(missing + cell * augmented, augmented);
                        AddScaled(r, second, lost);
                        AddScaled(r, latent, lost[_packed..]);
                        lost[^1] += r;
                        continue;
                    }
                    double x = r * row[d];
                    statistics[cell] += x;
                    statistics[cells + cell] = Math.FusedMultiplyAdd(x, row[d], statistics[cells + cell]);
                    for (int j = 0; j < _factors; j++)
                    {
                        ref double product = ref statistics[products + (k * _factors + j) * _dimension + d];
                        product = Math.FusedMultiplyAdd(x, latent[j], product);
                    }
                }
            }
        }
    }

    private static void AddScaled(double factor, ReadOnlySpan<double> values, Span<double> target)
    {
        for (int at = 0; at < values.Length; at++) target[at] = Math.FusedMultiplyAdd(factor, values[at], target[at]);
    }

    /// <summary>Adds a component's share of E[x] [D] and of E[x^2] [D].</summary>
    private void Expect(int k, ReadOnlySpan<double> latent, ReadOnlySpan<double> covariance, double share, Span<double> expected)
    {
        for (int d = 0, at = k * _dimension; d < _dimension; d++, at++)
        {
            ReadOnlySpan<double> w = _loadings.AsSpan(at * _factors, _factors);
            double mean = _means[at], variance = _noise[at];
            for (int i = 0; i < _factors; i++)
            {
                mean = Math.FusedMultiplyAdd(w[i], latent[i], mean);
                double product = 0;
                for (int j = 0; j < _factors; j++) product = Math.FusedMultiplyAdd(covariance[i * _factors + j], w[j], product);
                variance = Math.FusedMultiplyAdd(w[i], product, variance);
            }
            expected[d] = Math.FusedMultiplyAdd(share, mean, expected[d]);
            expected[_dimension + d] = Math.FusedMultiplyAdd(share, Math.FusedMultiplyAdd(mean, mean, variance), expected[_dimension + d]);
        }
    }

    /// <summary>What a row says of z: the log-density of the likeliest row with the same values observed, the squared distance, and their
    /// number.</summary>
    private readonly record struct Posterior(double Peak, double Square, int Values);
}
