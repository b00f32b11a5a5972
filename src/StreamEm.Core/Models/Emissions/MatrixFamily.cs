using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>What families with a matrix for each component share: K x D x D, and how a component is moved, widened and split.</summary>
internal abstract class MatrixFamily : Gaussian
{
    /// <summary>K components over D features.</summary>
    /// <param name="components">K.</param>
    /// <param name="dimension">D.</param>
    /// <param name="regularization">Ridge and floor.</param>
    /// <param name="matrices">The name of the block of matrices.</param>
    /// <param name="others">Blocks after it.</param>
    /// <param name="statistics">The family's statistics.</param>
    private protected MatrixFamily(
        int components, int dimension, CovarianceRegularization regularization, string matrices, VectorLayout others,
        VectorLayout statistics)
        : base(components, dimension, regularization,
            new VectorLayout().Add(matrices, Units.Product, Domain.PositiveDefinite, components, dimension, dimension).Append(others),
            statistics, matrices)
    {
    }

    /// <inheritdoc/>
    /// <remarks>Along the first principal axis in the units given, whose eigenvalue there becomes three quarters of what it was.</remarks>
    public sealed override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        int size = Dimension * Dimension;
        double[] scaled = Covariances.Of(parameters).Slice(component * size, size).ToArray();
        SymmetricMatrix.Scale(scaled, units, inverse: true);
        double[] axis = SymmetricMatrix.LongestAxis(scaled, Dimension);
        for (int d = 0; d < Dimension; d++) axis[d] *= units[d];
        for (int i = 0; i < Dimension; i++)
        {
            Means.Of(parameters)[component * Dimension + i] -= SplitStep * axis[i];
            Means.Of(parameters)[other * Dimension + i] += SplitStep * axis[i];
            for (int j = 0; j < Dimension; j++)
                foreach (int k in (ReadOnlySpan<int>)[component, other])
                    Covariances.Of(parameters)[k * size + i * Dimension + j] -= SplitStep * SplitStep * axis[i] * axis[j];
        }
    }

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row) =>
        SampleAbout(parameters, component, MatrixOf(parameters, component), 1, draws, row);

    /// <inheritdoc/>
    public override double Divergence(ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached) =>
        other is MatrixFamily family && other.GetType() == GetType()
            ? DivergenceOf(from.Slice(component * Dimension, Dimension), MatrixOf(from, component),
                to.Slice(reached * Dimension, Dimension), family.MatrixOf(to, reached))
            : double.NaN;

    /// <inheritdoc/>
    public override void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        Means.Of(parameters).Slice(component * Dimension, Dimension).CopyTo(mean);
        MatrixOf(parameters, component).CopyTo(covariance);
    }

    /// <summary>A component's matrix.</summary>
    private protected ReadOnlySpan<double> MatrixOf(ReadOnlySpan<double> parameters, int component) =>
        Covariances.Of(parameters).Slice(component * Dimension * Dimension, Dimension * Dimension);

    /// <summary>
    /// A component's mean S1 / s and its matrix (S2 - S1 S1' / s + S_0 / n) / (N + t / n) + ridge, kept positive definite; s is the sum of
    /// the weights of S1, S_0 and t the prior's. Where the mean stays what it is, the matrix is about it.
    /// </summary>
    /// <param name="component">k.</param>
    /// <param name="weight">s.</param>
    /// <param name="first">S1 [D].</param>
    /// <param name="second">S2 [P(D)].</param>
    /// <param name="mass">N.</param>
    /// <param name="rows">Observations the parameters stand for, against which a prior weighs.</param>
    /// <param name="result">The parameters; written to.</param>
    /// <param name="events">Told of a floor.</param>
    private protected void SetMoments(
        int component, double weight, ReadOnlySpan<double> first, ReadOnlySpan<double> second, double mass, double rows,
        Span<double> result, ModelEvents events)
    {
        int matrix = Dimension * Dimension, packed = Packed.Length(Dimension);
        Span<double> scratch = packed <= 512 ? stackalloc double[packed] : new double[packed];
        Span<double> mean = Means.Of(result).Slice(component * Dimension, Dimension);
        Span<double> covariance = Covariances.Of(result).Slice(component * matrix, matrix);
        double inverse = 1 / (mass + Regularization.PriorRows / rows);
        if (MeansAreFixed)
        {
            ScatterAbout(mean, weight, first, second, inverse, covariance);
        }
        else
        {
            for (int d = 0; d < Dimension; d++) mean[d] = first[d] / weight;
            Scatter(second, inverse, weight * inverse, mean, covariance);
        }
        for (int i = 0; i < Dimension; i++)
        {
            covariance[i * Dimension + i] += Regularization.Ridge[i] + Regularization.PriorSquares[i] / rows * inverse;
            for (int j = i + 1; j < Dimension; j++) covariance[i * Dimension + j] = covariance[j * Dimension + i];
        }
        if (SymmetricMatrix.EnsurePositiveDefinite(covariance, Dimension, Regularization.Floor, scratch) is { } smallest)
            events.Add(ModelEventKind.CovarianceFloored, component, smallest);
    }

    /// <summary>The lower triangle of S2 v - w mu mu', along rows.</summary>
    private void Scatter(
        ReadOnlySpan<double> second, double inverse, double weight, ReadOnlySpan<double> mean, Span<double> covariance)
    {
        for (int i = 0, at = 0; i < Dimension; at += ++i)
        {
            double meanI = weight * mean[i];
            ReadOnlySpan<double> sums = second.Slice(at, i + 1);
            Span<double> row = covariance.Slice(i * Dimension, i + 1);
            for (int j = 0; j < row.Length; j++) row[j] = sums[j] * inverse - meanI * mean[j];
        }
    }

    /// <summary>The lower triangle of (S2 - S1 mu' - mu S1' + s mu mu') v: about a mean that is not S1 / s.</summary>
    private void ScatterAbout(
        ReadOnlySpan<double> mean, double weight, ReadOnlySpan<double> first, ReadOnlySpan<double> second, double inverse,
        Span<double> covariance)
    {
        for (int i = 0, at = 0; i < Dimension; i++)
            for (int j = 0; j <= i; j++, at++)
                covariance[i * Dimension + j] =
                    (second[at] - first[i] * mean[j] - mean[i] * (first[j] - weight * mean[j])) * inverse;
    }

    /// <summary>The gradient by a component's mean and matrix, from the sums that <see cref="SetMoments"/> takes.</summary>
    private protected void MomentSlopes(
        int component, double weight, ReadOnlySpan<double> first, ReadOnlySpan<double> second, double mass,
        ReadOnlySpan<double> parameters, Span<double> result)
    {
        ReadOnlySpan<double> mean = Means.Of(parameters).Slice(component * Dimension, Dimension), matrix = MatrixOf(parameters, component);
        double[] precision = PrecisionOf(matrix), scatter = new double[Dimension * Dimension];
        SymmetricMatrix.Unpack(second, Dimension, scatter);
        AddAbout(mean, weight, first, scatter);
        MeanSlope(precision, mean, weight, first, Means.Of(result).Slice(component * Dimension, Dimension));
        CovarianceSlope(precision, matrix, mass, scatter,
            Covariances.Of(result).Slice(component * Dimension * Dimension, Dimension * Dimension));
    }

    /// <summary>S1 = N mu and S2 = (N + t / n) (Sigma - ridge) - S_0 / n + N mu mu' of every component.</summary>
    private protected void ImplyMoments(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double rows, Span<double> first, Span<double> second)
    {
        ReadOnlySpan<double> means = Means.Of(parameters), covariances = Covariances.Of(parameters);
        for (int k = 0, at = 0; k < Components; k++)
        {
            for (int i = 0; i < Dimension; i++)
            {
                double mean = means[k * Dimension + i];
                first[k * Dimension + i] = masses[k] * mean;
                for (int j = 0; j <= i; j++)
                {
                    double covariance = covariances[(k * Dimension + i) * Dimension + j] - (i == j ? Regularization.Ridge[i] : 0);
                    double prior = Regularization.PriorRows / rows * covariance
                        - (i == j ? Regularization.PriorSquares[i] / rows : 0);
                    second[at++] = masses[k] * Math.FusedMultiplyAdd(mean, means[k * Dimension + j], covariance) + prior;
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        Span<double> covariances = Covariances.Of(result);
        for (int k = 0; k < Components; k++)
            for (int d = 0; d < Dimension; d++) covariances[(k * Dimension + d) * Dimension + d] = 1;
    }

    /// <inheritdoc/>
    private protected sealed override double Variance(ReadOnlySpan<double> parameters, int component, int feature) =>
        Covariances.Of(parameters)[(component * Dimension + feature) * Dimension + feature];

    /// <inheritdoc/>
    public override double Covariance(ReadOnlySpan<double> parameters, int component, int feature, int other) =>
        Covariances.Of(parameters)[(component * Dimension + feature) * Dimension + other];

    /// <inheritdoc/>
    private protected sealed override void Widen(Span<double> parameters, int component, ReadOnlySpan<double> variances)
    {
        Span<double> covariance = Covariances.Of(parameters).Slice(component * Dimension * Dimension, Dimension * Dimension);
        covariance.Clear();
        for (int d = 0; d < Dimension; d++) covariance[d * Dimension + d] = variances[d];
    }
}
