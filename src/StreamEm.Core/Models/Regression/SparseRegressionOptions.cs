using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Regression;

/// <summary>Sparse linear regression (<c>type: sparse_regression</c>).</summary>
internal sealed record SparseRegressionOptions : RegressionOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "sparse_regression",
        "Linear regression that selects features: LASSO, Student or horseshoe prior of the coefficients.",
        entry => new SparseRegressionOptions { Entry = entry },
        SettingsWith<SparseRegressionOptions>(
            new Setting<SparseRegressionOptions, double>(
                "penalty", new NumberKind(Interval.AtLeast(0)), o => o.Penalty, (o, v) => o with { Penalty = v },
                "Rate of the Laplace prior of each coefficient, not scaled by the noise; of the other priors one over their scale. 0 is "
                    + "least squares."),
            new Setting<SparseRegressionOptions, SparsePrior>(
                "prior", new ChoiceKind<SparsePrior>(), o => o.Prior, (o, v) => o with { Prior = v },
                "Prior of the coefficients, not of the intercept: laplace (LASSO), student, horseshoe, or none (least squares).")));

    /// <summary>gamma.</summary>
    public double Penalty { get; init; } = 10;

    /// <summary>Of the coefficients.</summary>
    public SparsePrior Prior { get; init; }

    /// <inheritdoc/>
    public override string? ParameterRecursionProblem => GlobalLatents.ProblemOf("scales of the coefficients");

    /// <inheritdoc/>
    public override string? IntervalsProblem =>
        "its prior makes coefficients exactly 0, which no normal distribution of theirs allows for";

    /// <inheritdoc/>
    protected override LatentModel CreateRegression(FeatureSpace space) =>
        new SparseRegression(Type, space.Dimension, FitIntercept, Penalty > 0 ? Prior : SparsePrior.None, Penalty);
}
