using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Gaussian components that share one covariance matrix. Parameters: <c>means [K, D]</c>, <c>covariances [D, D]</c>. Statistics (averages):
/// <c>first_moments [K, D]</c> = r x, <c>second_moments [P(D)]</c> = x x' over all rows. M-step: mu = S1 / N,
/// Sigma = (S2 - sum_k N_k mu_k mu_k') / sum N + reg_covar (McLachlan &amp; Peel 2000, section 3.9).
/// </summary>
internal sealed class TiedGaussian : Gaussian
{
    private readonly VectorBlock _first, _second;

    /// <summary>K components over D features.</summary>
    public TiedGaussian(int components, int dimension, CovarianceRegularization regularization)
        : base(
            components, dimension, regularization,
            new VectorLayout().Add("covariances", Units.Product, Domain.PositiveDefinite, dimension, dimension),
            new VectorLayout().Add("first_moments", components, dimension).Add("second_moments", Packed.Length(dimension))) =>
        (_first, _second) = (StatisticsLayout["first_moments"], StatisticsLayout["second_moments"]);

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as FullGaussianEStep ?? new FullGaussianEStep(Components, Dimension, tied: true);
        result.Set(Means.Of(parameters), Covariances.Of(parameters));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        ReadOnlySpan<double> first = _first.Of(statistics);
        Span<double> means = Means.Of(result), covariance = Covariances.Of(result);
        double total = 0;
        for (int k = 0; k < Components; k++)
        {
            total += masses[k];
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events)) continue;
            for (int d = 0; d < Dimension && !MeansAreFixed; d++) means[k * Dimension + d] = first[k * Dimension + d] / masses[k];
        }
        if (!(total * rows.Evidence >= ComponentEvidence.OneRow)) return;
        for (int i = 0, at = 0; i < Dimension; i++)
            for (int j = 0; j <= i; j++, at++)
            {
                double value = _second.Of(statistics)[at];
                for (int k = 0; k < Components; k++) value -= WithinCorrection(masses[k], means, first, k, i, j);
                if (i == j) value += Regularization.PriorSquares[i] / rows.Prior;
                value /= total + Regularization.PriorRows / rows.Prior;
                if (i == j) value += Regularization.Ridge[i];
                covariance[i * Dimension + j] = covariance[j * Dimension + i] = value;
            }
        int packed = Packed.Length(Dimension);
        Span<double> scratch = packed <= 512 ? stackalloc double[packed] : new double[packed];
        if (SymmetricMatrix.EnsurePositiveDefinite(covariance, Dimension, Regularization.Floor, scratch) is { } smallest)
            events.Add(ModelEventKind.CovarianceFloored, -1, smallest);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> means = Means.Of(parameters), covariance = Covariances.Of(parameters);
        Span<double> first = _first.Of(result), second = _second.Of(result);
        double total = 0;
        for (int k = 0; k < Components; k++)
        {
            total += masses[k];
            for (int d = 0; d < Dimension; d++) first[k * Dimension + d] = masses[k] * means[k * Dimension + d];
        }
        for (int i = 0, at = 0; i < Dimension; i++)
            for (int j = 0; j <= i; j++, at++)
            {
                double value = (total + Regularization.PriorRows / effectiveRows)
                    * (covariance[i * Dimension + j] - (i == j ? Regularization.Ridge[i] : 0));
                if (i == j) value -= Regularization.PriorSquares[i] / effectiveRows;
                for (int k = 0; k < Components; k++)
                    value = Math.FusedMultiplyAdd(masses[k] * means[k * Dimension + i], means[k * Dimension + j], value);
                second[at] = value;
            }
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    /// <remarks>As of covariances of their own, the scatter of all components together.</remarks>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        ReadOnlySpan<double> means = Means.Of(parameters), first = _first.Of(statistics);
        double[] precision = PrecisionOf(Covariances.Of(parameters)), scatter = new double[Dimension * Dimension];
        double total = 0;
        SymmetricMatrix.Unpack(_second.Of(statistics), Dimension, scatter);
        for (int k = 0; k < Components; k++)
        {
            total += masses[k];
            ReadOnlySpan<double> mean = means.Slice(k * Dimension, Dimension), sums = first.Slice(k * Dimension, Dimension);
            AddAbout(mean, masses[k], sums, scatter);
            MeanSlope(precision, mean, masses[k], sums, Means.Of(result).Slice(k * Dimension, Dimension));
        }
        CovarianceSlope(precision, Covariances.Of(parameters), total, scatter, Covariances.Of(result));
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        for (int d = 0; d < Dimension; d++) Covariances.Of(result)[d * Dimension + d] = 1;
    }

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        Means.Of(parameters).Slice(component * Dimension, Dimension).CopyTo(row);
        draws.AddNormals(this, 0, Covariances.Of(parameters), 1, row);
    }

    /// <inheritdoc/>
    public override double Divergence(ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached) =>
        other is TiedGaussian family
            ? DivergenceOf(from.Slice(component * Dimension, Dimension), Covariances.Of(from), to.Slice(reached * Dimension, Dimension),
                family.Covariances.Of(to))
            : double.NaN;

    /// <inheritdoc/>
    public override void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        Means.Of(parameters).Slice(component * Dimension, Dimension).CopyTo(mean);
        Covariances.Of(parameters).CopyTo(covariance);
    }

    /// <inheritdoc/>
    private protected override double Variance(ReadOnlySpan<double> parameters, int component, int feature) =>
        Covariances.Of(parameters)[feature * (Dimension + 1)];

    /// <inheritdoc/>
    public override double Covariance(ReadOnlySpan<double> parameters, int component, int feature, int other) =>
        Covariances.Of(parameters)[feature * Dimension + other];

    /// <inheritdoc/>
    /// <remarks>The shared covariance stays: it is learned from the other components.</remarks>
    private protected override void Widen(Span<double> parameters, int component, ReadOnlySpan<double> variances)
    {
    }

    /// <summary>
    /// What component k takes off S2[i, j]: N mu mu' at the maximiser; S1 mu' + mu S1' - N mu mu' where the mean was kept, so that the
    /// covariance is about the mean in force.
    /// </summary>
    private double WithinCorrection(double mass, ReadOnlySpan<double> means, ReadOnlySpan<double> first, int k, int i, int j)
    {
        double meanI = means[k * Dimension + i], meanJ = means[k * Dimension + j];
        return first[k * Dimension + i] * meanJ + meanI * (first[k * Dimension + j] - mass * meanJ);
    }
}
