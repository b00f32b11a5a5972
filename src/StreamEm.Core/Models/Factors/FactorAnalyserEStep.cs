using System.Globalization;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Factors;

/// <summary>
/// The E-step of <see cref="FactorAnalyser"/>. With d = x - mu, M = I + W' Psi^-1 W = L L' and t = L^-1 W' Psi^-1 d, log p = -(D log 2 pi +
/// log |Psi| + log |M| + d' Psi^-1 d - t' t) / 2 (Woodbury), E[z] = L'^-1 t, Cov[z] = M^-1. Whole blocks are computed by linear forms of x;
/// a row with missing values has an M of its own observed features.
/// </summary>
internal sealed partial class FactorAnalyserEStep : EmissionEStep
{
    private static readonly double LogTwoPi = ScalarMath.Log(2 * Math.PI);
    private readonly int _components, _dimension, _factors, _packed;
    private readonly double[] _means, _loadings, _noise, _scales, _biases, _constants;

    /// <summary>Of every component: L^-1 packed, M^-1 packed, and the slopes [q, D] and constants [q] of t and of E[z] in x.</summary>
    private readonly double[] _inverses, _covariances, _slopes, _offsets, _latentSlopes, _latentOffsets;

    /// <summary>W' of one component [q, D].</summary>
    private readonly double[] _transposed;

    /// <summary>Doubles of t up to which it is kept from the log-densities to the statistics: half of a second-level cache.</summary>
    private const int MostKept = 1 << 16;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public FactorAnalyserEStep(int components, int dimension, int factors)
    {
        (_components, _dimension, _factors, _packed) = (components, dimension, factors, Packed.Length(factors));
        (_means, _noise) = (new double[components * dimension], new double[components * dimension]);
        (_scales, _biases) = (new double[components * dimension], new double[components * dimension]);
        (_loadings, _constants) = (new double[components * dimension * factors], new double[components]);
        (_inverses, _covariances) = (new double[components * _packed], new double[components * _packed]);
        (_slopes, _latentSlopes) = (new double[components * factors * dimension], new double[components * factors * dimension]);
        (_offsets, _latentOffsets) = (new double[components * factors], new double[components * factors]);
        _transposed = new double[factors * dimension];
    }

