using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Regression;

/// <summary>
/// y = z'w + e with w ~ N(0, I / lambda), the intercept included, and e ~ N(0, 1 / alpha). The coefficients are latent and of the whole
/// stream: their posterior is N(m, S), S = (lambda I + alpha n G)^-1 and m = alpha n S c, with G = z z', c = z y averaged and n the
/// observations the averages stand for. Parameters: <c>coefficients [S]</c> = m, <c>coefficient_covariance [S, S]</c> = S, <c>alpha [1]</c>
/// and <c>lambda [1]</c>, which is of the coefficients of standardised columns where these are. M-step, iterated to its fixed point on the
/// moments (Bishop 2006, section 9.3.4; MacKay 1992): lambda = S / (|m|^2 + tr S), alpha = n / (|y - Z m|^2 + tr(Z S Z')); or MacKay's
/// lambda = gamma / |m|^2, alpha = (n - gamma) / |y - Z m|^2, gamma = S - lambda tr S. The conjugate prior of both precisions is
/// Gamma(1 + 1e-6, 1e-6). Predictions are N(m'z, 1 / alpha + z'Sz).
/// </summary>
internal sealed class BayesianRegression : RegressionModel
{
    private const double PriorShape = 1e-6, PriorRate = 1e-6;

    private readonly VectorBlock _coefficients, _covariance, _alpha, _lambda;
    private readonly PrecisionUpdate _update;
    private readonly double _shape, _rate;
    private bool _alphaIsFixed, _lambdaIsFixed;

