namespace StreamEm.Core.Models.Regression;

/// <summary>Densities N(y; z'w, sigma^2).</summary>
internal sealed class PlainRegressionEStep(int inputs, bool hasIntercept) : RegressionEStep(inputs, hasIntercept)
{
    private double _variance;

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> coefficients, double variance)
    {
        SetCoefficients(coefficients);
        _variance = variance;
    }

    /// <inheritdoc/>
    protected override void Describe(RegressionWorkspace space)
    {
        for (int i = 0; i < space.Block.Count; i++)
            space.LogDensities[i] = LinearPrediction.LogDensity(space.Responses[i], space.Predictors[i], _variance, out space.Squares[i]);
    }

    /// <inheritdoc/>
    protected override void Predict(RegressionWorkspace space, int lane, Span<double> scores) =>
        LinearPrediction.Write(space.Predictors[lane], _variance, scores);
}