    public override int MeasuredValues => _dimension;

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    /// <param name="means">mu [K, D].</param>
    /// <param name="loadings">W [K, D, q].</param>
    /// <param name="noise">Psi [K, D], or one variance for each component [K].</param>
    public void Set(ReadOnlySpan<double> means, ReadOnlySpan<double> loadings, ReadOnlySpan<double> noise)
    {
        means.CopyTo(_means);
        loadings.CopyTo(_loadings);
        for (int k = 0; k < _components; k++)
        {
            for (int d = 0, at = k * _dimension; d < _dimension; d++, at++)
            {
                _noise[at] = noise.Length == _components ? noise[k] : noise[at];
                if (!(_noise[at] > 0))
                    throw new ArithmeticException(string.Create(CultureInfo.InvariantCulture,
                        $"The noise variance of component {k}, feature {d} is {_noise[at]:R}. Increase reg_covar or lower factors."));
                _scales[at] = 1 / Math.Sqrt(_noise[at]);
                _biases[at] = _scales[at] * means[at];
            }
            SetComponent(k);
        }
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        ReadOnlySpan<int> incomplete = block.Incomplete;
        int lanes = _factors * RowBlock.Stride;
        Span<double> memory = block.Scratch(incomplete.Length * _components + lanes + WorkLength);
        Span<double> kept = memory[..(incomplete.Length * _components)], rest = memory[kept.Length..], latent = rest[..lanes],
            work = rest[lanes..], forms = KeepsForms ? block.Keep(this, _components * lanes) : default;
        for (int at = 0; at < incomplete.Length; at++)
            for (int k = 0; k < _components; k++) kept[at * _components + k] = logJoint[k * RowBlock.Stride + incomplete[at]];
        QuadraticForms.AddDiagonal(block.Columns, _dimension, _components, _scales, _biases, _constants, logJoint, block.Count);
        for (int k = 0; k < _components; k++)
        {
            if (KeepsForms) latent = forms.Slice(k * lanes, lanes);
            Forms(block, k, _slopes, _offsets, latent);
            Span<double> joint = logJoint.Slice(k * RowBlock.Stride, block.Count);
            for (int j = 0; j < _factors; j++)
            {
                ReadOnlySpan<double> t = latent.Slice(j * RowBlock.Stride, joint.Length);
                for (int i = 0; i < joint.Length; i++) joint[i] = Math.FusedMultiplyAdd(0.5 * t[i], t[i], joint[i]);
            }
        }
        for (int at = 0; at < incomplete.Length; at++)
            for (int k = 0; k < _components; k++)
            {
                Posterior posterior = Infer(block.Row(incomplete[at]), k, work);
                logJoint[k * RowBlock.Stride + incomplete[at]] = kept[at * _components + k] + posterior.Peak - 0.5 * posterior.Square;
            }
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int cells = _components * _dimension;
        Span<double> first = statistics[..cells], squares = statistics.Slice(cells, cells), rest = statistics[(2 * cells)..];
        Span<double> products = rest[..(_factors * cells)], latentMeans = rest.Slice(products.Length, _components * _factors),
            latentMoments = rest.Slice(products.Length + latentMeans.Length, _components * _packed);
        WeightedSums.AddMomentsAndSquares(block.Columns, _dimension, responsibilities, _components, first, squares, block.Count);
        int lanes = _factors * RowBlock.Stride;
        Span<double> memory = block.Scratch(2 * lanes + RowBlock.Stride), latent = memory[..lanes], weighted = memory.Slice(lanes, lanes),
            shares = memory[(2 * lanes)..];
        ReadOnlySpan<double> forms = KeepsForms ? block.Kept(this, _components * lanes) : default;
        Span<double> mass = stackalloc double[1];
        for (int k = 0; k < _components; k++)
        {
            responsibilities.Slice(k * RowBlock.Stride, RowBlock.Stride).CopyTo(shares);
            foreach (int index in block.Incomplete) shares[index] = 0;
            if (forms.IsEmpty) Forms(block, k, _latentSlopes, _latentOffsets, latent);
            else Codes(k, forms.Slice(k * lanes, lanes), latent);
            for (int j = 0; j < _factors; j++)
                for (int i = 0; i < RowBlock.Stride; i++)
                    weighted[j * RowBlock.Stride + i] = shares[i] * latent[j * RowBlock.Stride + i];
            mass[0] = 0;
            WeightedSums.AddMasses(shares, 1, mass, block.Count);
            if (_factors == 0) continue;
            WeightedSums.AddFirstMoments(
                block.Columns, _dimension, weighted, _factors, products.Slice(k * _factors * _dimension, _factors * _dimension),
                block.Count);
            WeightedSums.AddMasses(weighted, _factors, latentMeans.Slice(k * _factors, _factors), block.Count);
            Span<double> moments = latentMoments.Slice(k * _packed, _packed);
            WeightedSums.AddOuterProducts(latent, _factors, shares, 1, moments, block.Count);
            for (int at = 0; at < _packed; at++) moments[at] = Math.FusedMultiplyAdd(mass[0], _covariances[k * _packed + at], moments[at]);
        }
        AddIncomplete(block, responsibilities, statistics);
    }

    public override void AddPeaks(Span<double> peaks) => Interpolation.Add(peaks[.._components], _constants);

