using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Multivariate Student-t components: x = mu + z / sqrt(u), z ~ N(0, Sigma), u ~ Gamma(nu / 2, nu / 2), so that log p(x) = log Gamma((nu
/// + D) / 2) - log Gamma(nu / 2) - (D log(nu pi) + log |Sigma| + (nu + D) log(1 + delta / nu)) / 2 with delta = (x - mu)' Sigma^-1 (x -
/// mu). Parameters: <c>means [K, D]</c>, <c>scale_matrices [K, D, D]</c> (Sigma, not the covariance), <c>degrees_of_freedom [K]</c>.
/// E-step: E[u] = (nu + D) / (nu + delta), E[log u] = psi((nu + D) / 2) - log((nu + delta) / 2). Statistics (averages): <c>precisions
/// [K]</c> = r u, <c>first_moments [K, D]</c> = r u x, <c>second_moments [K, P(D)]</c> = r u x x', <c>log_precisions [K]</c> = r (E[log
/// u] - u). M-step: mu = S1 / Su, Sigma = (S2 - S1 S1' / Su) / N + reg_covar, and nu is the root of log(nu / 2) - psi(nu / 2) + 1 + Sv /
/// N = 0 in [1, 200] (Liu &amp; Rubin 1995; Peel &amp; McLachlan 2000), or <see cref="FreedomStep.Ecme"/>'s step. A row
/// with missing values has the delta and D of the observed
/// ones, and adds the conditional scale of the others once, not u times.
/// </summary>
internal sealed class StudentT : MatrixFamily
{
    /// <summary>What nu is kept within: below 1 there is no mean, at 200 it is a Gaussian.</summary>
    internal const double LeastFreedom = 1, MostFreedom = 200;

    /// <summary>Where learning of nu begins.</summary>
    private const double FirstFreedom = 10;

    /// <summary>The longest step of ECME in log nu: to the half or the double.</summary>
    private static readonly double LongestStep = ScalarMath.Log(2);

    private const string Targets = "freedom_targets";

    /// <summary>The variance over the scale is held at 5: there is none from nu = 2 down.</summary>
    private const double LeastFreedomOfVariance = 2.5;

    private readonly VectorBlock _freedom, _precisions, _first, _second, _logPrecisions;
    private readonly VectorBlock? _targets;
    private readonly double? _held;

    /// <summary>K components over D features.</summary>
    /// <param name="components">K.</param>
    /// <param name="dimension">D.</param>
    /// <param name="regularization">Ridge and floor.</param>
    /// <param name="degreesOfFreedom">nu to begin with, which stays what it is; null learns it.</param>
    /// <param name="step">How it is learned.</param>
    public StudentT(
        int components, int dimension, CovarianceRegularization regularization, double? degreesOfFreedom,
        FreedomStep step = FreedomStep.Ecm)
        : base(components, dimension, regularization, "scale_matrices",
            new VectorLayout().Add(new VectorBlock("degrees_of_freedom", 0, [components], Coordinates.Logarithm)
            { Domain = Domain.Positive, IsOptional = degreesOfFreedom is not null }),
            Sums(components, dimension, degreesOfFreedom is null && step == FreedomStep.Ecme))
    {
        _targets = StatisticsLayout.Contains(Targets) ? StatisticsLayout[Targets] : null;
        _held = degreesOfFreedom;
        _freedom = ParameterLayout["degrees_of_freedom"];
        (_precisions, _first) = (StatisticsLayout["precisions"], StatisticsLayout["first_moments"]);
        (_second, _logPrecisions) = (StatisticsLayout["second_moments"], StatisticsLayout["log_precisions"]);
    }

    /// <inheritdoc/>
    public override void Describe(ModelGraph graph, string record, IReadOnlyList<string> parents, string prefix = "")
    {
        string[] freedom = Parameters(graph, prefix, [_freedom]);
        string u = graph.Add(new GraphVariable(record == "x" ? "u" : $"u {record}", GraphRole.Latent, [.. parents, .. freedom]));
        string[] rest = Parameters(graph, prefix, ParameterLayout.Blocks.Where(block => block != _freedom));
        graph.Add(new GraphVariable(record, GraphRole.Observed, [.. parents, u, .. rest]));
    }

    /// <inheritdoc/>
    /// <remarks>Weights, means and scale matrices given nu, nu given these: by Q, in which they do not meet, or by the likelihood.
    /// </remarks>
    public override EmSteps Steps =>
        _held is not null ? EmSteps.Exact : _targets is not null ? EmSteps.Either : EmSteps.Conditional;

    /// <inheritdoc/>
    /// <remarks>
    /// With ECME, N_k (log nu + step): the step of Fisher scoring in log nu on the likelihood with u integrated out. Its slope is that of
    /// Q, (psi-terms + Sv / N) / 2 by Fisher's identity; the information is that of t in closed form (Lange, Little &amp; Taylor 1989).
    /// </remarks>
    public override void Summarize(ReadOnlySpan<double> masses, Span<double> averages, ReadOnlySpan<double> parameters)
    {
        if (_targets is null) return;
        ReadOnlySpan<double> freedom = _freedom.Of(parameters), logs = _logPrecisions.Of((ReadOnlySpan<double>)averages);
        Span<double> targets = _targets.Of(averages);
        for (int k = 0; k < Components; k++)
        {
            if (!(masses[k] > 0))
            {
                targets[k] = 0;
                continue;
            }
            double nu = freedom[k], slope = 0.5 * (logs[k] / masses[k] + Score(nu));
            double step = Math.Clamp(slope / (nu * Information(nu, Dimension)), -LongestStep, LongestStep);
            targets[k] = masses[k] * Math.Clamp(
                ScalarMath.Log(nu) + step, ScalarMath.Log(LeastFreedom), ScalarMath.Log(MostFreedom));
        }
    }

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as StudentTEStep ?? new StudentTEStep(Components, Dimension);
        result.Set(Means.Of(parameters), Covariances.Of(parameters), _freedom.Of(parameters.Span));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        int packed = Packed.Length(Dimension);
        for (int k = 0; k < Components; k++)
        {
            double weight = _precisions.Of(statistics)[k];
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events) || !(weight > 0)) continue;
            SetMoments(k, weight, _first.Of(statistics).Slice(k * Dimension, Dimension),
                _second.Of(statistics).Slice(k * packed, packed), masses[k], rows.Prior, result, events);
            if (_targets is { } targets)
                _freedom.Of(result)[k] = Math.Clamp(ScalarMath.Exp(targets.Of(statistics)[k] / masses[k]), LeastFreedom, MostFreedom);
            else if (_held is null) _freedom.Of(result)[k] = Freedom(_logPrecisions.Of(statistics)[k] / masses[k]);
        }
    }

    /// <inheritdoc/>
    /// <remarks>E[u] = 1 and E[u (x - mu)(x - mu)'] = Sigma under the component.</remarks>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ImplyMoments(masses, parameters, effectiveRows, _first.Of(result), _second.Of(result));
        masses[..Components].CopyTo(_precisions.Of(result));
        ReadOnlySpan<double> freedom = _freedom.Of(parameters);
        for (int k = 0; k < Components; k++)
        {
            _logPrecisions.Of(result)[k] = -masses[k] * Score(freedom[k]);
            if (_targets is { } targets) targets.Of(result)[k] = masses[k] * ScalarMath.Log(freedom[k]);
        }
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    /// <remarks>By nu (N (log(nu / 2) - psi(nu / 2) + 1) + Sv) / 2.</remarks>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        int packed = Packed.Length(Dimension);
        ReadOnlySpan<double> precisions = _precisions.Of(statistics), logs = _logPrecisions.Of(statistics);
        ReadOnlySpan<double> freedom = _freedom.Of(parameters);
        for (int k = 0; k < Components; k++)
        {
            MomentSlopes(k, precisions[k], _first.Of(statistics).Slice(k * Dimension, Dimension),
                _second.Of(statistics).Slice(k * packed, packed), masses[k], parameters, result);
            _freedom.Of(result)[k] = 0.5 * (masses[k] * Score(freedom[k]) + logs[k]);
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        base.Neutral(result);
        _freedom.Of(result).Fill(_held ?? FirstFreedom);
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        base.Reseed(parameters, component, location, variances);
        if (_held is null) _freedom.Of(parameters)[component] = FirstFreedom;
    }

    /// <inheritdoc/>
    /// <remarks>Normals over sqrt(u), u ~ Gamma(nu / 2, nu / 2).</remarks>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        double half = 0.5 * _freedom.Of(parameters)[component], precision = draws.Gamma(half) / half;
        SampleAbout(parameters, component, MatrixOf(parameters, component), 1 / Math.Sqrt(precision), draws, row);
    }

    /// <inheritdoc/>
    /// <remarks>There is no closed form.</remarks>
    public override double Divergence(ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached) =>
        double.NaN;

    /// <inheritdoc/>
    /// <remarks>nu / (nu - 2) Sigma; from nu = 2 down there is no covariance, from 1 down no mean.</remarks>
    public override void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        double nu = _freedom.Of(parameters)[component];
        base.Moments(parameters, component, mean, covariance);
        if (!(nu > 1)) mean.Fill(double.NaN);
        for (int at = 0; at < covariance.Length; at++) covariance[at] = nu > 2 ? covariance[at] * nu / (nu - 2) : double.NaN;
    }

    /// <inheritdoc/>
    /// <remarks>The variance nu / (nu - 2) Sigma; below nu = 2.5, where it is hardly there, 5 Sigma.</remarks>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        base.TryMoments(parameters, means, variances);
        ReadOnlySpan<double> freedom = _freedom.Of(parameters);
        for (int at = 0; at < variances.Length; at++) variances[at] *= Widening(freedom[at / Dimension]);
        return true;
    }

    /// <inheritdoc/>
    public override double Covariance(ReadOnlySpan<double> parameters, int component, int feature, int other) =>
        Widening(_freedom.Of(parameters)[component]) * base.Covariance(parameters, component, feature, other);

    /// <summary>What the variance is of the scale.</summary>
    private static double Widening(double freedom)
    {
        double nu = Math.Max(freedom, LeastFreedomOfVariance);
        return nu / (nu - 2);
    }

    /// <summary>
    /// The root in [1, 200] of log(nu / 2) - psi(nu / 2) + 1 + s = 0, whose left side falls in nu: by bisection in log nu, which needs no
    /// derivative and always ends. The nearer bound where there is none.
    /// </summary>
    /// <param name="s">Sv / N.</param>
    internal static double Freedom(double s)
    {
        if (Score(MostFreedom) + s >= 0) return MostFreedom;
        if (Score(LeastFreedom) + s <= 0) return LeastFreedom;
        double low = ScalarMath.Log(LeastFreedom), high = ScalarMath.Log(MostFreedom);
        while (true)
        {
            double middle = 0.5 * (low + high);
            if (middle <= low || middle >= high) return ScalarMath.Exp(low);
            if (Score(ScalarMath.Exp(middle)) + s > 0) low = middle;
            else high = middle;
        }
    }

    /// <summary>
    /// E[-d^2 log t / d nu^2] of a row of D values: (psi'(nu / 2) - psi'((nu + D) / 2)) / 4 - D (nu + D + 4) / (2 nu (nu + D)(nu + D + 2)).
    /// </summary>
    internal static double Information(double nu, int dimension) =>
        0.25 * (ScalarMath.Trigamma(0.5 * nu) - ScalarMath.Trigamma(0.5 * (nu + dimension)))
            - 0.5 * dimension * (nu + dimension + 4) / (nu * (nu + dimension) * (nu + dimension + 2));

    private static VectorLayout Sums(int components, int dimension, bool hasTargets)
    {
        VectorLayout sums = new VectorLayout().Add("precisions", components).Add("first_moments", components, dimension)
            .Add("second_moments", components, Packed.Length(dimension)).Add("log_precisions", components);
        return hasTargets ? sums.Add(Targets, components) : sums;
    }

    /// <summary>log(nu / 2) - psi(nu / 2) + 1.</summary>
    private static double Score(double freedom) => ScalarMath.Log(0.5 * freedom) - ScalarMath.Digamma(0.5 * freedom) + 1;
}
