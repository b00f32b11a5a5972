using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The E-step of Student-t components: distances by the kernels of Gaussian ones, from which densities and the rows' own weights follow.
/// </summary>
internal sealed class StudentTEStep : EmissionEStep
{
    private readonly int _components, _dimension;
    private readonly double[] _factors, _biases, _none, _logDeterminants, _freedom;

    /// <summary>By component and number of observed values: the constant of log p, and psi((nu + D) / 2).</summary>
    private readonly double[] _constants, _digammas;

    private readonly MissingPatterns _patterns;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public StudentTEStep(int components, int dimension)
    {
        (_components, _dimension) = (components, dimension);
        _factors = new double[components * Packed.Length(dimension)];
        _biases = new double[components * dimension];
        (_none, _logDeterminants, _freedom) = (new double[components], new double[components], new double[components]);
        _constants = new double[components * (dimension + 1)];
        _digammas = new double[_constants.Length];
        _patterns = new MissingPatterns(components, dimension, tied: false);
    }

    /// <summary>Takes parameters, which must stay as they are; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlyMemory<double> means, ReadOnlyMemory<double> scales, ReadOnlySpan<double> freedom)
    {
        _patterns.Set(means, scales);
        freedom.CopyTo(_freedom);
        int packed = Packed.Length(_dimension), matrix = _dimension * _dimension;
        for (int k = 0; k < _components; k++)
        {
            Span<double> factor = _factors.AsSpan(k * packed, packed);
            _logDeterminants[k] = SymmetricMatrix.InverseFactor(scales.Span.Slice(k * matrix, matrix), _dimension, k, factor);
            ReadOnlySpan<double> mean = means.Span.Slice(k * _dimension, _dimension);
            for (int i = 0, at = 0; i < _dimension; i++)
            {
                double bias = 0;
                for (int j = 0; j <= i; j++) bias = Math.FusedMultiplyAdd(factor[at++], mean[j], bias);
                _biases[k * _dimension + i] = bias;
            }
            for (int values = 0; values <= _dimension; values++)
            {
                double half = 0.5 * (freedom[k] + values);
                _constants[k * (_dimension + 1) + values] = ScalarMath.LogGamma(half) - ScalarMath.LogGamma(0.5 * freedom[k])
                    - 0.5 * values * ScalarMath.Log(freedom[k] * Math.PI);
                _digammas[k * (_dimension + 1) + values] = ScalarMath.Digamma(half);
            }
        }
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        ReadOnlySpan<double> squares = Squares(block);
        for (int k = 0; k < _components; k++)
        {
            double constant = _constants[k * (_dimension + 1) + _dimension] - _logDeterminants[k], nu = _freedom[k];
            ReadOnlySpan<double> own = squares.Slice(k * RowBlock.Stride, block.Count);
            Span<double> joint = logJoint.Slice(k * RowBlock.Stride, block.Count);
            ReadOnlySpan<int> incomplete = block.Incomplete;
            for (int i = 0, next = 0; i < own.Length; i++)
            {
                if (next < incomplete.Length && incomplete[next] == i) next++;
                else joint[i] += constant - 0.5 * (nu + _dimension) * ScalarMath.Log1P(own[i] / nu);
            }
        }
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            MissingPattern pattern = _patterns.Rent(row);
            for (int k = 0; k < _components; k++)
            {
                MeasuredDistance distance = pattern.Distance(row, k);
                logJoint[k * RowBlock.Stride + index] += _constants[k * (_dimension + 1) + distance.Values]
                    - pattern.HalfLogDeterminant(k)
                    - 0.5 * (_freedom[k] + distance.Values) * ScalarMath.Log1P(distance.Square / _freedom[k]);
            }
            _patterns.Return(pattern);
        }
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int moments = _components * _dimension, products = _components * Packed.Length(_dimension);
        Span<double> precisions = statistics[.._components], first = statistics.Slice(_components, moments),
            second = statistics.Slice(_components + moments, products), logs = statistics[(_components + moments + products)..];
        Span<double> weights = Squares(block);
        for (int k = 0; k < _components; k++)
        {
            double nu = _freedom[k], digamma = _digammas[k * (_dimension + 1) + _dimension], sum = 0;
            Span<double> own = weights.Slice(k * RowBlock.Stride, RowBlock.Stride);
            ReadOnlySpan<double> shares = responsibilities.Slice(k * RowBlock.Stride, RowBlock.Stride);
            ReadOnlySpan<int> incomplete = block.Incomplete;
            for (int i = 0, next = 0; i < RowBlock.Capacity; i++)
            {
                bool isIncomplete = next < incomplete.Length && incomplete[next] == i;
                if (isIncomplete) next++;
                if (isIncomplete || i >= block.Count || !(shares[i] > 0))
                {
                    own[i] = 0;
                    continue;
                }
                double u = (nu + _dimension) / (nu + own[i]);
                sum = Math.FusedMultiplyAdd(shares[i], digamma - ScalarMath.Log(0.5 * (nu + own[i])) - u, sum);
                own[i] = shares[i] * u;
            }
            logs[k] += sum;
        }
        WeightedSums.AddMasses(weights, _components, precisions, block.Count);
        WeightedSums.AddMomentsAndOuterProducts(block.Columns, _dimension, weights, _components, first, second, block.Count);
        AddIncomplete(block, responsibilities, statistics);
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        int values = 0;
        for (int d = 0; d < _dimension; d++)
            if (row.IsEmpty || !double.IsNaN(row[d])) values++;
        MissingPattern? pattern = values == _dimension ? null : _patterns.Rent(row);
        for (int k = 0; k < _components; k++)
        {
            // 1 / (1 + delta / nu) is Beta(nu / 2, D / 2), of whose logarithm mean and variance are known.
            double a = 0.5 * _freedom[k], half = a + 0.5 * values;
            double drop = half * (_digammas[k * (_dimension + 1) + values] - ScalarMath.Digamma(a));
            double variance = half * half * (ScalarMath.Trigamma(a) - ScalarMath.Trigamma(half));
            double peak = _constants[k * (_dimension + 1) + values] - (pattern?.HalfLogDeterminant(k) ?? _logDeterminants[k]);
            spreads[k] = new LogDensitySpread(peak, drop, variance);
        }
        if (pattern is not null) _patterns.Return(pattern);
    }

    private void AddIncomplete(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        if (block.Incomplete.IsEmpty) return;
        int moments = _components * _dimension, packed = Packed.Length(_dimension), products = _components * packed;
        Span<double> expected = block.Scratch(_dimension);
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            MissingPattern pattern = _patterns.Rent(row);
            for (int k = 0; k < _components; k++)
            {
                double r = responsibilities[k * RowBlock.Stride + index];
                if (!(r > 0)) continue;
                MeasuredDistance distance = pattern.Distance(row, k);
                double spread = _freedom[k] + distance.Square, u = (_freedom[k] + distance.Values) / spread;
                statistics[k] += r * u;
                pattern.AddMoments(row, k, r * u, r, expected, statistics.Slice(_components + k * _dimension, _dimension),
                    statistics.Slice(_components + moments + k * packed, packed));
                statistics[_components + moments + products + k] +=
                    r * (_digammas[k * (_dimension + 1) + distance.Values] - ScalarMath.Log(0.5 * spread) - u);
            }
            _patterns.Return(pattern);
        }
    }

    /// <summary>delta of every lane and component, in the block's scratch memory; of incomplete lanes it means nothing.</summary>
    private Span<double> Squares(RowBlock block)
    {
        Span<double> squares = block.Scratch(_components * RowBlock.Stride);
        squares.Clear();
        QuadraticForms.AddTriangular(block.Columns, _dimension, _components, _factors, _biases, _none, squares, block.Count);
        Interpolation.Multiply(squares, -2);
        return squares;
    }
}