    private void SetComponent(int k)
    {
        ReadOnlySpan<double> loadings = _loadings.AsSpan(k * _dimension * _factors, _dimension * _factors);
        Span<double> inverse = _inverses.AsSpan(k * _packed, _packed), covariance = _covariances.AsSpan(k * _packed, _packed);
        inverse.Clear();
        double logNoise = 0;
        for (int d = 0; d < _dimension; d++)
        {
            AddGram(loadings.Slice(d * _factors, _factors), _noise[k * _dimension + d], inverse);
            logNoise += ScalarMath.Log(_noise[k * _dimension + d]);
        }
        double logDeterminant = Invert(inverse, covariance);
        _constants[k] = -0.5 * (_dimension * LogTwoPi + logNoise) - logDeterminant;
        for (int d = 0; d < _dimension; d++)
            for (int j = 0; j < _factors; j++) _transposed[j * _dimension + d] = loadings[d * _factors + j];
        ReadOnlySpan<double> means = _means.AsSpan(k * _dimension, _dimension), noise = _noise.AsSpan(k * _dimension, _dimension);
        for (int j = 0; j < _factors; j++)
        {
            int form = k * _factors + j;
            Span<double> slope = _slopes.AsSpan(form * _dimension, _dimension),
                latentSlope = _latentSlopes.AsSpan(form * _dimension, _dimension);
            slope.Clear();
            latentSlope.Clear();
            for (int i = 0; i < _factors; i++)
            {
                ReadOnlySpan<double> w = _transposed.AsSpan(i * _dimension, _dimension);
                if (i <= j) DenseMatrix.Add(slope, w, inverse[Packed.Index(j, i)]);
                DenseMatrix.Add(latentSlope, w, covariance[Packed.Index(Math.Max(i, j), Math.Min(i, j))]);
            }
            double offset = 0, latentOffset = 0;
            for (int d = 0; d < _dimension; d++)
            {
                offset = Math.FusedMultiplyAdd(-(slope[d] /= noise[d]), means[d], offset);
                latentOffset = Math.FusedMultiplyAdd(-(latentSlope[d] /= noise[d]), means[d], latentOffset);
            }
            (_offsets[form], _latentOffsets[form]) = (offset, latentOffset);
        }
    }

    private bool KeepsForms => _factors > 0 && _components * _factors * RowBlock.Stride <= MostKept;

    /// <summary>E[z] = L'^-1 t of all lanes of a block, overwritten.</summary>
    private void Codes(int k, ReadOnlySpan<double> t, Span<double> latent)
    {
        ReadOnlySpan<double> inverse = _inverses.AsSpan(k * _packed, _packed);
        latent.Clear();
        for (int j = 0; j < _factors; j++)
            for (int i = j; i < _factors; i++)
                DenseMatrix.Add(
                    latent.Slice(j * RowBlock.Stride, RowBlock.Stride), t.Slice(i * RowBlock.Stride, RowBlock.Stride),
                    inverse[Packed.Index(i, j)]);
    }

    /// <summary>Linear forms of a component for all lanes of a block: q x Stride, overwritten.</summary>
    private void Forms(RowBlock block, int k, double[] slopes, double[] offsets, Span<double> result)
    {
        result.Clear();
        if (_factors == 0) return;
        LinearForms.Add(
            block.Columns, _dimension, _factors, slopes.AsSpan(k * _factors * _dimension, _factors * _dimension),
            offsets.AsSpan(k * _factors, _factors), result, block.Count);
    }

    /// <summary>Adds w w' / psi to a packed matrix.</summary>
    private static void AddGram(ReadOnlySpan<double> w, double noise, Span<double> packed)
    {
        for (int i = 0, at = 0; i < w.Length; i++)
        {
            double scaled = w[i] / noise;
            for (int j = 0; j <= i; j++, at++) packed[at] = Math.FusedMultiplyAdd(scaled, w[j], packed[at]);
        }
    }

    /// <summary>Makes of W' Psi^-1 W the inverse factor of M = I + that, and M^-1; returns log |M| / 2.</summary>
    private double Invert(Span<double> gram, Span<double> covariance)
    {
        for (int i = 0; i < _factors; i++) gram[Packed.Index(i, i)] += 1;
        if (_factors > 0 && Cholesky.Factor(gram, _factors, out double pivot) >= 0)
            throw new ArithmeticException(
                FormattableString.Invariant($"The factors' precision is not positive definite (pivot {pivot:R})."));
        double logDeterminant = 0;
        for (int i = 0; i < _factors; i++) logDeterminant += ScalarMath.Log(gram[Packed.Index(i, i)]);
        if (_factors > 0) Cholesky.InvertLower(gram, _factors);
        for (int i = 0; i < _factors; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int n = i; n < _factors; n++) sum = Math.FusedMultiplyAdd(gram[Packed.Index(n, i)], gram[Packed.Index(n, j)], sum);
                covariance[Packed.Index(i, j)] = sum;
            }
        return logDeterminant;
    }
}
