using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Regression;

/// <summary>How prior and noise precision are found.</summary>
internal enum PrecisionUpdate
{
    /// <summary>EM, the coefficients being latent.</summary>
    Em,

    /// <summary>MacKay's fixed point: the same optimum, in fewer iterations.</summary>
    Mackay,
}

/// <summary>Bayesian linear regression (<c>type: bayesian_linear_regression</c>).</summary>
internal sealed record BayesianLinearRegressionOptions : RegressionOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "bayesian_linear_regression",
        "Linear regression whose coefficients have a normal prior; prior and noise precision are learned, predictions have a variance.",
        entry => new BayesianLinearRegressionOptions { Entry = entry },
        SettingsWith<BayesianLinearRegressionOptions>(
            new Setting<BayesianLinearRegressionOptions, PrecisionUpdate>(
                "precision_update", new ChoiceKind<PrecisionUpdate>(), o => o.PrecisionUpdate, (o, v) => o with { PrecisionUpdate = v },
                "How prior and noise precision are found: em, or mackay, his fixed point; same optimum."),
            PriorSetting.Of<BayesianLinearRegressionOptions>(o => o.Prior, (o, v) => o with { Prior = v })));

    /// <summary>Of both precisions.</summary>
    public Prior Prior { get; init; }

    /// <summary>How prior and noise precision are found.</summary>
    public PrecisionUpdate PrecisionUpdate { get; init; }

    /// <inheritdoc/>
    public override string? ParameterRecursionProblem => GlobalLatents.ProblemOf("coefficients");

    /// <inheritdoc/>
    public override string? IntervalsProblem =>
        "its coefficients are latent and have a posterior instead: coefficient_covariance says how sure they are";

    /// <inheritdoc/>
    protected override LatentModel CreateRegression(FeatureSpace space) =>
        new BayesianRegression(Type, space.Dimension, FitIntercept, PrecisionUpdate, Prior);
}
