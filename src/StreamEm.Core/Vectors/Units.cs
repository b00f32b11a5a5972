namespace StreamEm.Core.Vectors;

/// <summary>
/// How the numbers of a block follow the units of the features on its last axis (the last two for <see cref="Product"/>, the one before it
/// where a feature has several values).
/// </summary>
public enum Units
{
    /// <summary>They have none: weights, probabilities, counts' rates.</summary>
    None,

    /// <summary>A value of the feature: location and scale apply (means).</summary>
    Value,

    /// <summary>A difference of values: scale applies (standard deviations, means of scales).</summary>
    Deviation,

    /// <summary>scale^2 (variances).</summary>
    Square,

    /// <summary>scale_i scale_j (covariances).</summary>
    Product,

    /// <summary>1 / scale^2 (precisions).</summary>
    InverseSquare,

    /// <summary>
    /// w of [1, x] w on the last axis, the intercept first, whose value is one of the last feature: coefficients of a regression. The
    /// features are the inputs and, last, the target.
    /// </summary>
    Coefficients,

    /// <summary>The same where the value has no unit: log-odds, the z of a probit model.</summary>
    Logits,

    /// <summary>The covariance of <see cref="Coefficients"/>, on the last two axes.</summary>
    CoefficientProduct,
}

/// <summary>Which numbers a block may hold.</summary>
public enum Domain
{
    /// <summary>Any.</summary>
    Real,

    /// <summary>Above 0.</summary>
    Positive,

    /// <summary>In [0, 1].</summary>
    Probability,

    /// <summary>At least 0, and along the last axis they sum to 1.</summary>
    Simplex,

    /// <summary>Symmetric positive definite matrices on the last two axes.</summary>
    PositiveDefinite,
}
