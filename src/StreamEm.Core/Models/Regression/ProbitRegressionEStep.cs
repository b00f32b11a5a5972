using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Regression;

/// <summary>P(y) = Phi(s m), and the posterior mean of what is latent in the place of y.</summary>
internal sealed class ProbitRegressionEStep(int inputs, bool hasIntercept, bool hasCovariance) : RegressionEStep(inputs, hasIntercept)
{
    private readonly CoefficientSpread? _spread = hasCovariance ? new(inputs, hasIntercept) : null;
    private readonly int _information = Packed.Length(inputs + 2);

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> coefficients, ReadOnlySpan<double> covariance)
    {
        SetCoefficients(coefficients);
        _spread?.Set(covariance);
    }

    /// <inheritdoc/>
    protected override void Describe(RegressionWorkspace space)
    {
        for (int i = 0; i < space.Block.Count; i++)
        {
            double m = space.Predictors[i], sign = space.Responses[i] > 0.5 ? 1 : -1;
            space.LogDensities[i] = NormalDistribution.LogCumulative(sign * m, out double ratio);
            space.Squares[i] = -2 * space.LogDensities[i];
            space.Responses[i] = m + sign * ratio;
            space.Others[i] = Math.Max(0, ratio * (ratio + sign * m));
        }
    }

    /// <inheritdoc/>
    protected override void AddOthers(RegressionWorkspace space, Span<double> statistics)
    {
        if (_spread is null) return;
        for (int i = 0; i < space.Block.Count; i++) space.Weights[i] *= space.Others[i];
        WeightedSums.AddOuterProducts(space.Design, Inputs + 1, space.Weights, 1, statistics[_information..]);
    }

    /// <inheritdoc/>
    protected override void BeforePredicting(RegressionWorkspace space) => _spread?.Variances(space, space.Others);

    /// <inheritdoc/>
    protected override void Predict(RegressionWorkspace space, int lane, Span<double> scores)
    {
        double m = space.Predictors[lane];
        if (_spread is null)
        {
            scores[0] = NormalDistribution.Cumulative(m);
            return;
        }
        double variance = space.Others[lane], half = LinearPrediction.Half * Math.Sqrt(variance);
        double density = ScalarMath.Exp(NormalDistribution.LogDensity(m));
        scores[0] = NormalDistribution.Cumulative(m / Math.Sqrt(1 + variance));
        scores[1] = density * density * variance;
        scores[2] = NormalDistribution.Cumulative(m - half);
        scores[3] = NormalDistribution.Cumulative(m + half);
    }
}
