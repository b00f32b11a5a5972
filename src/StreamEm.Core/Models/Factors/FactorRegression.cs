using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Factors;

/// <summary>
/// The M-step of one feature on z+ = (z, 1): beta = (w, mu) that minimises E[(x - beta z+)^2] over the rows that have the feature, beta =
/// G^-1 b with G = E[z+ z+'] and b = E[x z+]; of a part that stays what it is, over the other.
/// </summary>
internal sealed class FactorRegression
{
    /// <summary>Features that <see cref="Solve(ReadOnlySpan{double}, ReadOnlySpan{double}, ReadOnlySpan{double}, int)"/> takes at once.
    /// </summary>
    public const int Together = 64;

    private readonly int _factors;
    private readonly bool _meanIsFixed, _loadingsAreFixed;
    private readonly double[] _all, _partial, _factor, _shared;
    private double[] _gram, _betas = [], _residuals = [], _line = [];
    private bool _hasShared;

    /// <summary>Memory for q factors.</summary>
    /// <param name="factors">q.</param>
    /// <param name="meanIsFixed">Whether mu stays what it is.</param>
    /// <param name="loadingsAreFixed">Whether w does.</param>
    public FactorRegression(int factors, bool meanIsFixed, bool loadingsAreFixed)
    {
        (_factors, _meanIsFixed, _loadingsAreFixed) = (factors, meanIsFixed, loadingsAreFixed);
        (_all, _partial, _factor, _shared) = (new double[Size], new double[Size], new double[Size], new double[Size]);
        _gram = _all;
        Products = new double[factors + 1];
    }

    /// <summary>P(q + 1): values of a packed matrix over z+.</summary>
    public int Size => Packed.Length(_factors + 1);

    /// <summary>b [q + 1]: to be written before a feature is solved.</summary>
    public double[] Products { get; }

    /// <summary>Takes a component's G over all rows.</summary>
    /// <param name="moments">E[z z'] [P(q)].</param>
    /// <param name="means">E[z] [q].</param>
    /// <param name="mass">N.</param>
    public void Begin(ReadOnlySpan<double> moments, ReadOnlySpan<double> means, double mass)
    {
        moments.CopyTo(_all);
        means.CopyTo(_all.AsSpan(moments.Length));
        _all[^1] = mass;
        _hasShared = false;
    }

    /// <summary>Finds w and mu of a feature; false, and nothing written, where its rows do not determine them.</summary>
    /// <param name="missing">What of G comes from rows without the feature [P(q + 1)].</param>
    /// <param name="loadings">w [q]; overwritten unless fixed.</param>
    /// <param name="mean">mu; overwritten unless fixed.</param>
    public bool TrySolve(ReadOnlySpan<double> missing, Span<double> loadings, ref double mean)
    {
        bool isWhole = !missing.ContainsAnyExcept(0.0);
        _gram = isWhole ? _all : _partial;
        for (int at = 0; at < _gram.Length && !isWhole; at++) _gram[at] = _all[at] - missing[at];
        if (_loadingsAreFixed)
        {
            if (_meanIsFixed) return true;
            double rest = Products[_factors];
            for (int j = 0; j < _factors; j++) rest -= loadings[j] * _gram[Packed.Index(_factors, j)];
            mean = rest / _gram[^1];
            return true;
        }
        int size = _meanIsFixed ? _factors : _factors + 1;
        if (!isWhole || !_hasShared)
        {
            double[] factor = isWhole ? _shared : _factor;
            _gram.CopyTo(factor, 0);
            if (Cholesky.Factor(factor.AsSpan(0, Packed.Length(size)), size, out _) >= 0) return false;
            _hasShared |= isWhole;
        }
        Solve(isWhole ? _shared : _factor, size, loadings, ref mean);
        return true;
    }

    /// <summary>E[(x - beta z+)^2] over the rows that have the feature last solved, times their mass.</summary>
    public double Residual(double square, ReadOnlySpan<double> loadings, double mean)
    {
        double residual = square;
        for (int i = 0, at = 0; i <= _factors; i++)
        {
            double beta = i < _factors ? loadings[i] : mean, product = -2 * Products[i];
            for (int j = 0; j < i; j++, at++) product = Math.FusedMultiplyAdd(2 * _gram[at], loadings[j], product);
            product = Math.FusedMultiplyAdd(_gram[at++], beta, product);
            residual = Math.FusedMultiplyAdd(beta, product, residual);
        }
        return residual;
    }

