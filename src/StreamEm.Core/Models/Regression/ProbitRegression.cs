using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Regression;

/// <summary>
/// P(y = 1 given x) = Phi(z'w): y says whether a latent t ~ N(z'w, 1) is above 0 (Albert &amp; Chib 1993). Parameters: <c>coefficients
/// [S]</c> and, of the model a user has, <c>coefficient_covariance [S, S]</c>, which follows from the others. E-step, m = z'w, s = 1 where
/// y = 1, else -1: E[t] = m + s phi(m) / Phi(s m). Statistics beside those of every regression, t being the response: <c>information
/// [P(D + 1)]</c>, the observed information of a row, h (h + s m) [1, x] [1, x]', h = phi(m) / Phi(s m). M-step: w = (G + tau / n I)^-1 c
/// with the normal prior N(0, I / tau); the covariance is (n I(w) + tau I)^-1. Predictions are P(y = 1) = Phi(m / sqrt(1 + z'Sz)), the
/// coefficients' uncertainty averaged over, the variance phi(m)^2 z'Sz that it gives Phi(m), and the interval in which Phi(m) is with 95 %
/// probability.
/// </summary>
internal sealed class ProbitRegression : RegressionModel
{
    private readonly VectorBlock _coefficients;
    private readonly VectorBlock? _covariance;
    /// <summary>The information of a row at w = 0: 2 / pi.</summary>
    private const double FullInformation = 0.6366197723675814;

    private readonly double _precision;

    /// <summary>Over the columns of a row.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="dimension">Columns: the features and the target.</param>
    /// <param name="hasIntercept">Whether there is an intercept.</param>
    /// <param name="precision">tau; 0 for no prior.</param>
    /// <param name="hasCovariance">Whether it says how sure it is.</param>
    public ProbitRegression(string type, int dimension, bool hasIntercept, double precision, bool hasCovariance)
        : base(type, dimension, hasIntercept)
    {
        _precision = precision;
        ParameterLayout = new VectorLayout().Add("coefficients", Units.Logits, Domain.Real, Size);
        ScoreLayout = new VectorLayout().Add("prediction", Units.None, Domain.Probability, 1);
        _coefficients = ParameterLayout["coefficients"];
        if (!hasCovariance) return;
        ParameterLayout.Add(new VectorBlock("coefficient_covariance", 0, [Size, Size], Coordinates.Linear)
        { Units = Units.CoefficientProduct, IsOptional = true });
        StatisticsLayout.Add("information", Packed.Length(dimension));
        ScoreLayout.Add("prediction_variance", Units.None, Domain.Positive, 1)
            .Add("prediction_interval", Units.None, Domain.Probability, 2);
        _covariance = ParameterLayout["coefficient_covariance"];
    }

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph();
            string x = graph.Add(new GraphVariable("x", GraphRole.Observed, []));
            string t = graph.Add(new GraphVariable("t", GraphRole.Latent, [x, graph.Add("coefficients")]));
            graph.Add(new GraphVariable("y", GraphRole.Observed, [t]));
            return graph;
        }
    }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    private VectorBlock Information => StatisticsLayout["information"];

    /// <inheritdoc/>
    public override int FreeParameters => FixedBlocks.Contains(_coefficients) ? 0 : Size;

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as ProbitRegressionEStep ?? new ProbitRegressionEStep(Inputs, HasIntercept, _covariance is not null);
        result.Set(_coefficients.Of(parameters.Span), _covariance is null ? default : _covariance.Of(parameters.Span));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        if (!HasEvidence(statistics, rows)) return;
        double[] gram = new double[Packed.Length(Size)];
        Span<double> w = _coefficients.Of(result);
        _ = Moments(statistics, gram, w);
        if (!TryFactor(gram, 1, _precision / rows.Prior))
        {
            // Fewer different rows than coefficients, and no prior: any of many would do.
            events.Add(ModelEventKind.NoEvidence, -1, rows.Evidence);
            previous.CopyTo(result);
            return;
        }
        Cholesky.Solve(gram, Size, w);
        if (_covariance is not null) SetCovariance(statistics, rows, gram, _covariance.Of(result));
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    /// <remarks>c - G w.</remarks>
    public override void Gradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result)
    {
        double[] gram = new double[Packed.Length(Size)];
        Span<double> slopes = _coefficients.Of(result);
        ReadOnlySpan<double> w = _coefficients.Of(parameters);
        _ = Moments(averages, gram, slopes);
        for (int i = 0; i < Size; i++)
            for (int j = 0; j < Size; j++) slopes[i] -= gram[Packed.Index(Math.Max(i, j), Math.Min(i, j))] * w[j];
    }

    /// <inheritdoc/>
    /// <remarks>Maximum likelihood is flat where the two responses hardly overlap.</remarks>
    public override bool IsFlat => true;

    /// <inheritdoc/>
    /// <remarks>Uncorrelated columns of unit mean square.</remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> w = _coefficients.Of(parameters);
        double[] gram = new double[Packed.Length(Size)], products = w.ToArray();
        for (int i = 0; i < Size; i++)
        {
            gram[Packed.Index(i, i)] = 1;
            products[i] *= 1 + _precision / effectiveRows;
        }
        SetMoments(gram, products, 1 + Dot(w, w), result);
        if (_covariance is null) return;
        double[] factor = new double[gram.Length], column = new double[Size];
        SymmetricMatrix.Pack(_covariance.Of(parameters), Size, factor);
        bool isKnown = double.IsFinite(effectiveRows) && Cholesky.Factor(factor, Size, out _) < 0;
        for (int j = 0; j < Size; j++)
        {
            Array.Clear(column);
            column[j] = 1;
            if (isKnown) Cholesky.Solve(factor, Size, column);
            for (int i = j; i < Size; i++)
                gram[Packed.Index(i, j)] = isKnown
                    ? (column[i] - (i == j ? _precision : 0)) / effectiveRows
                    : column[i] * FullInformation;
        }
        SetTriangle(gram, Information.Of(result));
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        for (int i = 0; i < Size && _covariance is not null; i++) _covariance.Of(result)[i * (Size + 1)] = 1;
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        base.FromUserUnits(parameters, space, result);
        if (_covariance is not null) CoefficientSpread.Restore(_covariance.Of(result), Size);
    }

    /// <inheritdoc/>
    /// <remarks>A covariance of coefficients is none of features.</remarks>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
    }

    /// <summary>(n I(w) + tau I)^-1; kept where a direction has no information yet.</summary>
    private void SetCovariance(ReadOnlySpan<double> statistics, RowsWorth rows, double[] information, Span<double> covariance)
    {
        GetTriangle(Information.Of(statistics), information);
        if (!TryFactor(information, double.IsFinite(rows.Prior) ? rows.Prior : rows.Evidence, _precision)) return;
        Span<double> column = new double[Size];
        for (int j = 0; j < Size; j++)
        {
            column.Clear();
            column[j] = 1;
            Cholesky.Solve(information, Size, column);
            for (int i = j; i < Size; i++) covariance[i * Size + j] = covariance[j * Size + i] = column[i];
        }
    }

    /// <summary>Overwrites a packed matrix A by the factor of times A + added I; false where that is not positive definite.</summary>
    private bool TryFactor(double[] packed, double times, double added)
    {
        for (int i = 0, at = 0; i < Size; i++)
            for (int j = 0; j <= i; j++, at++) packed[at] = times * packed[at] + (i == j ? added : 0);
        return Cholesky.Factor(packed, Size, out _) < 0;
    }
}
