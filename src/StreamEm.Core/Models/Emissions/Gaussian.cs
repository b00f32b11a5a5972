using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>What the Gaussian families share: K means over D features, and what keeps covariances positive definite.</summary>
internal abstract class Gaussian : Emission
{
    /// <summary>K components over D features.</summary>
    /// <param name="components">K.</param>
    /// <param name="dimension">D.</param>
    /// <param name="regularization">Ridge and floor.</param>
    /// <param name="covariances">The blocks after <c>means [K, D]</c>.</param>
    /// <param name="statistics">The family's statistics.</param>
    /// <param name="name">What the block of covariances is called.</param>
    private protected Gaussian(
        int components, int dimension, CovarianceRegularization regularization, VectorLayout covariances, VectorLayout statistics,
        string name = "covariances")
    {
        (Components, Dimension, Regularization, StatisticsLayout) = (components, dimension, regularization, statistics);
        ParameterLayout = new VectorLayout().Add("means", Units.Value, Domain.Real, components, dimension).Append(covariances);
        Means = ParameterLayout["means"];
        Covariances = ParameterLayout[name];
    }

    /// <inheritdoc/>
    public sealed override int Dimension { get; }

    /// <inheritdoc/>
    public sealed override int Components { get; }

    /// <inheritdoc/>
    public sealed override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public sealed override VectorLayout StatisticsLayout { get; }

    /// <summary>Ridge and floor of the covariances.</summary>
    private protected CovarianceRegularization Regularization { get; }

    /// <summary><c>means [K, D]</c>.</summary>
    private protected VectorBlock Means { get; }

    /// <summary><c>covariances</c>, in the family's form.</summary>
    private protected VectorBlock Covariances { get; }

    /// <summary>Whether the means stay what they are, so that covariances are about them.</summary>
    private protected bool MeansAreFixed { get; private set; }

    /// <inheritdoc/>
    public override void Hold(IReadOnlyCollection<string> blocks) => MeansAreFixed = blocks.Contains(Means.Name);

