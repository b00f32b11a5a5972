using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Regression;

/// <summary>
/// y = z'w + e, e ~ N(0, sigma^2), each coefficient but the intercept with a prior that is a normal of a variance tau_j^2 of its own.
/// Parameters: <c>coefficients [S]</c>, <c>noise_variance [1]</c>. tau is latent and of the whole stream; the M-step iterates EM on the
/// data moments to its fixed point (<see cref="SparseCoefficients"/>), and sigma^2 = |y - Z w|^2 / n with it. With the Laplace prior that
/// is the LASSO of penalty gamma sigma^2 |w|_1 against |y - Z w|^2 / 2 (Figueiredo 2003; Tibshirani 1996).
/// </summary>
internal sealed class SparseRegression : RegressionModel
{
    private const int MaxIterations = 200;

    /// <summary>The least noise variance, in units of the target's mean square.</summary>
    private const double LeastNoise = 1e-12;

    private readonly VectorBlock _coefficients, _noise;
    private readonly SparsePrior _prior;
    private readonly double _penalty;
    private bool _coefficientsAreFixed, _noiseIsFixed;

    /// <summary>Over the columns of a row.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="dimension">Columns: the features and the target.</param>
    /// <param name="hasIntercept">Whether there is an intercept.</param>
    /// <param name="prior">Of the coefficients.</param>
    /// <param name="penalty">gamma.</param>
    public SparseRegression(string type, int dimension, bool hasIntercept, SparsePrior prior, double penalty)
        : base(type, dimension, hasIntercept)
    {
        (_prior, _penalty) = (prior, penalty);
        ParameterLayout = new VectorLayout().Add("coefficients", Units.Coefficients, Domain.Real, Size)
            .Add(new VectorBlock("noise_variance", 0, [1], Coordinates.Linear)
            { Units = Units.Square, Domain = Domain.Positive, Features = [Inputs] });
        (_coefficients, _noise) = (ParameterLayout["coefficients"], ParameterLayout["noise_variance"]);
        ScoreLayout = LinearScores(Inputs);
    }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override void Hold(BlockNames blocks)
    {
        base.Hold(blocks);
        (_coefficientsAreFixed, _noiseIsFixed) = (FixedBlocks.Contains(_coefficients), FixedBlocks.Contains(_noise));
    }

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as PlainRegressionEStep ?? new PlainRegressionEStep(Inputs, HasIntercept);
        result.Set(_coefficients.Of(parameters.Span), _noise.Of(parameters.Span)[0]);
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        if (!HasEvidence(statistics, rows)) return;
        SparseCoefficients inner = Inner(statistics, rows.Prior, out double square);
        Span<double> w = _coefficients.Of(result);
        ref double noise = ref _noise.Of(result)[0];
        for (int iteration = 0; iteration < MaxIterations; iteration++)
        {
            if (!_coefficientsAreFixed) inner.Solve(noise, w);
            double before = noise;
            if (!_noiseIsFixed) noise = Math.Max(inner.Residual(square, w), LeastNoise * Math.Max(square, double.Epsilon / LeastNoise));
            if (!(Math.Abs(noise - before) > 1e-12 * noise)) break;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Uncorrelated columns of unit mean square: z y = w + sigma^2 E[1 / tau^2] w / n.</remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> w = _coefficients.Of(parameters);
        double noise = _noise.Of(parameters)[0];
        double[] gram = new double[Packed.Length(Size)], products = w.ToArray();
        for (int i = 0; i < Size; i++)
        {
            gram[Packed.Index(i, i)] = 1;
            bool isPenalized = _prior != SparsePrior.None && i >= (HasIntercept ? 1 : 0);
            if (isPenalized && w[i] != 0) products[i] += noise / effectiveRows * ScaleMixture.Precision(_prior, _penalty, w[i]) * w[i];
        }
        SetMoments(gram, products, noise + 2 * Dot(w, products) - Dot(w, w), result);
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        _coefficients.Of(result).Clear();
        _noise.Of(result)[0] = 1;
    }

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
        int selected = 0;
        foreach (double w in _coefficients.Of(parameters)[(HasIntercept ? 1 : 0)..])
            if (w != 0) selected++;
        facts["selected_features"] = selected;
        facts["noise_variance"] = _noise.Of(parameters)[0];
    }

    /// <summary>What iterates over the coefficients.</summary>
    internal SparseCoefficients Inner(ReadOnlySpan<double> statistics, double rows, out double square)
    {
        double[] gram = new double[Packed.Length(Size)], products = new double[Size];
        square = Moments(statistics, gram, products);
        return new SparseCoefficients(gram, products, rows, HasIntercept, _prior, _penalty);
    }
}
