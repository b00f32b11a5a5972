using System.Globalization;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Factors;

/// <summary>
/// The E-step of <see cref="FactorAnalyser"/>. With d = x - mu, M = I + W' Psi^-1 W = L L' and t = L^-1 W' Psi^-1 d, log p = -(D log 2 pi +
/// log |Psi| + log |M| + d' Psi^-1 d - t' t) / 2 (Woodbury), E[z] = L'^-1 t, Cov[z] = M^-1. Whole blocks are computed by linear forms of x,
/// of wide records from the rows as they come, few enough at a time to stay in the second-level cache; a row with missing values has an M
/// of its own observed features.
/// </summary>
internal sealed partial class FactorAnalyserEStep : EmissionEStep
{
    private static readonly double LogTwoPi = ScalarMath.Log(2 * Math.PI);
    private readonly int _components, _dimension, _factors, _packed;
    private readonly double[] _means, _loadings, _noise, _scales, _biases, _constants;

    /// <summary>Of every component: L^-1 packed, M^-1 packed, and the slopes [q, D] and constants [q] of t in x.</summary>
    private readonly double[] _inverses, _covariances, _offsets;

    private readonly AlignedDoubles _slopes;

    /// <summary>W' and W' Psi^-1 of one component [q, D].</summary>
    private readonly double[] _transposed, _scaled;

    /// <summary>Whether a lane is a feature of one row, not a row: <see cref="WideFrom"/>.</summary>
    private readonly bool _isWide;

    /// <summary>Doubles of t up to which it is kept from the log-densities to the statistics: half of a second-level cache.</summary>
    private const int MostKept = 1 << 16;

    /// <summary>Features from which rows are taken as they come.</summary>
    private const int WideFrom = 128;

    /// <summary>Doubles of the rows of a block that are taken as they come: a quarter of a second-level cache.</summary>
    private const int MostWide = 1 << 15;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public FactorAnalyserEStep(int components, int dimension, int factors)
    {
        (_components, _dimension, _factors, _packed) = (components, dimension, factors, Packed.Length(factors));
        (_means, _noise) = (new double[components * dimension], new double[components * dimension]);
        (_scales, _biases) = (new double[components * dimension], new double[components * dimension]);
        (_loadings, _constants) = (new double[components * dimension * factors], new double[components]);
        (_inverses, _covariances) = (new double[components * _packed], new double[components * _packed]);
        (_slopes, _offsets) = (new AlignedDoubles(components * factors * dimension), new double[components * factors]);
        (_transposed, _scaled) = (new double[factors * dimension], new double[factors * dimension]);
        _isWide = dimension >= WideFrom;
        BlockRows = _isWide ? Math.Clamp(MostWide / dimension & ~31, 32, RowBlock.Capacity) : RowBlock.Capacity;
    }

    public override int MeasuredValues => _dimension;

    internal override int BlockRows { get; }

    internal override bool ReadsColumns => !_isWide;

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
        int lanes = _factors * RowBlock.Stride, kept = _components * RowBlock.Stride;
        Span<double> memory = block.Scratch(kept + lanes + WorkLength), before = memory[..kept], latent = memory.Slice(kept, lanes),
            work = memory[(kept + lanes)..], forms = KeepsForms ? block.Keep(this, _components * lanes) : default;
        logJoint[..kept].CopyTo(before);
        if (!_isWide)
            QuadraticForms.AddDiagonal(block.Columns, _dimension, _components, _scales, _biases, _constants, logJoint, block.Count);
        for (int k = 0; k < _components; k++)
        {
            if (KeepsForms) latent = forms.Slice(k * lanes, lanes);
            Span<double> joint = logJoint.Slice(k * RowBlock.Stride, block.Count);
            Forms(block, k, latent, _isWide ? joint : default);
            for (int j = 0; j < _factors; j++)
            {
                ReadOnlySpan<double> t = latent.Slice(j * RowBlock.Stride, joint.Length);
                for (int i = 0; i < joint.Length; i++) joint[i] = Math.FusedMultiplyAdd(0.5 * t[i], t[i], joint[i]);
            }
        }
        // Asked for now that the rows of a wide block have come from memory.
        foreach (int index in block.Incomplete)
            for (int k = 0; k < _components; k++)
            {
                Posterior posterior = Infer(block.Row(index), k, work);
                int lane = k * RowBlock.Stride + index;
                logJoint[lane] = before[lane] + posterior.Peak - 0.5 * posterior.Square;
            }
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int cells = _components * _dimension;
        Span<double> first = statistics[..cells], squares = statistics.Slice(cells, cells), rest = statistics[(2 * cells)..];
        Span<double> products = rest[..(_factors * cells)], latentMeans = rest.Slice(products.Length, _components * _factors),
            latentMoments = rest.Slice(products.Length + latentMeans.Length, _components * _packed);
        if (!_isWide)
            WeightedSums.AddMomentsAndSquares(block.Columns, _dimension, responsibilities, _components, first, squares, block.Count);
        int size = _factors * RowBlock.Stride, lanes = KernelShape.Lanes(block.Count);
        Span<double> memory = block.Scratch(3 * size + RowBlock.Stride), latent = memory[..size], weighted = memory.Slice(size, size),
            shares = memory[(3 * size)..];
        ReadOnlySpan<double> kept = KeepsForms ? block.Kept(this, _components * size) : default;
        Span<double> mass = stackalloc double[1];
        for (int k = 0; k < _components; k++)
        {
            responsibilities.Slice(k * RowBlock.Stride, RowBlock.Stride).CopyTo(shares);
            foreach (int index in block.Incomplete) shares[index] = 0;
            ReadOnlySpan<double> t = kept.IsEmpty ? memory.Slice(2 * size, size) : kept.Slice(k * size, size);
            if (kept.IsEmpty) Forms(block, k, memory.Slice(2 * size, size), default);
            Codes(k, t, latent, lanes);
            for (int j = 0; j < _factors; j++)
                StateVectors.Multiply(
                    shares[..lanes], latent.Slice(j * RowBlock.Stride, lanes), weighted.Slice(j * RowBlock.Stride, lanes));
            mass[0] = 0;
            WeightedSums.AddMasses(shares, 1, mass, block.Count);
            Span<double> product = products.Slice(k * _factors * _dimension, _factors * _dimension);
            if (_isWide)
                AddRows(
                    block, weighted, shares, product, first.Slice(k * _dimension, _dimension), squares.Slice(k * _dimension, _dimension));
            if (_factors == 0) continue;
            if (!_isWide) WeightedSums.AddFirstMoments(block.Columns, _dimension, weighted, _factors, product, block.Count);
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
        ReadOnlySpan<double> loadings = _loadings.AsSpan(k * _dimension * _factors, _dimension * _factors),
            means = _means.AsSpan(k * _dimension, _dimension), noise = _noise.AsSpan(k * _dimension, _dimension);
        Span<double> inverse = _inverses.AsSpan(k * _packed, _packed), covariance = _covariances.AsSpan(k * _packed, _packed);
        double logNoise = 0;
        for (int d = 0; d < _dimension; d++)
        {
            logNoise += ScalarMath.Log(noise[d]);
            for (int j = 0; j < _factors; j++)
            {
                double w = loadings[d * _factors + j];
                (_transposed[j * _dimension + d], _scaled[j * _dimension + d]) = (w, w / noise[d]);
            }
        }
        Gram(inverse);
        double logDeterminant = Invert(inverse, covariance);
        _constants[k] = -0.5 * (_dimension * LogTwoPi + logNoise) - logDeterminant;
        for (int j = 0; j < _factors; j++)
        {
            int form = k * _factors + j;
            Span<double> slope = _slopes.Span.Slice(form * _dimension, _dimension);
            slope.Clear();
            for (int i = 0; i <= j; i++)
                DenseMatrix.Add(slope, _scaled.AsSpan(i * _dimension, _dimension), inverse[Packed.Index(j, i)]);
            _offsets[form] = -StateVectors.Dot(slope, means);
        }
    }

