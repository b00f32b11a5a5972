using System.Runtime.InteropServices;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Factors;

/// <summary>The M-step.</summary>
internal sealed partial class FactorAnalyser
{
    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        var step = new FactorRegression(Factors, _meansAreFixed, _loadingsAreFixed);
        for (int k = 0; k < Components; k++)
        {
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events)) continue;
            step.Begin(
                _latentMoments.Of(statistics).Slice(k * Packed.Length(Factors), Packed.Length(Factors)),
                _latentMeans.Of(statistics).Slice(k * Factors, Factors), masses[k]);
            bool isWhole = masses[k] * rows.Evidence >= ComponentEvidence.OneRow
                && IsZero(_missing.Of(statistics).Slice(k * Dimension * step.Size, Dimension * step.Size)) && step.TryBeginWhole();
            (double residuals, double cells) = isWhole
                ? MaximizeTogether(step, k, masses[k], statistics, rows, result, events)
                : MaximizeOneByOne(step, k, masses[k], statistics, rows, result, events);
            if (IsExpanded && cells > 0 && !_meansAreFixed && !_loadingsAreFixed) Reduce(statistics, k, masses[k], result);
            if (!_isIsotropic || cells == 0) continue;
            _noise.Of(result)[k] = Floored(
                (residuals + _priorSquares / rows.Prior) / (cells + _regularization.PriorRows * Dimension / rows.Prior) + _commonRidge,
                _commonRidge, k, events);
        }
    }

    /// <summary>Every feature over the rows that have it; returns the residuals of all and how many values they are of.</summary>
    private (double Residuals, double Cells) MaximizeOneByOne(
        FactorRegression step, int k, double all, ReadOnlySpan<double> statistics, RowsWorth rows, Span<double> result, ModelEvents events)
    {
        double residuals = 0, cells = 0;
        for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
        {
            ReadOnlySpan<double> missing = _missing.Of(statistics).Slice(at * step.Size, step.Size);
            double mass = all - missing[^1];
            if (mass * rows.Evidence < ComponentEvidence.OneRow) continue;
            for (int j = 0; j < Factors; j++)
                step.Products[j] = _products.Of(statistics)[(k * Factors + j) * Dimension + d];
            step.Products[Factors] = _first.Of(statistics)[at];
            if (!step.TrySolve(missing, _loadings.Of(result).Slice(at * Factors, Factors), ref _means.Of(result)[at]))
            {
                events.Add(ModelEventKind.NoEvidence, k, mass * rows.Evidence);
                continue;
            }
            double residual = step.Residual(
                _squares.Of(statistics)[at], _loadings.Of(result).Slice(at * Factors, Factors), _means.Of(result)[at]);
            SetNoise(result, k, d, residual, mass, rows, events);
            residuals += residual;
            cells += mass;
        }
        return (residuals, cells);
    }

    /// <summary>The same, to the bit, where every row has every feature: some features at a time, a SIMD lane each.</summary>
    private (double Residuals, double Cells) MaximizeTogether(
        FactorRegression step, int k, double mass, ReadOnlySpan<double> statistics, RowsWorth rows, Span<double> result, ModelEvents events)
    {
        ReadOnlySpan<double> products = _products.Of(statistics).Slice(k * Factors * Dimension, Factors * Dimension),
            first = _first.Of(statistics).Slice(k * Dimension, Dimension),
            squares = _squares.Of(statistics).Slice(k * Dimension, Dimension);
        Span<double> loadings = _loadings.Of(result).Slice(k * Dimension * Factors, Dimension * Factors),
            means = _means.Of(result).Slice(k * Dimension, Dimension);
        double residuals = 0, cells = 0;
        for (int from = 0; from < Dimension; from += FactorRegression.Together)
        {
            int count = Math.Min(FactorRegression.Together, Dimension - from);
            ReadOnlySpan<double> left = step.Solve(products, first, squares.Slice(from, count), from);
            for (int d = 0; d < count; d++)
            {
                step.Write(d, loadings.Slice((from + d) * Factors, Factors), out means[from + d]);
                SetNoise(result, k, from + d, left[d], mass, rows, events);
                residuals += left[d];
                cells += mass;
            }
        }
        return (residuals, cells);
    }

    /// <summary>
    /// Of z ~ N(m, R), which the M-step found as well, back to N(0, I): W = W L and mu = mu + W m with R = L L'.
    /// </summary>
    private void Reduce(ReadOnlySpan<double> statistics, int k, double mass, Span<double> result)
    {
        ReadOnlySpan<double> moments = _latentMoments.Of(statistics).Slice(k * Packed.Length(Factors), Packed.Length(Factors)),
            sums = _latentMeans.Of(statistics).Slice(k * Factors, Factors);
        double[] mean = [.. sums], factor = [.. moments];
        StateVectors.Divide(mean, mass);
        for (int i = 0, at = 0; i < Factors; i++)
            for (int j = 0; j <= i; j++, at++) factor[at] = moments[at] / mass - mean[i] * mean[j];
        if (Factors == 0 || Cholesky.Factor(factor, Factors, out _) >= 0) return;
        for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
        {
            Span<double> loadings = _loadings.Of(result).Slice(at * Factors, Factors);
            for (int j = 0; j < Factors; j++)
            {
                _means.Of(result)[at] = Math.FusedMultiplyAdd(loadings[j], mean[j], _means.Of(result)[at]);
                double sum = 0;
                for (int i = j; i < Factors; i++) sum = Math.FusedMultiplyAdd(loadings[i], factor[Packed.Index(i, j)], sum);
                loadings[j] = sum;
            }
        }
    }

    private void SetNoise(Span<double> result, int k, int d, double residual, double mass, RowsWorth rows, ModelEvents events)
    {
        if (_isIsotropic) return;
        _noise.Of(result)[k * Dimension + d] = Floored(
            (residual + _regularization.PriorSquares[d] / rows.Prior) / (mass + _regularization.PriorRows / rows.Prior)
                + _regularization.Ridge[d],
            _regularization.Ridge[d], k, events);
    }

    /// <summary>By its bits: a negative zero is none.</summary>
    private static bool IsZero(ReadOnlySpan<double> values) => !MemoryMarshal.Cast<double, long>(values).ContainsAnyExcept(0L);

    /// <summary>
    /// A variance below what rounding leaves of its sums is noise; a feature that the factors explain wholly (Heywood) has none.
    /// </summary>
    private double Floored(double variance, double ridge, int component, ModelEvents events)
    {
        if (variance >= Math.Max(ridge * 0.5, _regularization.Floor * 1e-6)) return variance;
        events.Add(ModelEventKind.CovarianceFloored, component, variance);
        return _regularization.Floor;
    }
}
