using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Gaussian components with a covariance matrix each: log p(x) = -(D log 2 pi + log |Sigma| + (x - mu)' Sigma^-1 (x - mu)) / 2.
/// Parameters: <c>means [K, D]</c>, <c>covariances [K, D, D]</c>. Statistics (averages): <c>first_moments [K, D]</c> = r x and
/// <c>second_moments [K, P(D)]</c> = r x x', packed lower triangles. A row with missing values enters with its conditional mean and
/// conditional covariance (Little &amp; Rubin 2002, section 11.2). M-step: mu = S1 / N, Sigma = S2 / N - mu mu' + reg_covar.
/// </summary>
internal sealed class FullGaussian : MatrixFamily
{
    private readonly VectorBlock _first, _second;

    /// <summary>K components over D features.</summary>
    public FullGaussian(int components, int dimension, CovarianceRegularization regularization)
        : base(components, dimension, regularization, "covariances", new VectorLayout(),
            new VectorLayout().Add("first_moments", components, dimension).Add("second_moments", components, Packed.Length(dimension))) =>
        (_first, _second) = (StatisticsLayout["first_moments"], StatisticsLayout["second_moments"]);

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as FullGaussianEStep ?? new FullGaussianEStep(Components, Dimension, tied: false);
        result.Set(Means.Of(parameters), Covariances.Of(parameters));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        int packed = Packed.Length(Dimension);
        for (int k = 0; k < Components; k++)
            if (ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events))
                SetMoments(k, masses[k], _first.Of(statistics).Slice(k * Dimension, Dimension),
                    _second.Of(statistics).Slice(k * packed, packed), masses[k], rows.Prior, result, events);
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        int packed = Packed.Length(Dimension);
        for (int k = 0; k < Components; k++)
            MomentSlopes(k, masses[k], _first.Of(statistics).Slice(k * Dimension, Dimension),
                _second.Of(statistics).Slice(k * packed, packed), masses[k], parameters, result);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result) =>
        ImplyMoments(masses, parameters, effectiveRows, _first.Of(result), _second.Of(result));
}
