using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Ratings;

/// <summary>
/// The E-step of single cells: forwards along a row's cells each is predicted by those before it; then all of them, with those remembered,
/// say what the row's factors are, and every cell adds its part under that posterior.
/// </summary>
internal sealed class CellFactorsEStep(
    CellFactors model, int column, ReadOnlyMemory<double> offsets, ReadOnlyMemory<double> loadings, double noise) : EStep
{
    private static readonly double LogTwoPi = ScalarMath.Log(2 * Math.PI);

    private readonly int _factors = model.Factors, _packed = Packed.Length(model.Factors);

    /// <inheritdoc/>
    public override Workspace CreateWorkspace() => new Scratch(_factors);

    /// <inheritdoc/>
    public override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        var scratch = (Scratch)workspace;
        Evidence evidence = default;
        for (int at = first; at < first + count;)
        {
            int end = End(batch, at, first + count);
            Forward(batch, at, end, logDensities[(at - first)..], default, scratch);
            Settle(scratch);
            for (int row = at; row < end; row++)
            {
                double logDensity = logDensities[row - first], weight = batch.Weight(row);
                if (!double.IsFinite(logDensity)) continue;
                evidence += new Evidence(weight, weight * logDensity);
                Add(batch.Row(row), weight, scratch, statistics);
            }
            at = end;
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
        return evidence;
    }

    /// <inheritdoc/>
    public override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        for (int at = first; at < first + count;)
        {
            int end = End(batch, at, first + count);
            Forward(batch, at, end, logDensities[(at - first)..], scores.IsEmpty ? default : scores[(2 * (at - first))..],
                (Scratch)workspace);
            at = end;
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
    }

    /// <summary>x of L L' x = b, for a packed factor L.</summary>
    internal static void Solve(ReadOnlySpan<double> factor, ReadOnlySpan<double> products, Span<double> result)
    {
        int size = result.Length;
        for (int i = 0; i < size; i++)
        {
            double value = products[i];
            for (int j = 0; j < i; j++) value = Math.FusedMultiplyAdd(-factor[Packed.Index(i, j)], result[j], value);
            result[i] = value / factor[Packed.Index(i, i)];
        }
        for (int i = size - 1; i >= 0; i--)
        {
            double value = result[i];
            for (int j = i + 1; j < size; j++) value = Math.FusedMultiplyAdd(-factor[Packed.Index(j, i)], result[j], value);
            result[i] = value / factor[Packed.Index(i, i)];
        }
    }

    /// <summary>The first row after those of a sequence.</summary>
    private static int End(Minibatch batch, int first, int last)
    {
        ReadOnlySpan<int> starts = batch.SequenceStarts;
        int at = starts.BinarySearch(first + 1);
        if (at < 0) at = ~at;
        return at < starts.Length ? Math.Min(starts[at], last) : last;
    }

    /// <summary>Predicts every cell by those before it, and takes it in: into the memory of its row, where there is one.</summary>
    private void Forward(Minibatch batch, int first, int end, Span<double> logDensities, Span<double> scores, Scratch scratch)
    {
        Span<double> sums = scratch.Sums;
        if (scratch.Pass.Memory is RowMemory memory) sums = memory.Of(batch.Key(first));
        else sums.Clear();
        for (int row = first; row < end; row++)
        {
            ReadOnlySpan<double> cell = batch.Row(row);
            double value = cell[1 - column], mean = model.Centre, variance = model.Spread;
            int named = double.IsNaN(cell[column]) ? -1 : Math.Clamp((int)cell[column], 0, model.Columns - 1);
            logDensities[row - first] = double.NaN;
            if (named >= 0)
            {
                Predict(sums, named, scratch, out mean, out variance);
                if (!double.IsNaN(value))
                {
                    double off = value - mean;
                    logDensities[row - first] = -0.5 * (LogTwoPi + ScalarMath.Log(variance) + off * off / variance);
                    Take(sums, named, value);
                }
            }
            if (!scores.IsEmpty) (scores[2 * (row - first)], scores[2 * (row - first) + 1]) = (mean, variance);
        }
        if (scratch.Sums != sums) sums.CopyTo(scratch.Sums);
    }

    /// <summary>Mean of the variance and variance of the mean: v' C v + sigma^2, and b + v' E[u].</summary>
    private void Predict(ReadOnlySpan<double> sums, int named, Scratch scratch, out double mean, out double variance)
    {
        Factor(sums, scratch);
        Span<double> latent = scratch.Latent;
        Solve(scratch.Precision, sums[_packed..], latent);
        ReadOnlySpan<double> v = loadings.Span.Slice(named * _factors, _factors);
        (mean, variance) = (offsets.Span[named], noise);
        for (int i = 0; i < latent.Length; i++) mean = Math.FusedMultiplyAdd(v[i], latent[i], mean);
        Span<double> half = scratch.Half;
        for (int i = 0; i < half.Length; i++)
        {
            double value = v[i];
            for (int j = 0; j < i; j++) value = Math.FusedMultiplyAdd(-scratch.Precision[Packed.Index(i, j)], half[j], value);
            half[i] = value / scratch.Precision[Packed.Index(i, i)];
            variance = Math.FusedMultiplyAdd(half[i], half[i], variance);
        }
    }

    /// <summary>Adds a cell to what its row's cells say.</summary>
    private void Take(Span<double> sums, int named, double value)
    {
        ReadOnlySpan<double> v = loadings.Span.Slice(named * _factors, _factors);
        double off = (value - offsets.Span[named]) / noise;
        for (int i = 0, at = 0; i < _factors; i++)
        {
            double scaled = v[i] / noise;
            for (int j = 0; j <= i; j++, at++) sums[at] = Math.FusedMultiplyAdd(scaled, v[j], sums[at]);
            sums[_packed + i] = Math.FusedMultiplyAdd(v[i], off, sums[_packed + i]);
        }
    }

    /// <summary>E[u] and C after all cells of a row: E[z z'] of them.</summary>
    private void Settle(Scratch scratch)
    {
        Factor(scratch.Sums, scratch);
        Span<double> latent = scratch.Latent, inverse = scratch.Precision, moments = scratch.Moments;
        Solve(inverse, scratch.Sums.Slice(_packed, _factors), latent);
        Cholesky.InvertLower(inverse, _factors);
        for (int i = 0, at = 0; i < _factors; i++)
            for (int j = 0; j <= i; j++, at++)
            {
                double sum = latent[i] * latent[j];
                for (int n = i; n < _factors; n++)
                    sum = Math.FusedMultiplyAdd(inverse[Packed.Index(n, i)], inverse[Packed.Index(n, j)], sum);
                moments[at] = sum;
            }
        latent.CopyTo(moments[_packed..]);
        moments[^1] = 1;
    }

    private void Add(ReadOnlySpan<double> cell, double weight, Scratch scratch, Span<double> statistics)
    {
        int named = Math.Clamp((int)cell[column], 0, model.Columns - 1), size = _factors + 1;
        double value = cell[1 - column];
        ReadOnlySpan<double> moments = scratch.Moments;
        Span<double> sums = statistics.Slice(named * moments.Length, moments.Length),
            products = statistics.Slice(model.Columns * moments.Length + named * size, size);
        for (int at = 0; at < sums.Length; at++) sums[at] = Math.FusedMultiplyAdd(weight, moments[at], sums[at]);
        for (int i = 0; i < size; i++) products[i] = Math.FusedMultiplyAdd(weight * value, moments[_packed + i], products[i]);
        ref double square = ref statistics[model.Columns * (moments.Length + size) + named];
        square = Math.FusedMultiplyAdd(weight * value, value, square);
    }

    /// <summary>The Cholesky factor of I + the row's precision.</summary>
    private void Factor(ReadOnlySpan<double> sums, Scratch scratch)
    {
        Span<double> precision = scratch.Precision;
        sums[.._packed].CopyTo(precision);
        for (int i = 0; i < _factors; i++) precision[Packed.Index(i, i)] += 1;
        if (Cholesky.Factor(precision, _factors, out double pivot) >= 0)
            throw new ArithmeticException(
                FormattableString.Invariant($"The precision of a row's factors is not positive definite (pivot {pivot:R})."));
    }

    /// <summary>Memory of one thread.</summary>
    private sealed class Scratch(int factors) : Workspace
    {
        private readonly double[] _sums = new double[Packed.Length(factors) + factors], _precision = new double[Packed.Length(factors)],
            _latent = new double[factors], _half = new double[factors], _moments = new double[Packed.Length(factors + 1)];

        public Span<double> Sums => _sums;

        public Span<double> Precision => _precision;

        public Span<double> Latent => _latent;

        public Span<double> Half => _half;

        public Span<double> Moments => _moments;
    }
}
