using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>Components of independent Poisson counts.</summary>
internal sealed record PoissonOptions : EmissionOptions
{
    /// <summary>The family in the catalogue.</summary>
    public static EmissionEntry Catalogued { get; } = new(
        "poisson",
        "K sets of independent counts; clusters of events, errors, visits.",
        () => new PoissonOptions(),
        PriorSetting.Of<PoissonOptions>(o => o.Prior, (o, v) => o with { Prior = v }));

    /// <inheritdoc/>
    public override EmissionEntry Entry => Catalogued;

    /// <summary>Gamma(1.1, 0.1 / mean) on every rate, or nothing.</summary>
    public Prior Prior { get; init; }

    /// <inheritdoc/>
    public override Feature Plan(string feature) => new(feature, FeatureKind.Count, FeatureScaling.None);

    /// <inheritdoc/>
    public override EmissionOptions WithoutPrior() => this with { Prior = Prior.None };

    /// <inheritdoc/>
    public override long RowsToStart(int components, int dimension) => 2L * components;

    /// <inheritdoc/>
    public override Emission Create(IReadOnlyList<Feature> features, int components) =>
        new Poisson(components, [.. features.Select(feature => feature.Mean)], Prior);
}

/// <summary>
/// Independent Poisson counts: log p(x given z = k) = sum_d (x_d log lambda_kd - lambda_kd - log x_d!). Parameter: <c>rates [K, D]</c>, the
/// expected counts. Prior: Gamma(1.1, 0.1 / m), a tenth of a row at the feature's mean m in the first records.
/// </summary>
/// <param name="components">K.</param>
/// <param name="means">The mean of every feature [D]; 0 where it is not known.</param>
/// <param name="prior">Whether there is one.</param>
internal sealed class Poisson(int components, double[] means, Prior prior)
    : MeanFamily(components, ("rates", Units.None, Domain.Positive), PriorSums(means, prior), PriorRows(means, prior))
{
    /// <summary>Imaginary counts, and rows times their mean.</summary>
    private const double Imaginary = 0.1;

    /// <summary>The smallest rate: a count never seen yet is improbable, not impossible.</summary>
    private const double LeastRate = 1e-10;

    /// <summary>The smallest rate that distances are measured from.</summary>
    private const double LeastMeasured = 0.01;

    /// <inheritdoc/>
    internal override bool HasBaseMeasure => true;

    /// <inheritdoc/>
    private protected override double NeutralMean(int feature) => 1;

    /// <inheritdoc/>
    internal override double Slope(double mean) => ScalarMath.Log(Math.Max(mean, LeastRate));

    /// <inheritdoc/>
    internal override double Offset(double mean) => mean;

    /// <inheritdoc/>
    internal override double BaseMeasure(double x) => -LogFactorials.Of(x);

    /// <inheritdoc/>
    internal override void AddBaseMeasures(ReadOnlySpan<double> values, Span<double> measures) =>
        LogFactorials.Subtract(values, measures);

    /// <inheritdoc/>
    /// <remarks>Summed over the counts within ten standard deviations; of many, those of the normal distribution.</remarks>
    internal override LogDensitySpread Spread(double mean)
    {
        double rate = Math.Max(mean, LeastRate);
        if (rate > 500) return new LogDensitySpread(-0.5 * ScalarMath.Log(2 * Math.PI * rate), 0.5, 0.5);
        int first = (int)Math.Max(0, rate - 10 * Math.Sqrt(rate)), last = (int)(rate + 10 * Math.Sqrt(rate) + 10);
        Span<double> logs = stackalloc double[last - first + 1];
        for (int at = 0; at < logs.Length; at++) logs[at] = (first + at) * Slope(rate) - rate + BaseMeasure(first + at);
        return LogDensitySpread.Of(logs);
    }

    /// <inheritdoc/>
    internal override bool IsMeasured => true;

    /// <inheritdoc/>
    /// <remarks>
    /// x log(x / lambda) - (x - lambda), lambda at least 0.01: a first count of a feature that had none is rare, not far.
    /// </remarks>
    internal override double HalfDeviance(double x, double mean)
    {
        double rate = Math.Max(mean, LeastMeasured);
        return (x > 0 ? x * ScalarMath.Log(x / rate) : 0) - (x - rate);
    }

    /// <inheritdoc/>
    private protected override double Draw(double mean, RandomDraws draws) => draws.Poisson(mean);

    /// <inheritdoc/>
    private protected override double Cumulative(double mean, double value) =>
        value < 0 ? 0 : ScalarMath.GammaUpperRegularized(Math.Floor(value) + 1, Math.Max(mean, LeastRate));

    /// <inheritdoc/>
    private protected override double Variance(double mean) => mean;

    /// <inheritdoc/>
    private protected override double Bounded(double mean, int feature) => Math.Max(mean, LeastRate);

    /// <inheritdoc/>
    private protected override double Around(double value, int feature) => value + 0.5;

    private static double[] PriorSums(double[] means, Prior prior) =>
        Array.ConvertAll(means, mean => prior == Prior.None || !(mean > 0) ? 0 : Imaginary);

    private static double[] PriorRows(double[] means, Prior prior) =>
        Array.ConvertAll(means, mean => prior == Prior.None || !(mean > 0) ? 0 : Imaginary / mean);
}
