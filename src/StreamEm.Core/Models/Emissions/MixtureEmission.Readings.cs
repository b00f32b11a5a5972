namespace StreamEm.Core.Models.Emissions;

/// <summary>What can be read off it.</summary>
internal sealed partial class MixtureEmission
{
    /// <inheritdoc/>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        double[] mean = new double[Weights * Dimension], variance = new double[mean.Length];
        if (!_inner.TryMoments(parameters[Weights..], mean, variance)) return false;
        for (int k = 0; k < Components; k++)
            for (int d = 0; d < Dimension; d++)
            {
                (double sum, double square) = (0, 0);
                for (int m = k * _each; m < (k + 1) * _each; m++) sum += parameters[m] * mean[m * Dimension + d];
                for (int m = k * _each; m < (k + 1) * _each; m++)
                {
                    double deviation = mean[m * Dimension + d] - sum;
                    square += parameters[m] * (variance[m * Dimension + d] + deviation * deviation);
                }
                (means[k * Dimension + d], variances[k * Dimension + d]) = (sum, square);
            }
        return true;
    }

    /// <inheritdoc/>
    public override void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        double[] own = new double[Dimension], spread = new double[covariance.Length];
        mean.Clear();
        covariance.Clear();
        for (int m = component * _each; m < (component + 1) * _each; m++)
        {
            _inner.Moments(parameters[Weights..], m, own, spread);
            for (int i = 0; i < Dimension; i++)
            {
                mean[i] += parameters[m] * own[i];
                for (int j = 0; j < Dimension; j++)
                    covariance[i * Dimension + j] += parameters[m] * (spread[i * Dimension + j] + own[i] * own[j]);
            }
        }
        for (int i = 0; i < Dimension; i++)
            for (int j = 0; j < Dimension; j++) covariance[i * Dimension + j] -= mean[i] * mean[j];
    }

    /// <inheritdoc/>
    public override double Covariance(ReadOnlySpan<double> parameters, int component, int feature, int other)
    {
        double[] means = new double[Weights * Dimension], variances = new double[means.Length];
        if (!_inner.TryMoments(parameters[Weights..], means, variances)) return 0;
        (double one, double two, double product) = (0, 0, 0);
        for (int m = component * _each; m < (component + 1) * _each; m++)
        {
            (double a, double b) = (means[m * Dimension + feature], means[m * Dimension + other]);
            one += parameters[m] * a;
            two += parameters[m] * b;
            product += parameters[m] * (a * b + _inner.Covariance(parameters[Weights..], m, feature, other));
        }
        return product - one * two;
    }

    /// <inheritdoc/>
    public override double Cumulative(ReadOnlySpan<double> parameters, int component, int feature, double value)
    {
        double sum = 0;
        for (int m = component * _each; m < (component + 1) * _each; m++)
            sum += parameters[m] * _inner.Cumulative(parameters[Weights..], m, feature, value);
        return sum;
    }

    /// <inheritdoc/>
    public override void PoolVariances(Span<double> variances) => _inner.PoolVariances(variances);

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts) =>
        _inner.Health(parameters[Weights..], facts);
}