    /// <summary>W' Psi^-1 W of the component that is set.</summary>
    private void Gram(Span<double> packed)
    {
        for (int i = 0, at = 0; i < _factors; i++)
            for (int j = 0; j <= i; j++, at++)
                packed[at] = StateVectors.Dot(_scaled.AsSpan(i * _dimension, _dimension), _transposed.AsSpan(j * _dimension, _dimension));
    }

    private bool KeepsForms => _factors > 0 && _components * _factors * RowBlock.Stride <= MostKept;

    /// <summary>E[z] = L'^-1 t of so many lanes of a block, overwritten.</summary>
    private void Codes(int k, ReadOnlySpan<double> t, Span<double> latent, int lanes)
    {
        ReadOnlySpan<double> inverse = _inverses.AsSpan(k * _packed, _packed);
        for (int j = 0; j < _factors; j++)
        {
            Span<double> code = latent.Slice(j * RowBlock.Stride, lanes);
            code.Clear();
            for (int i = j; i < _factors; i++)
                DenseMatrix.Add(code, t.Slice(i * RowBlock.Stride, lanes), inverse[Packed.Index(i, j)]);
        }
    }

    /// <summary>
    /// t of a component for the lanes of a block, overwritten: q x Stride. Of wide rows those with missing values are 0, and a
    /// <paramref name="joint"/> gets the rest of their log-densities in the same pass.
    /// </summary>
    private void Forms(RowBlock block, int k, Span<double> result, Span<double> joint)
    {
        ReadOnlySpan<double> slopes = _slopes.Span.Slice(k * _factors * _dimension, _factors * _dimension),
            offsets = _offsets.AsSpan(k * _factors, _factors);
        if (!_isWide)
        {
            result.Clear();
            if (_factors > 0) LinearForms.Add(block.Columns, _dimension, _factors, slopes, offsets, result, block.Count);
            return;
        }
        if (joint.IsEmpty) RowForms.Linear(block.Rows, block.Count, _dimension, slopes, offsets, result);
        else
            RowForms.LinearAndDiagonal(
                block.Rows, block.Count, _dimension, slopes, offsets, result, _scales.AsSpan(k * _dimension, _dimension),
                _biases.AsSpan(k * _dimension, _dimension), _constants[k], joint);
        foreach (int index in block.Incomplete)
            for (int j = 0; j < _factors; j++) result[j * RowBlock.Stride + index] = 0;
    }

    /// <summary>The sums over wide rows, from one with missing values to the next.</summary>
    private void AddRows(
        RowBlock block, ReadOnlySpan<double> codes, ReadOnlySpan<double> shares, Span<double> products, Span<double> first,
        Span<double> squares)
    {
        int from = 0;
        for (int at = 0; at <= block.Incomplete.Length; at++)
        {
            int to = at < block.Incomplete.Length ? block.Incomplete[at] : block.Count;
            if (to > from)
                RowMoments.Add(
                    block.Rows[(from * _dimension)..], to - from, _dimension, _factors == 0 ? default : codes[from..], shares[from..],
                    products, first, squares);
            from = to + 1;
        }
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
