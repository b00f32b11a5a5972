using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Regression;

/// <summary>Probit regression (<c>type: probit_regression</c>).</summary>
internal sealed record ProbitRegressionOptions : RegressionOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "probit_regression",
        "Probit regression of a target that is 0 or 1: its probability, and how sure that is.",
        entry => new ProbitRegressionOptions { Entry = entry },
        SettingsWith<ProbitRegressionOptions>(
            new Setting<ProbitRegressionOptions, double>(
                "prior_precision", new NumberKind(Interval.AtLeast(0)), o => o.PriorPrecision, (o, v) => o with { PriorPrecision = v },
                "Precision of the normal prior of every coefficient, of standardised features; prior: none leaves it out."),
            PriorSetting.Of<ProbitRegressionOptions>(o => o.Prior, (o, v) => o with { Prior = v })));

    /// <summary>tau.</summary>
    public double PriorPrecision { get; init; } = 1;

    /// <summary>Of the coefficients.</summary>
    public Prior Prior { get; init; }

    /// <inheritdoc/>
    public override string? IntervalsProblem => null;

    /// <inheritdoc/>
    protected override LatentModel CreateRegression(FeatureSpace space) =>
        new ProbitRegression(Type, space.Dimension, FitIntercept, Prior == Prior.Conjugate ? PriorPrecision : 0, hasCovariance: true);

    /// <inheritdoc/>
    protected override Feature PlanTarget(string name) => new(name, FeatureKind.Binary, FeatureScaling.None);
}
