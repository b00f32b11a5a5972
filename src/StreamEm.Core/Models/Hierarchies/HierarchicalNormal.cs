using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Hierarchies;

/// <summary>
/// The normal-normal hierarchy, every record a group: y ~ N(theta, s^2) with the standard error s known, theta ~ N(mu, tau^2) (Rubin 1981;
/// Gelman et al. 2013, section 5.4). Parameters: <c>mean</c> = mu, <c>variance</c> = tau^2. E-step: V = 1 / (1 / s^2 + 1 / tau^2),
/// m = V (y / s^2 + mu / tau^2). Statistics (averages): <c>means</c> = m - c and <c>squares</c> = (m - c)^2 + V, c the mean of the
/// first records, so that no digits are lost to an offset. M-step: mu = c + means, tau^2 = squares - means^2. Where the groups differ by no
/// more than their errors the maximum is tau^2 = 0, which EM nears more and more slowly.
/// </summary>
internal sealed class HierarchicalNormal : LatentModel
{
    /// <summary>tau^2 is kept above this share of the estimates' variance.</summary>
    internal const double Floor = 1e-12;

    private readonly double _centre, _spread;
    private readonly GroupVariancePrior _prior;

    /// <summary>A hierarchy over estimates of these.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="estimate">The estimate's feature.</param>
    /// <param name="prior">What keeps tau^2 above 0.</param>
    public HierarchicalNormal(string type, Feature estimate, GroupVariancePrior prior)
    {
        (Type, _centre, _spread, _prior) = (type, estimate.Mean, estimate.Variance, prior);
        ParameterLayout = new VectorLayout().Add("mean", 1).Add("variance", Units.None, Domain.Positive, 1);
        StatisticsLayout = new VectorLayout().Add("means").Add("squares");
        ScoreLayout = new VectorLayout().Add("shrunken_estimate")
            .Add("shrunken_variance", Units.None, Domain.Positive);
    }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <inheritdoc/>
    public override int Dimension => 2;

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph { Records = "J groups" };
            string theta = graph.Add(new GraphVariable("theta", GraphRole.Latent, [graph.Add("mean"), graph.Add("variance")]));
            graph.Add(new GraphVariable("y", GraphRole.Observed, [theta]));
            return graph;
        }
    }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    /// <remarks>The standard error is given.</remarks>
    public override bool IsDensityOf(int feature) => feature == EstimateAt;

    /// <summary>Which of the two features is the estimate.</summary>
    public int EstimateAt { get; init; }

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null) =>
        new Prepared(parameters.Span[0], parameters.Span[1], _centre, EstimateAt);

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        double variance = (statistics[1] - statistics[0] * statistics[0]) * Widening(_prior, rows.Prior);
        if (!(statistics[1] > 0)) return;
        result[0] = _centre + statistics[0];
        result[1] = Math.Max(variance, Floor * _spread);
        if (variance < Floor * _spread) events.Add(ModelEventKind.CovarianceFloored, -1, variance);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        result[0] = parameters[0] - _centre;
        result[1] = parameters[1] / Widening(_prior, effectiveRows) + result[0] * result[0];
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    /// <remarks>E[theta - mu] / tau^2 and (E[(theta - mu)^2] / tau^2 - 1) / (2 tau^2).</remarks>
    public override void Gradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result)
    {
        double mean = parameters[0] - _centre, variance = parameters[1];
        result[0] = (averages[0] - mean) / variance;
        result[1] = 0.5 * ((averages[1] - mean * (2 * averages[0] - mean)) / variance - 1) / variance;
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result) => (result[0], result[1]) = (_centre, _spread);

    /// <inheritdoc/>
    /// <remarks>By moments: the variance of the estimates less their errors', at least a tenth of it, and EM from there.</remarks>
    public override double[] Start(Minibatch buffer, ModelStart start)
    {
        double total = 0, mean = 0, square = 0, error = 0;
        for (int pass = 0; pass < 2; pass++)
            for (int row = 0; row < buffer.Count; row++)
            {
                ReadOnlySpan<double> values = buffer.Row(row);
                double weight = buffer.Weight(row);
                if (double.IsNaN(values[0] + values[1])) continue;
                double estimate = values[EstimateAt], deviation = values[1 - EstimateAt];
                if (pass == 0) (total, mean, error) = (total + weight, mean + weight * estimate, error + weight * deviation * deviation);
                else square += weight * (estimate - mean / total) * (estimate - mean / total);
            }
        double[] theta = new double[2];
        Neutral(theta);
        if (!(total > 0) || !(square > 0)) return theta;
        (theta[0], theta[1]) = (mean / total, Math.Max((square - error) / total, 0.1 * square / total));
        return start.Best(this, buffer, _ => [.. theta]);
    }

    /// <inheritdoc/>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> mean, Span<double> variance)
    {
        mean.Clear();
        variance.Fill(1);
        mean[0] = parameters[0];
        variance[..2].Fill(parameters[1]);
        return true;
    }

    /// <summary>What the maximum likelihood variance is multiplied by: n / (n - 1) for Gamma(2) on tau, whose density is tau.</summary>
    internal static double Widening(GroupVariancePrior prior, double rows) =>
        prior == GroupVariancePrior.None || !double.IsFinite(rows) ? 1 : rows / Math.Max(rows - 1, 0.5);

    /// <summary>Normal log-density.</summary>
    internal static double LogNormal(double deviation, double variance) =>
        -0.5 * (ScalarMath.Log(2 * Math.PI * variance) + deviation * deviation / variance);

    private sealed class Scratch : Workspace;

    private sealed class Prepared(double mean, double variance, double centre, int at) : EStep
    {
        public override Workspace CreateWorkspace() => new Scratch();

        public override Evidence Accumulate(
            Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
        {
            double weights = 0, logLikelihood = 0;
            for (int row = 0; row < count; row++)
            {
                if (double.IsNaN(logDensities[row] = Infer(batch.Row(first + row), out double estimate, out double left))) continue;
                double weight = batch.Weight(first + row), off = estimate - centre;
                weights += weight;
                logLikelihood = Math.FusedMultiplyAdd(weight, logDensities[row], logLikelihood);
                statistics[0] = Math.FusedMultiplyAdd(weight, off, statistics[0]);
                statistics[1] = Math.FusedMultiplyAdd(weight, Math.FusedMultiplyAdd(off, off, left), statistics[1]);
            }
            CompareAsTheyAre(batch, first, count, logDensities, workspace);
            return new Evidence(weights, logLikelihood);
        }

        public override void Score(
            Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
        {
            for (int row = 0; row < count; row++)
            {
                logDensities[row] = Infer(batch.Row(first + row), out double estimate, out double left);
                if (!scores.IsEmpty) (scores[2 * row], scores[2 * row + 1]) = (estimate, left);
            }
            CompareAsTheyAre(batch, first, count, logDensities, workspace);
        }

        /// <summary>log p(y), m and V of a row; NaN, mu and tau^2 where it says nothing.</summary>
        private double Infer(ReadOnlySpan<double> row, out double estimate, out double left)
        {
            (estimate, left) = (mean, variance);
            if (double.IsNaN(row[0] + row[1])) return double.NaN;
            double given = row[at], error = row[1 - at] * row[1 - at], share = variance / (variance + error);
            estimate = Math.FusedMultiplyAdd(share, given - mean, mean);
            left = share * error;
            return LogNormal(given - mean, variance + error);
        }
    }
}
