using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>Components of independent exponential features.</summary>
internal sealed record ExponentialOptions : EmissionOptions
{
    /// <summary>The family in the catalogue.</summary>
    public static EmissionEntry Catalogued { get; } = new(
        "exponential",
        "K sets of independent exponential features; clusters of waiting times, durations, amounts.",
        () => new ExponentialOptions(),
        PriorSetting.Of<ExponentialOptions>(o => o.Prior, (o, v) => o with { Prior = v }));

    /// <inheritdoc/>
    public override EmissionEntry Entry => Catalogued;

    /// <summary>A tenth of an imaginary row at every feature's mean, or nothing.</summary>
    public Prior Prior { get; init; }

    /// <inheritdoc/>
    public override Feature Plan(string feature) => new(feature, FeatureKind.NonNegative, FeatureScaling.ScaleOnly);

    /// <inheritdoc/>
    public override EmissionOptions WithoutPrior() => this with { Prior = Prior.None };

    /// <inheritdoc/>
    public override long RowsToStart(int components, int dimension) => 2L * components;

    /// <inheritdoc/>
    public override Emission Create(IReadOnlyList<Feature> features, int components) =>
        new Exponential(components, [.. features.Select(feature => feature.Mean)], Prior);
}

/// <summary>
/// Independent exponential features: log p(x given z = k) = sum_d (-x_d / m_kd - log m_kd), x at least 0. Parameter: <c>means [K, D]</c>,
/// not rates, whose averages would be biased upwards (Jensen). Prior: the conjugate inverse gamma on the mean, a tenth of a row at the
/// feature's mean in the first records.
/// </summary>
/// <param name="components">K.</param>
/// <param name="means">The mean of every feature [D]; 0 where it is not known.</param>
/// <param name="prior">Whether there is one.</param>
internal sealed class Exponential(int components, double[] means, Prior prior)
    : MeanFamily(components, ("means", Units.Deviation, Domain.Positive), Rows(means, prior, mean => Imaginary * mean),
        Rows(means, prior, _ => Imaginary))
{
    /// <summary>Imaginary rows.</summary>
    private const double Imaginary = 0.1;

    /// <summary>The smallest mean, of the feature's: the likelihood is unbounded as a component shrinks to zeros.</summary>
    private const double LeastShare = 1e-10;

    /// <inheritdoc/>
    private protected override double NeutralMean(int feature) => Typical(feature);

    /// <inheritdoc/>
    internal override double Slope(double mean) => -1 / mean;

    /// <inheritdoc/>
    internal override double Offset(double mean) => ScalarMath.Log(mean);

    /// <inheritdoc/>
    /// <remarks>-log p = log m + x / m, and x / m is half a chi-square variable of two degrees of freedom.</remarks>
    internal override LogDensitySpread Spread(double mean) => new(-ScalarMath.Log(mean), 1, 1);

    /// <inheritdoc/>
    internal override bool IsMeasured => true;

    /// <inheritdoc/>
    internal override double Peak(double mean) => -ScalarMath.Log(mean);

    /// <inheritdoc/>
    /// <remarks>x / m - 1 - log(x / m) above the mean; below it, where the density is highest, no value is far.</remarks>
    internal override double HalfDeviance(double x, double mean) => x > mean ? x / mean - 1 - ScalarMath.Log(x / mean) : 0;

    /// <inheritdoc/>
    private protected override double Draw(double mean, RandomDraws draws) => mean * draws.Exponential();

    /// <inheritdoc/>
    private protected override double Cumulative(double mean, double value) => value <= 0 ? 0 : -ScalarMath.Expm1(-value / mean);

    /// <inheritdoc/>
    private protected override double Variance(double mean) => mean * mean;

    /// <inheritdoc/>
    private protected override double Bounded(double mean, int feature) => Math.Max(mean, LeastShare * Typical(feature));

    /// <inheritdoc/>
    private protected override double Around(double value, int feature) => 0.5 * (value + Typical(feature));

    private double Typical(int feature) => means[feature] > 0 ? means[feature] : 1;

    private static double[] Rows(double[] means, Prior prior, Func<double, double> of) =>
        Array.ConvertAll(means, mean => prior == Prior.None || !(mean > 0) ? 0 : of(mean));
}
