using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>Components of independent Bernoulli features.</summary>
internal sealed record BernoulliOptions : EmissionOptions
{
    /// <summary>The family in the catalogue.</summary>
    public static EmissionEntry Catalogued { get; } = new(
        "bernoulli",
        "K sets of independent yes-no features; clusters of flags, symptoms, purchases.",
        () => new BernoulliOptions(),
        PriorSetting.Of<BernoulliOptions>(o => o.Prior, (o, v) => o with { Prior = v }));

    /// <inheritdoc/>
    public override EmissionEntry Entry => Catalogued;

    /// <summary>Beta(2, 2) on every probability, or nothing.</summary>
    public Prior Prior { get; init; }

    /// <inheritdoc/>
    public override Feature Plan(string feature) => new(feature, FeatureKind.Binary, FeatureScaling.None);

    /// <inheritdoc/>
    public override EmissionOptions WithoutPrior() => this with { Prior = Prior.None };

    /// <inheritdoc/>
    public override long RowsToStart(int components, int dimension) => 2L * components;

    /// <inheritdoc/>
    public override Emission Create(IReadOnlyList<Feature> features, int components) => new Bernoulli(components, features.Count, Prior);
}

/// <summary>
/// Independent Bernoulli features: log p(x given z = k) = sum_d (x_d log p_kd + (1 - x_d) log(1 - p_kd)). Parameter: <c>probabilities [K,
/// D]</c> of a 1. Prior: Beta(2, 2), two imaginary rows of which one is 1 (Bishop 2006, section 9.3.3).
/// </summary>
internal sealed class Bernoulli(int components, int dimension, Prior prior)
    : MeanFamily(components, ("probabilities", Units.None, Domain.Probability), Filled(dimension, prior == Prior.None ? 0 : 1),
        Filled(dimension, prior == Prior.None ? 0 : 2))
{
    /// <summary>Probabilities are kept this far from 0 and 1: a value never seen yet is improbable, not impossible.</summary>
    private const double Margin = 1e-6;

    /// <summary>The smallest number whose logarithm is taken: given parameters may be 0 or 1.</summary>
    private const double Least = 1e-300;

    /// <inheritdoc/>
    private protected override double NeutralMean(int feature) => 0.5;

    /// <inheritdoc/>
    internal override double Slope(double mean) => ScalarMath.Log(Math.Max(mean, Least)) - ScalarMath.Log(Math.Max(1 - mean, Least));

    /// <inheritdoc/>
    internal override double Offset(double mean) => -ScalarMath.Log(Math.Max(1 - mean, Least));

    /// <inheritdoc/>
    internal override LogDensitySpread Spread(double mean) =>
        LogDensitySpread.Of([ScalarMath.Log(Math.Max(mean, Least)), ScalarMath.Log(Math.Max(1 - mean, Least))]);

    /// <inheritdoc/>
    private protected override double Draw(double mean, RandomDraws draws) => draws.Uniform() < mean ? 1 : 0;

    /// <inheritdoc/>
    private protected override double Cumulative(double mean, double value) => value < 0 ? 0 : value < 1 ? 1 - mean : 1;

    /// <inheritdoc/>
    private protected override double Variance(double mean) => mean * (1 - mean);

    /// <inheritdoc/>
    private protected override double Bounded(double mean, int feature) => Math.Clamp(mean, Margin, 1 - Margin);

    /// <inheritdoc/>
    private protected override double Around(double value, int feature) => 0.25 + 0.5 * value;

    private static double[] Filled(int dimension, double value)
    {
        double[] values = new double[dimension];
        Array.Fill(values, value);
        return values;
    }
}