    /// <summary>Whether all features can be solved at once, over all rows; nothing may be fixed.</summary>
    public bool TryBeginWhole()
    {
        if (_meanIsFixed || _loadingsAreFixed) return false;
        _all.CopyTo(_shared, 0);
        _hasShared = Cholesky.Factor(_shared, _factors + 1, out _) < 0;
        _gram = _all;
        if (_betas.Length == 0)
            (_betas, _residuals, _line) = (new double[(_factors + 1) * Together], new double[Together], new double[Together]);
        return _hasShared;
    }

    /// <summary>Finds w and mu of some features over all rows, for <see cref="Write"/>.</summary>
    /// <param name="products">E[z x'] [q, D].</param>
    /// <param name="first">E[x] [D].</param>
    /// <param name="squares">E[x^2] of those features.</param>
    /// <param name="from">The first of them.</param>
    /// <returns>E[(x - beta z+)^2] of each, as <see cref="Residual"/> has it.</returns>
    public ReadOnlySpan<double> Solve(ReadOnlySpan<double> products, ReadOnlySpan<double> first, ReadOnlySpan<double> squares, int from)
    {
        int count = squares.Length, dimension = first.Length;
        for (int i = 0; i <= _factors; i++)
        {
            Span<double> beta = _betas.AsSpan(i * Together, count);
            (i < _factors ? products.Slice(i * dimension + from, count) : first.Slice(from, count)).CopyTo(beta);
            for (int j = 0; j < i; j++) DenseMatrix.Add(beta, _betas.AsSpan(j * Together, count), -_shared[Packed.Index(i, j)]);
            StateVectors.Divide(beta, _shared[Packed.Index(i, i)]);
        }
        for (int i = _factors; i >= 0; i--)
        {
            Span<double> beta = _betas.AsSpan(i * Together, count);
            for (int j = i + 1; j <= _factors; j++) DenseMatrix.Add(beta, _betas.AsSpan(j * Together, count), -_shared[Packed.Index(j, i)]);
            StateVectors.Divide(beta, _shared[Packed.Index(i, i)]);
        }
        Span<double> residuals = _residuals.AsSpan(0, count), line = _line.AsSpan(0, count);
        squares.CopyTo(residuals);
        for (int i = 0; i <= _factors; i++)
        {
            (i < _factors ? products.Slice(i * dimension + from, count) : first.Slice(from, count)).CopyTo(line);
            Interpolation.Multiply(line, -2);
            for (int j = 0; j <= i; j++)
                DenseMatrix.Add(line, _betas.AsSpan(j * Together, count), (j < i ? 2 : 1) * _gram[Packed.Index(i, j)]);
            StateVectors.AddProducts(_betas.AsSpan(i * Together, count), line, residuals);
        }
        return residuals;
    }

    /// <summary>Writes w [q] and mu of one of the features last solved.</summary>
    public void Write(int index, Span<double> loadings, out double mean)
    {
        for (int j = 0; j < loadings.Length; j++) loadings[j] = _betas[j * Together + index];
        mean = _betas[_factors * Together + index];
    }

    /// <summary>L L' beta = b, forwards and backwards.</summary>
    private void Solve(double[] factor, int size, Span<double> loadings, ref double mean)
    {
        Span<double> beta = size <= 64 ? stackalloc double[size] : new double[size];
        for (int i = 0; i < size; i++)
        {
            double value = Products[i] - (_meanIsFixed ? mean * _gram[Packed.Index(_factors, i)] : 0);
            for (int j = 0; j < i; j++) value = Math.FusedMultiplyAdd(-factor[Packed.Index(i, j)], beta[j], value);
            beta[i] = value / factor[Packed.Index(i, i)];
        }
        for (int i = size - 1; i >= 0; i--)
        {
            double value = beta[i];
            for (int j = i + 1; j < size; j++) value = Math.FusedMultiplyAdd(-factor[Packed.Index(j, i)], beta[j], value);
            beta[i] = value / factor[Packed.Index(i, i)];
        }
        beta[.._factors].CopyTo(loadings);
        if (!_meanIsFixed) mean = beta[_factors];
    }
}
