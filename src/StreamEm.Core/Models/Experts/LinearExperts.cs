using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Experts;

/// <summary>What keeps experts from shrinking onto a few rows.</summary>
/// <param name="TargetVariance">The variance of the target.</param>
/// <param name="Ridge">Added to every noise variance.</param>
/// <param name="Least">The least noise variance.</param>
/// <param name="PriorRows">Imaginary rows of every expert, each off by <paramref name="PriorSquare"/>, and the precision that pulls
/// coefficients to 0, in rows; 0 without a prior.</param>
/// <param name="PriorSquare">Squared residual of an imaginary row.</param>
internal sealed record ExpertRegularization(
    double TargetVariance, double Ridge = 0, double Least = 0, double PriorRows = 0, double PriorSquare = 0)
{
    /// <summary>Precision of the coefficients' prior per imaginary row: N(0, sigma^2 / (1e-3 rows)).</summary>
    public const double Pull = 1e-3;

    /// <summary>Below this part of the target's variance a noise variance is rounding.</summary>
    public const double RelativeFloor = 1e-12;
}

/// <summary>
/// K experts y = w_k [1, x] + e, e ~ N(0, sigma_k^2), y the last column. Parameters: <c>coefficients [K, D + 1]</c>, <c>variances
/// [K]</c>. Statistics (averages, weighted by responsibilities): <c>moments [K, P(D + 2)]</c> of (1, x, y). M-step: w = G^-1 c, sigma^2 =
/// (y^2 - w c) / N with G = [1, x] [1, x]', c = [1, x] y (Jordan &amp; Jacobs 1994, section 4).
/// </summary>
internal sealed class LinearExperts : Emission
{
    private readonly VectorBlock _coefficients, _variances;
    private readonly ExpertRegularization _regularization;

    /// <summary>K experts over the columns of a row.</summary>
    public LinearExperts(int components, int dimension, ExpertRegularization regularization)
    {
        (Components, Dimension, _regularization) = (components, dimension, regularization);
        ParameterLayout = new VectorLayout().Append(Layout(components, dimension));
        StatisticsLayout = new VectorLayout().Add("moments", components, Packed.Length(dimension + 1));
        ScoreLayout = PredictionLayout(components, dimension - 1);
        (_coefficients, _variances) = (ParameterLayout["coefficients"], ParameterLayout["variances"]);
    }

    /// <inheritdoc/>
    public override int Dimension { get; }

    /// <inheritdoc/>
    public override int Components { get; }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <summary>The blocks of K linear experts.</summary>
    public static VectorLayout Layout(int components, int dimension) => new VectorLayout()
        .Add("coefficients", Units.Coefficients, Domain.Real, components, dimension)
        .Add(new VectorBlock("variances", 0, [components], Coordinates.Linear)
        { Units = Units.Square, Domain = Domain.Positive, Features = [dimension - 1] });

    /// <summary>What is said of a target that is a mixture of normals.</summary>
    public static VectorLayout PredictionLayout(int components, int target)
    {
        VectorBlock Block(string name, int length, Units units) =>
            new(name, 0, [length], Coordinates.Linear) { Units = units, Features = [target] };
        return new VectorLayout().Add(Block("prediction", 1, Units.Value)).Add(Block("prediction_variance", 1, Units.Square))
            .Add(Block("prediction_quantiles", NormalMixture.Levels.Length, Units.Value))
            .Add(Block("prediction_modes", components, Units.Value));
    }

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as LinearExpertsEStep ?? new LinearExpertsEStep(Components, Dimension);
        result.Set(_coefficients.Of(parameters.Span), _variances.Of(parameters.Span));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        int size = Dimension, packed = Packed.Length(size);
        double imaginary = _regularization.PriorRows / rows.Prior;
        double[] factor = new double[packed];
        for (int k = 0; k < Components; k++)
        {
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events)) continue;
            ReadOnlySpan<double> moments = statistics.Slice(k * Packed.Length(size + 1), Packed.Length(size + 1));
            ReadOnlySpan<double> products = moments.Slice(packed, size);
            moments[..packed].CopyTo(factor);
            for (int i = 0; i < size; i++) factor[Packed.Index(i, i)] += ExpertRegularization.Pull * imaginary;
            Cholesky.FactorRaised(factor, size);
            Span<double> w = _coefficients.Of(result).Slice(k * size, size);
            products.CopyTo(w);
            Cholesky.Solve(factor, size, w);
            double residual = moments[^1];
            for (int i = 0; i < size; i++) residual = Math.FusedMultiplyAdd(-w[i], products[i], residual);
            double variance = (residual + imaginary * _regularization.PriorSquare) / (masses[k] + imaginary) + _regularization.Ridge;
            double floor = Math.Max(_regularization.Least, ExpertRegularization.RelativeFloor * _regularization.TargetVariance);
            if (!(variance >= floor))
            {
                // A least variance that was asked for is no degenerate case.
                if (_regularization.Least == 0) events.Add(ModelEventKind.CovarianceFloored, k, variance);
                variance = floor;
            }
            _variances.Of(result)[k] = variance;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Uncorrelated columns of unit mean square.</remarks>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        int size = Dimension, length = Packed.Length(size + 1);
        double imaginary = _regularization.PriorRows / effectiveRows;
        for (int k = 0; k < Components; k++)
        {
            double mass = masses[k], variance = _variances.Of(parameters)[k] - _regularization.Ridge;
            ReadOnlySpan<double> w = _coefficients.Of(parameters).Slice(k * size, size);
            Span<double> moments = result.Slice(k * length, length);
            moments.Fill(0 * mass);
            double square = variance * (mass + imaginary) - imaginary * _regularization.PriorSquare;
            for (int i = 0; i < size; i++)
            {
                moments[Packed.Index(i, i)] = mass;
                double product = (mass + ExpertRegularization.Pull * imaginary) * w[i];
                moments[Packed.Length(size) + i] = product;
                square = Math.FusedMultiplyAdd(w[i], product, square);
            }
            moments[^1] = square;
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        _coefficients.Of(result).Clear();
        _variances.Of(result).Fill(_regularization.TargetVariance);
    }

    /// <inheritdoc/>
    /// <remarks>A level line through the target there.</remarks>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        Span<double> w = _coefficients.Of(parameters).Slice(component * Dimension, Dimension);
        w.Clear();
        if (!double.IsNaN(location[^1])) w[0] = location[^1];
        _variances.Of(parameters)[component] = variances[^1];
    }

    /// <inheritdoc/>
    /// <remarks>Half a standard deviation up and down.</remarks>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        const double step = 0.5;
        double move = step * Math.Sqrt(_variances.Of(parameters)[component]);
        _coefficients.Of(parameters)[component * Dimension] -= move;
        _coefficients.Of(parameters)[other * Dimension] += move;
        foreach (int k in (ReadOnlySpan<int>)[component, other]) _variances.Of(parameters)[k] *= 1 - step * step;
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The features are conditioned on, not drawn.</exception>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row) =>
        throw new NotSupportedException("Experts predict a target; the features it is predicted from cannot be drawn.");

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
        double least = double.PositiveInfinity;
        foreach (double variance in _variances.Of(parameters)) least = Math.Min(least, variance);
        facts["min_noise_variance"] = least;
    }
}