    /// <summary>Over the columns of a row.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="dimension">Columns: the features and the target.</param>
    /// <param name="hasIntercept">Whether there is an intercept.</param>
    /// <param name="update">How the precisions are found.</param>
    /// <param name="prior">Of the precisions.</param>
    public BayesianRegression(string type, int dimension, bool hasIntercept, PrecisionUpdate update, Prior prior)
        : base(type, dimension, hasIntercept)
    {
        _update = update;
        (_shape, _rate) = prior == Prior.Conjugate ? (PriorShape, PriorRate) : (0, 0);
        ParameterLayout = new VectorLayout()
            .Add(new VectorBlock("coefficients", 0, [Size], Coordinates.Linear) { Units = Units.Coefficients, IsOptional = true })
            .Add(new VectorBlock("coefficient_covariance", 0, [Size, Size], Coordinates.Linear)
            { Units = Units.CoefficientProduct, IsOptional = true })
            .Add(new VectorBlock("alpha", 0, [1], Coordinates.Logarithm)
            { Units = Units.InverseSquare, Domain = Domain.Positive, Features = [Inputs] })
            .Add(new VectorBlock("lambda", 0, [1], Coordinates.Logarithm) { Domain = Domain.Positive });
        (_coefficients, _covariance) = (ParameterLayout["coefficients"], ParameterLayout["coefficient_covariance"]);
        (_alpha, _lambda) = (ParameterLayout["alpha"], ParameterLayout["lambda"]);
        ScoreLayout = LinearScores(Inputs);
    }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph();
            string x = graph.Add(new GraphVariable("x", GraphRole.Observed, [])), lambda = graph.Add("lambda");
            string coefficients = graph.Add(new GraphVariable("coefficients", GraphRole.Parameter, [lambda]));
            graph.Add(new GraphVariable("y", GraphRole.Observed, [x, coefficients, graph.Add("alpha")]));
            return graph;
        }
    }

    /// <inheritdoc/>
    /// <remarks>The two precisions: the coefficients are latent.</remarks>
    public override int FreeParameters => (_alphaIsFixed ? 0 : 1) + (_lambdaIsFixed ? 0 : 1);

    /// <inheritdoc/>
    public override void Hold(BlockNames blocks)
    {
        base.Hold(blocks);
        (_alphaIsFixed, _lambdaIsFixed) = (FixedBlocks.Contains(_alpha), FixedBlocks.Contains(_lambda));
    }

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as BayesianRegressionEStep ?? new BayesianRegressionEStep(Inputs, HasIntercept);
        result.Set(_coefficients.Of(parameters.Span), _covariance.Of(parameters.Span), _alpha.Of(parameters.Span)[0]);
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        if (!HasEvidence(statistics, rows)) return;
        double n = double.IsFinite(rows.Prior) ? rows.Prior : rows.Evidence;
        EvidenceSpectrum spectrum = Spectrum(statistics, n);
        double alpha = _alpha.Of(previous)[0], lambda = _lambda.Of(previous)[0];
        spectrum.Iterate(_update, !_alphaIsFixed, !_lambdaIsFixed, _shape, _rate, ref alpha, ref lambda);
        spectrum.Posterior(alpha, lambda, _coefficients.Of(result), _covariance.Of(result));
        (_alpha.Of(result)[0], _lambda.Of(result)[0]) = (alpha, lambda);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// From S^-1 = lambda I + alpha n G, S^-1 m = alpha n c and the fixed point of alpha. Of parameters taken as exact, n is what their
    /// covariance says. Parameters that are no posterior imply unit moments.
    /// </remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> mean = _coefficients.Of(parameters), covariance = _covariance.Of(parameters);
        double alpha = _alpha.Of(parameters)[0], lambda = _lambda.Of(parameters)[0];
        int packed = Packed.Length(Size);
        double[] gram = new double[packed], products = new double[Size], own = new double[packed];
        SymmetricMatrix.Pack(covariance, Size, own);
        double square = 1 / alpha + Dot(mean, mean);
        bool isPosterior = Cholesky.Factor(own, Size, out _) < 0;
        if (isPosterior)
        {
            Span<double> column = new double[Size];
            for (int j = 0; j < Size; j++)
            {
                column.Clear();
                column[j] = 1;
                Cholesky.Solve(own, Size, column);
                for (int i = j; i < Size; i++) gram[Packed.Index(i, j)] = column[i] - (i == j ? lambda : 0);
            }
            double n = double.IsFinite(effectiveRows) ? effectiveRows : Math.Max(1, (HasIntercept ? gram[0] : Trace(gram) / Size) / alpha);
            mean.CopyTo(products);
            Cholesky.Solve(own, Size, products);
            for (int at = 0; at < packed; at++) gram[at] /= alpha * n;
            for (int i = 0; i < Size; i++) products[i] /= alpha * n;
            isPosterior = IsPositive(gram);
            double trace = 0;
            for (int i = 0; i < Size; i++)
                for (int j = 0; j < Size; j++)
                    trace = Math.FusedMultiplyAdd(gram[Packed.Index(Math.Max(i, j), Math.Min(i, j))], covariance[i * Size + j], trace);
            double residuals = (n + 2 * _shape) / alpha - 2 * _rate;
            square = residuals / n + 2 * Dot(mean, products) - Form(gram, mean, mean) - trace;
        }
        if (!isPosterior)
        {
            Array.Clear(gram);
            for (int i = 0; i < Size; i++) gram[Packed.Index(i, i)] = 1;
            mean.CopyTo(products);
            square = 1 / alpha + Dot(mean, mean);
        }
        SetMoments(gram, products, square, result);
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        for (int i = 0; i < Size; i++) _covariance.Of(result)[i * (Size + 1)] = 1;
        _alpha.Of(result)[0] = _lambda.Of(result)[0] = 1;
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        base.FromUserUnits(parameters, space, result);
        CoefficientSpread.Restore(_covariance.Of(result), Size);
    }

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts) =>
        facts["noise_variance"] = 1 / _alpha.Of(parameters)[0];

    /// <summary>The moments along the axes in which they are apart.</summary>
    internal EvidenceSpectrum Spectrum(ReadOnlySpan<double> statistics, double rows)
    {
        double[] gram = new double[Packed.Length(Size)], products = new double[Size];
        double square = Moments(statistics, gram, products);
        return new EvidenceSpectrum(gram, products, square, rows);
    }

    private double Trace(double[] packed)
    {
        double sum = 0;
        for (int i = 0; i < Size; i++) sum += packed[Packed.Index(i, i)];
        return sum;
    }

    /// <summary>Whether moments can be, but for rounding.</summary>
    private bool IsPositive(double[] gram)
    {
        double[] raised = [.. gram];
        double floor = 1e-9 * Math.Abs(Trace(gram));
        for (int i = 0; i < Size; i++) raised[Packed.Index(i, i)] += floor;
        return Cholesky.Factor(raised, Size, out _) < 0;
    }
}