    /// <inheritdoc/>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        Means.Of(parameters).CopyTo(means);
        for (int at = 0; at < variances.Length; at++) variances[at] = Variance(parameters, at / Dimension, at % Dimension);
        return true;
    }

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        for (int d = 0; d < Dimension; d++) row[d] = Math.Sqrt(Variance(parameters, component, d)) * draws.Normal();
        for (int d = 0; d < Dimension; d++) row[d] += Means.Of(parameters)[component * Dimension + d];
    }

    /// <inheritdoc/>
    /// <remarks>Features independent: sum_d (v / v' - 1 - log(v / v') + (mu - mu')^2 / v') / 2.</remarks>
    public override double Divergence(ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached)
    {
        if (other.GetType() != GetType()) return double.NaN;
        var family = (Gaussian)other;
        double sum = 0;
        for (int d = 0; d < Dimension; d++)
        {
            double variance = family.Variance(to, reached, d), ratio = Variance(from, component, d) / variance;
            double apart = from[component * Dimension + d] - to[reached * Dimension + d];
            sum += ratio - 1 - ScalarMath.Log(ratio) + apart * apart / variance;
        }
        return 0.5 * Math.Max(0, sum);
    }

    /// <summary>Normals about a mean with a full covariance.</summary>
    private protected void SampleAbout(
        ReadOnlySpan<double> parameters, int component, ReadOnlySpan<double> covariance, double scale, RandomDraws draws, Span<double> row)
    {
        Means.Of(parameters).Slice(component * Dimension, Dimension).CopyTo(row);
        draws.AddNormals(this, component, covariance, scale, row);
    }

    /// <summary>(tr(S'^-1 S) - D + log |S'| / |S| + (mu - mu')' S'^-1 (mu - mu')) / 2 of full covariances.</summary>
    private protected double DivergenceOf(
        ReadOnlySpan<double> mean, ReadOnlySpan<double> covariance, ReadOnlySpan<double> otherMean, ReadOnlySpan<double> otherCovariance)
    {
        int packed = Packed.Length(Dimension);
        double[] own = new double[packed], inverse = new double[packed], column = new double[Dimension];
        double logs = -SymmetricMatrix.InverseFactor(covariance, Dimension, 0, own);
        logs += SymmetricMatrix.InverseFactor(otherCovariance, Dimension, 0, inverse);
        SymmetricMatrix.Pack(covariance, Dimension, own);
        _ = Cholesky.Factor(own, Dimension, out _);
        double sum = 2 * logs - Dimension;
        // |M L|^2, M the other's inverse factor and L the factor of this one: the trace; and |M (mu - mu')|^2.
        for (int at = 0; at <= Dimension; at++)
        {
            for (int d = 0; d < Dimension; d++)
                column[d] = at == Dimension ? mean[d] - otherMean[d] : d >= at ? own[Packed.Index(d, at)] : 0;
            for (int i = 0; i < Dimension; i++)
            {
                double dot = 0;
                for (int d = 0; d <= i; d++) dot = Math.FusedMultiplyAdd(inverse[Packed.Index(i, d)], column[d], dot);
                sum = Math.FusedMultiplyAdd(dot, dot, sum);
            }
        }
        return 0.5 * Math.Max(0, sum);
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        Span<double> mean = Means.Of(parameters).Slice(component * Dimension, Dimension);
        for (int d = 0; d < mean.Length; d++)
            if (!double.IsNaN(location[d])) mean[d] = location[d];
        Widen(parameters, component, variances);
    }

    /// <inheritdoc/>
    /// <remarks>Along one feature, whose variance becomes three quarters of what it was where it is the components' own.
    /// </remarks>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        int widest = 0;
        double width = double.NegativeInfinity;
        for (int d = 0; d < Dimension; d++)
        {
            double own = Variance(parameters, component, d) / (units[d] * units[d]);
            if (own > width) (widest, width) = (d, own);
        }
        double step = SplitStep * Math.Sqrt(Variance(parameters, component, widest));
        Means.Of(parameters)[component * Dimension + widest] -= step;
        Means.Of(parameters)[other * Dimension + widest] += step;
        Narrow(parameters, component, widest, step * step);
        Narrow(parameters, other, widest, step * step);
    }

    /// <summary>How far the halves of a component are moved, in its standard deviations.</summary>
    private protected const double SplitStep = 0.5;

    /// <summary>Takes a step's share off the variance of a feature, as far as a component has one of its own.</summary>
    private protected virtual void Narrow(Span<double> parameters, int component, int feature, double square)
    {
    }

    /// <summary>Sigma^-1, full.</summary>
    private protected double[] PrecisionOf(ReadOnlySpan<double> covariance)
    {
        int size = Dimension;
        double[] factor = new double[Packed.Length(size)], precision = new double[size * size];
        _ = SymmetricMatrix.InverseFactor(covariance, size, 0, factor);
        // M' M of the inverse factor M.
        for (int i = 0; i < size; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int row = i; row < size; row++)
                    sum = Math.FusedMultiplyAdd(factor[Packed.Index(row, i)], factor[Packed.Index(row, j)], sum);
                precision[i * size + j] = precision[j * size + i] = sum;
            }
        return precision;
    }

    /// <summary>Makes S2 about 0 a scatter about mu, or takes a component's part of it: S2 - S1 mu' - mu S1' + s mu mu'.</summary>
    private protected void AddAbout(ReadOnlySpan<double> mean, double weight, ReadOnlySpan<double> first, double[] scatter)
    {
        for (int i = 0; i < Dimension; i++)
            for (int j = 0; j < Dimension; j++)
                scatter[i * Dimension + j] -= first[i] * mean[j] + mean[i] * (first[j] - weight * mean[j]);
    }

    /// <summary>Sigma^-1 (S1 - s mu).</summary>
    private protected void MeanSlope(
        double[] precision, ReadOnlySpan<double> mean, double weight, ReadOnlySpan<double> first, Span<double> result)
    {
        result.Clear();
        for (int j = 0; j < Dimension; j++)
        {
            double off = first[j] - weight * mean[j];
            for (int i = 0; i < Dimension; i++) result[i] = Math.FusedMultiplyAdd(precision[i * Dimension + j], off, result[i]);
        }
    }

    /// <summary>Sigma^-1 (W - N Sigma) Sigma^-1 / 2, W a scatter about the mean.</summary>
    private protected void CovarianceSlope(
        double[] precision, ReadOnlySpan<double> covariance, double mass, double[] scatter, Span<double> result)
    {
        int size = Dimension;
        double[] half = new double[size * size];
        for (int at = 0; at < scatter.Length; at++) scatter[at] -= mass * covariance[at];
        Multiply(precision, scatter, half);
        Multiply(half, precision, result);
        for (int at = 0; at < half.Length; at++) result[at] *= 0.5;
    }

    /// <summary>A B, all D x D.</summary>
    private void Multiply(ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> result)
    {
        result.Clear();
        for (int i = 0; i < Dimension; i++)
            for (int n = 0; n < Dimension; n++)
            {
                double factor = a[i * Dimension + n];
                for (int j = 0; j < Dimension; j++)
                    result[i * Dimension + j] = Math.FusedMultiplyAdd(factor, b[n * Dimension + j], result[i * Dimension + j]);
            }
    }

    /// <summary>Variance of feature d under component k.</summary>
    private protected abstract double Variance(ReadOnlySpan<double> parameters, int component, int feature);

    /// <summary>Gives a component the given variances [D], as far as the family lets it have its own.</summary>
    private protected abstract void Widen(Span<double> parameters, int component, ReadOnlySpan<double> variances);
}
