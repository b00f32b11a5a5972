using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Variational;

/// <summary>
/// A mixture of Gaussians by variational Bayes (Bishop 2006, section 10.2; on a stream, Hoffman et al. 2013): q(weights) =
/// Dirichlet(alpha), q(mu_k, Lambda_k) = N(mu_k; m_k, (beta_k Lambda_k)^-1) Wishart(Lambda_k; nu_k, W_k). Parameters: <c>weights [K]</c> =
/// E[weights], <c>weight_concentration [K]</c> = alpha, <c>mean_precision [K]</c> = beta, <c>degrees_of_freedom [K]</c> = nu,
/// <c>weights_std [K]</c> and <c>means_std [K, D]</c>, standard deviations of the posteriors, <c>means [K, D]</c> = m, <c>covariances
/// [K, D, D]</c> = (nu W)^-1. Statistics: those of a mixture of full Gaussians. E-step: log r = E[log weights] + E[log N(x; mu, Lambda^-1)]
/// + constant; a missing value is latent too, given the others and the component. M-step with n records (n_eff): alpha = alpha_0 + n N,
/// beta = beta_0 + n N, nu = nu_0 + n N, m = (beta_0 m_0 + n S1) / beta, (nu W)^-1 = (S_0 + n S2 + beta_0 m_0 m_0' - beta m m') / nu.
/// </summary>
internal sealed class VariationalGaussianMixture : EmissionModel
{
    /// <summary>Records that parameters stand for which are taken as exact.</summary>
    private const double Exact = 1e6;

    private readonly VariationalPrior _prior;
    private readonly VectorBlock _concentration, _precision, _degrees, _weightsStd, _meansStd, _means, _covariances, _first, _second;

