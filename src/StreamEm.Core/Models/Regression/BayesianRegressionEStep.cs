namespace StreamEm.Core.Models.Regression;

/// <summary>Predictive densities N(y; m'z, 1 / alpha + z'Sz).</summary>
internal sealed class BayesianRegressionEStep(int inputs, bool hasIntercept) : RegressionEStep(inputs, hasIntercept)
{
    /// <summary>A row whose features are far from all others does not excuse any target: its own part of the variance counts no more than
    /// so many times the noise when distances are measured.</summary>
    private const double MostLeverage = 10;

    private readonly CoefficientSpread _spread = new(inputs, hasIntercept);
    private double _noise;

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    /// <exception cref="ArithmeticException">The covariance is not positive definite.</exception>
    public void Set(ReadOnlySpan<double> mean, ReadOnlySpan<double> covariance, double alpha)
    {
        SetCoefficients(mean);
        _noise = 1 / alpha;
        _spread.Set(covariance);
    }

    /// <inheritdoc/>
    protected override void Describe(RegressionWorkspace space)
    {
        Span<double> variances = space.Others;
        _spread.Variances(space, variances);
        for (int i = 0; i < space.Block.Count; i++)
        {
            double own = variances[i], variance = variances[i] = _noise + own;
            space.LogDensities[i] = LinearPrediction.LogDensity(space.Responses[i], space.Predictors[i], variance, out double square);
            space.Squares[i] = square * variance / (_noise + Math.Min(own, MostLeverage * _noise));
        }
    }

    /// <inheritdoc/>
    protected override void Predict(RegressionWorkspace space, int lane, Span<double> scores) =>
        LinearPrediction.Write(space.Predictors[lane], space.Others[lane], scores);
}
