using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Gaussian components with independent features. Parameters: <c>means [K, D]</c>, <c>covariances [K, D]</c> (variances). Statistics
/// (averages): <c>observed [K, D]</c> = r where the feature is present, <c>first_moments [K, D]</c> = r x, <c>second_moments [K, D]</c> = r
/// x^2. A missing value is left out of its feature's sums, which is exact here because features are independent given the component.
/// M-step: mu = S1 / O, sigma^2 = S2 / O - mu^2 + reg_covar.
/// </summary>
internal sealed class DiagonalGaussian : Gaussian
{
    private readonly VectorBlock _observed, _first, _second;

    /// <summary>K components over D features.</summary>
    public DiagonalGaussian(int components, int dimension, CovarianceRegularization regularization)
        : base(
            components, dimension, regularization,
            new VectorLayout().Add("covariances", Units.Square, Domain.Positive, components, dimension),
            new VectorLayout().Add("observed", components, dimension).Add("first_moments", components, dimension)
                .Add("second_moments", components, dimension)) =>
        (_observed, _first, _second) =
            (StatisticsLayout["observed"], StatisticsLayout["first_moments"], StatisticsLayout["second_moments"]);

    /// <inheritdoc/>
    public override bool HasIndependentFeatures => true;

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as DiagonalGaussianEStep ?? new DiagonalGaussianEStep(Components, Dimension);
        result.Set(Means.Of(parameters.Span), Covariances.Of(parameters.Span));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        ReadOnlySpan<double> observed = _observed.Of(statistics), first = _first.Of(statistics), second = _second.Of(statistics);
        Span<double> means = Means.Of(result), variances = Covariances.Of(result);
        for (int k = 0; k < Components; k++)
        {
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events)) continue;
            for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
            {
                if (observed[at] * rows.Evidence < ComponentEvidence.OneRow) continue;
                double mean = first[at] / observed[at];
                // About a mean that stays what it is, the squares have its distance too.
                double away = MeansAreFixed ? mean - means[at] : 0;
                if (!MeansAreFixed) means[at] = mean;
                variances[at] = second[at] / observed[at] - mean * mean + away * away;
                if (Regularization.PriorRows > 0)
                    variances[at] = (observed[at] * variances[at] + Regularization.PriorSquares[d] / rows.Prior)
                        / (observed[at] + Regularization.PriorRows / rows.Prior);
                variances[at] += Regularization.Ridge[d];
                if (variances[at] >= DiagonalFloor(d)) continue;
                events.Add(ModelEventKind.CovarianceFloored, k, variances[at]);
                variances[at] = Regularization.Floor;
            }
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> means = Means.Of(parameters), variances = Covariances.Of(parameters);
        for (int at = 0; at < means.Length; at++)
        {
            int d = at % Dimension;
            double mass = masses[at / Dimension], variance = variances[at] - Regularization.Ridge[d];
            _observed.Of(result)[at] = mass;
            _first.Of(result)[at] = mass * means[at];
            _second.Of(result)[at] = mass * Math.FusedMultiplyAdd(means[at], means[at], variance)
                + (Regularization.PriorRows * variance - Regularization.PriorSquares[d]) / effectiveRows;
        }
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    /// <remarks>(S1 - O mu) / sigma^2 and ((S2 - 2 mu S1 + O mu^2) / sigma^2 - O) / (2 sigma^2).</remarks>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        ReadOnlySpan<double> observed = _observed.Of(statistics), first = _first.Of(statistics), second = _second.Of(statistics);
        ReadOnlySpan<double> means = Means.Of(parameters), variances = Covariances.Of(parameters);
        for (int at = 0; at < means.Length; at++)
        {
            double off = first[at] - observed[at] * means[at], squares = second[at] - means[at] * (first[at] + off);
            Means.Of(result)[at] = off / variances[at];
            Covariances.Of(result)[at] = 0.5 * (squares / variances[at] - observed[at]) / variances[at];
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        Means.Of(result).Clear();
        Covariances.Of(result).Fill(1);
    }

    /// <inheritdoc/>
    private protected override void Narrow(Span<double> parameters, int component, int feature, double square) =>
        Covariances.Of(parameters)[component * Dimension + feature] -= square;

    /// <inheritdoc/>
    private protected override double Variance(ReadOnlySpan<double> parameters, int component, int feature) =>
        Covariances.Of(parameters)[component * Dimension + feature];

    /// <inheritdoc/>
    private protected override void Widen(Span<double> parameters, int component, ReadOnlySpan<double> variances) =>
        variances.CopyTo(Covariances.Of(parameters)[(component * Dimension)..]);

    /// <summary>A variance below what rounding leaves of S2 - mu^2 is noise: it is raised to the floor.</summary>
    private double DiagonalFloor(int feature) => Math.Max(Regularization.Ridge[feature] * 0.5, Regularization.Floor * 1e-6);
}