    /// <summary>At most K components.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="components">K.</param>
    /// <param name="prior">The prior.</param>
    public VariationalGaussianMixture(string type, int components, VariationalPrior prior)
        : base(
            type,
            new FullGaussian(components, prior.Dimension, new CovarianceRegularization(new double[prior.Dimension], Floor(prior))),
            Own(components, prior.Dimension),
            new VectorLayout().Add("masses", components))
    {
        _prior = prior;
        ScoreLayout = new VectorLayout().Add(MembershipBlock, Units.None, Domain.Simplex, components);
        (_concentration, _precision, _degrees) =
            (ParameterLayout["weight_concentration"], ParameterLayout["mean_precision"], ParameterLayout["degrees_of_freedom"]);
        (_weightsStd, _meansStd) = (ParameterLayout["weights_std"], ParameterLayout["means_std"]);
        (_means, _covariances) = (ParameterLayout["means"], ParameterLayout["covariances"]);
        (_first, _second) = (StatisticsLayout["first_moments"], StatisticsLayout["second_moments"]);
    }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override string MembershipBlock => "responsibilities";

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph();
            string z = graph.Add(new GraphVariable("z", GraphRole.Latent, [graph.Add("weight_concentration")]));
            string[] ofComponents = ["means", "covariances", "mean_precision", "degrees_of_freedom"];
            graph.Add(new GraphVariable(
                "x", GraphRole.Observed, [z, .. ofComponents.Select(name => graph.Add(name, isPerComponent: true))]));
            return graph;
        }
    }

    /// <inheritdoc/>
    public override bool IsBound => true;

    /// <inheritdoc/>
    /// <remarks>One that is empty is one too many.</remarks>
    public override bool CanReseed => false;

    /// <inheritdoc/>
    public override int FreeParameters => Components - 1 + Components * (Dimension + Packed.Length(Dimension));

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as MixtureEStep ?? new MixtureEStep(
            Components, Dimension, StatisticsLayout.Length, ScoreLayout.Length, SoftResponsibilities.Instance);
        ReadOnlySpan<double> values = parameters.Span;
        Span<double> logWeights = Components <= 256 ? stackalloc double[Components] : new double[Components];
        double total = 0;
        foreach (double alpha in _concentration.Of(values)) total += alpha;
        double digamma = ScalarMath.Digamma(total);
        for (int k = 0; k < Components; k++)
            logWeights[k] = ScalarMath.Digamma(_concentration.Of(values)[k]) - digamma
                + LogCorrection(_degrees.Of(values)[k], _precision.Of(values)[k]);
        result.Set(values[..Components], Emission.Prepare(parameters[OwnParameters..], result.Emission), logWeights);
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        ReadOnlySpan<double> masses = statistics[..Components];
        if (!masses.ContainsAnyExcept(0.0)) return;
        double records = Records(rows.Prior);
        for (int k = 0; k < Components; k++)
        {
            double count = Math.Max(0, records * masses[k]);
            _concentration.Of(result)[k] = _prior.WeightConcentration + count;
            _precision.Of(result)[k] = _prior.MeanPrecision + count;
            _degrees.Of(result)[k] = _prior.DegreesOfFreedom + count;
            SetGaussian(k, records, statistics, result, events);
        }
        Derive(result);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        double records = Records(effectiveRows);
        int packed = Packed.Length(Dimension);
        for (int k = 0; k < Components; k++)
        {
            result[k] = (_concentration.Of(parameters)[k] - _prior.WeightConcentration) / records;
            double beta = _precision.Of(parameters)[k], nu = _degrees.Of(parameters)[k], before = _prior.MeanPrecision;
            ReadOnlySpan<double> mean = _means.Of(parameters).Slice(k * Dimension, Dimension);
            ReadOnlySpan<double> covariance = _covariances.Of(parameters).Slice(k * Dimension * Dimension, Dimension * Dimension);
            for (int i = 0, at = k * packed; i < Dimension; i++)
            {
                _first.Of(result)[k * Dimension + i] = (beta * mean[i] - before * _prior.Mean[i]) / records;
                for (int j = 0; j <= i; j++, at++)
                    _second.Of(result)[at] = (nu * covariance[i * Dimension + j] - (i == j ? _prior.Scatter[i] : 0)
                        + beta * mean[i] * mean[j] - before * _prior.Mean[i] * _prior.Mean[j]) / records;
            }
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        _concentration.Of(result).Fill(_prior.WeightConcentration + 1);
        _precision.Of(result).Fill(_prior.MeanPrecision + 1);
        _degrees.Of(result).Fill(_prior.DegreesOfFreedom + 1);
        for (int at = 0; at < Components * Dimension; at++)
        {
            _means.Of(result)[at] = _prior.Mean[at % Dimension];
            _covariances.Of(result)[at * Dimension + at % Dimension] = _prior.Scatter[at % Dimension];
        }
        Derive(result);
    }

    /// <inheritdoc/>
    public override void Shares(ReadOnlySpan<double> parameters, Span<double> shares) => parameters[..Components].CopyTo(shares);

    /// <inheritdoc/>
    public override double ParameterBound(ReadOnlySpan<double> parameters)
    {
        double bound = -DirichletDivergence.ToSymmetric(_concentration.Of(parameters), _prior.WeightConcentration);
        for (int k = 0; k < Components; k++)
            bound -= NormalWishartDivergence.Of(
                _means.Of(parameters).Slice(k * Dimension, Dimension),
                _covariances.Of(parameters).Slice(k * Dimension * Dimension, Dimension * Dimension), _precision.Of(parameters)[k],
                _degrees.Of(parameters)[k], _prior);
        return bound;
    }

    /// <inheritdoc/>
    protected override ReadOnlySpan<double> Mixing(ReadOnlySpan<double> parameters, int before) => parameters[..Components];

    /// <inheritdoc/>
    /// <remarks>The component is given its share of the records there are; so are the others.</remarks>
    protected override void ReseedOwn(Span<double> parameters, Span<double> statistics, int component, double share, double factor)
    {
        double records = 0;
        foreach (double alpha in _concentration.Of(parameters)) records += alpha - _prior.WeightConcentration;
        double rest = records - (_concentration.Of(parameters)[component] - _prior.WeightConcentration);
        for (int k = 0; k < Components; k++)
        {
            double count = k == component ? share * records
                : rest > 0 ? (1 - share) * records * (_concentration.Of(parameters)[k] - _prior.WeightConcentration) / rest : 0;
            _concentration.Of(parameters)[k] = _prior.WeightConcentration + count;
            _precision.Of(parameters)[k] = _prior.MeanPrecision + count;
            _degrees.Of(parameters)[k] = _prior.DegreesOfFreedom + count;
        }
        SetWeights(parameters);
    }

    /// <summary>(E[log |Lambda|] - log |nu W| - D / beta) / 2: what the expected log-density is beside that of a point.</summary>
    private double LogCorrection(double degrees, double precision)
    {
        double sum = -Dimension * ScalarMath.Log(0.5 * degrees) - Dimension / precision;
        for (int i = 0; i < Dimension; i++) sum += ScalarMath.Digamma(0.5 * (degrees - i));
        return 0.5 * sum;
    }

    private void SetGaussian(int k, double records, ReadOnlySpan<double> statistics, Span<double> result, ModelEvents events)
    {
        int packed = Packed.Length(Dimension);
        double beta = _precision.Of(result)[k], nu = _degrees.Of(result)[k], before = _prior.MeanPrecision;
        Span<double> mean = _means.Of(result).Slice(k * Dimension, Dimension);
        Span<double> covariance = _covariances.Of(result).Slice(k * Dimension * Dimension, Dimension * Dimension);
        for (int d = 0; d < Dimension; d++)
            mean[d] = (before * _prior.Mean[d] + records * _first.Of(statistics)[k * Dimension + d]) / beta;
        for (int i = 0, at = k * packed; i < Dimension; i++)
            for (int j = 0; j <= i; j++, at++)
                covariance[i * Dimension + j] = covariance[j * Dimension + i] = ((i == j ? _prior.Scatter[i] : 0)
                    + records * _second.Of(statistics)[at] + before * _prior.Mean[i] * _prior.Mean[j] - beta * mean[i] * mean[j]) / nu;
        Span<double> scratch = packed <= 512 ? stackalloc double[packed] : new double[packed];
        if (SymmetricMatrix.EnsurePositiveDefinite(covariance, Dimension, Floor(_prior), scratch) is { } smallest)
            events.Add(ModelEventKind.CovarianceFloored, k, smallest);
    }

    /// <summary>What follows from the posteriors: E[weights], and how sure weights and means are.</summary>
    private void Derive(Span<double> parameters)
    {
        SetWeights(parameters);
        for (int at = 0; at < Components * Dimension; at++)
        {
            int k = at / Dimension;
            // mu is Student t with nu - D + 1 degrees of freedom; below 2 of them it has no variance, and is shown as if it had 2 more.
            double degrees = _degrees.Of(parameters)[k], free = Math.Max(degrees - Dimension - 1, 1);
            _meansStd.Of(parameters)[at] = Math.Sqrt(
                degrees * _covariances.Of(parameters)[at * Dimension + at % Dimension] / (_precision.Of(parameters)[k] * free));
        }
    }

    private void SetWeights(Span<double> parameters)
    {
        double total = 0;
        foreach (double alpha in _concentration.Of(parameters)) total += alpha;
        for (int k = 0; k < Components; k++)
        {
            double weight = parameters[k] = _concentration.Of(parameters)[k] / total;
            _weightsStd.Of(parameters)[k] = Math.Sqrt(weight * (1 - weight) / (total + 1)) + double.Epsilon;
        }
    }

    private static double Records(double effectiveRows) => double.IsFinite(effectiveRows) ? effectiveRows : Exact;

    private static double Floor(VariationalPrior prior) => CovarianceRegularization.RelativeFloor * prior.Scatter.Average();

    private static VectorLayout Own(int components, int dimension) => new VectorLayout()
        .Add("weights", Units.None, Domain.Simplex, components)
        .Add("weight_concentration", Units.None, Domain.Positive, components)
        .Add("mean_precision", Units.None, Domain.Positive, components)
        .Add("degrees_of_freedom", Units.None, Domain.Positive, components)
        .Add(new VectorBlock("weights_std", 0, [components], Coordinates.Linear) { Domain = Domain.Positive, IsOptional = true })
        .Add(new VectorBlock("means_std", 0, [components, dimension], Coordinates.Linear)
        { Units = Units.Deviation, Domain = Domain.Positive, IsOptional = true });
}
