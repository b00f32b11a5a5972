using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Components whose features are independent, each of a one-parameter exponential family that is known by its mean m: log p(x given z = k)
/// = sum_d (w(m_kd) x_d - a(m_kd) + h(x_d)). Parameter: the means [K, D], under the family's own name. Statistics (averages): <c>observed
/// [K, D]</c> = r where the feature is present, <c>sums [K, D]</c> = r x. M-step: m = (S1 + s / n) / (O + t / n), s and t the conjugate
/// prior's imaginary sum and rows, n = n_eff. A missing value is left out of its feature's sums, which is exact here because features are
/// independent given the component.
/// </summary>
internal abstract class MeanFamily : Emission
{
    private readonly VectorBlock _means, _observed, _sums;
    private readonly double[] _priorSums, _priorRows;

    /// <summary>K components over D features.</summary>
    /// <param name="components">K.</param>
    /// <param name="block">Name, units and domain of the means.</param>
    /// <param name="priorSums">s [D]: what the imaginary rows add up to.</param>
    /// <param name="priorRows">t [D]: how many they are.</param>
    private protected MeanFamily(int components, (string Name, Units Units, Domain Domain) block, double[] priorSums, double[] priorRows)
    {
        (Components, Dimension, _priorSums, _priorRows) = (components, priorSums.Length, priorSums, priorRows);
        ParameterLayout = new VectorLayout().Add(block.Name, block.Units, block.Domain, components, Dimension);
        StatisticsLayout = new VectorLayout().Add("observed", components, Dimension).Add("sums", components, Dimension);
        (_means, _observed, _sums) = (ParameterLayout[block.Name], StatisticsLayout["observed"], StatisticsLayout["sums"]);
    }

    /// <inheritdoc/>
    public sealed override int Dimension { get; }

    /// <inheritdoc/>
    public sealed override int Components { get; }

    /// <inheritdoc/>
    public sealed override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public sealed override VectorLayout StatisticsLayout { get; }

    /// <summary>Whether h is not 0 everywhere.</summary>
    internal virtual bool HasBaseMeasure => false;

    /// <summary>w(m): what x is multiplied by.</summary>
    internal abstract double Slope(double mean);

    /// <summary>a(m): what normalises.</summary>
    internal abstract double Offset(double mean);

    /// <summary>h(x).</summary>
    internal virtual double BaseMeasure(double x) => 0;

    /// <summary>Adds h(x) of every value.</summary>
    internal virtual void AddBaseMeasures(ReadOnlySpan<double> values, Span<double> measures)
    {
        for (int at = 0; at < values.Length; at++) measures[at] += BaseMeasure(values[at]);
    }

    /// <summary>How the log-density of a feature of mean m is spread.</summary>
    internal abstract LogDensitySpread Spread(double mean);

    /// <summary>Whether a value can be far: not where the support is bounded.</summary>
    internal virtual bool IsMeasured => false;

    /// <summary>Half the deviance of a value under mean m: max over m' of (x w(m') - a(m')), less x w(m) - a(m).</summary>
    internal virtual double HalfDeviance(double x, double mean) => 0;

    /// <summary>A value of a feature of mean m.</summary>
    private protected abstract double Draw(double mean, RandomDraws draws);

    /// <summary>P(x at most a value) of a feature of mean m.</summary>
    private protected abstract double Cumulative(double mean, double value);

    /// <summary>The variance of a feature of mean m.</summary>
    private protected abstract double Variance(double mean);

    /// <summary>What the log-density of a feature of mean m never exceeds.</summary>
    internal virtual double Peak(double mean) => 0;

    /// <summary>The nearest mean of a feature that leaves every value of the support possible.</summary>
    private protected abstract double Bounded(double mean, int feature);

    /// <summary>A mean of a feature for a component that begins at one value.</summary>
    private protected abstract double Around(double value, int feature);

    /// <summary>A mean of a feature that favours nothing.</summary>
    private protected abstract double NeutralMean(int feature);

    /// <inheritdoc/>
    public override bool HasIndependentFeatures => true;

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as MeanFamilyEStep ?? new MeanFamilyEStep(this);
        result.Set(_means.Of(parameters.Span));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        ReadOnlySpan<double> observed = _observed.Of(statistics), sums = _sums.Of(statistics);
        for (int k = 0; k < Components; k++)
        {
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events, ComponentEvidence.Some)) continue;
            for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
                if (observed[at] * rows.Evidence >= ComponentEvidence.Some)
                    result[at] = Bounded((sums[at] + _priorSums[d] / rows.Prior) / (observed[at] + _priorRows[d] / rows.Prior), d);
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> means = _means.Of(parameters);
        for (int at = 0; at < means.Length; at++)
        {
            int d = at % Dimension;
            _observed.Of(result)[at] = masses[at / Dimension];
            _sums.Of(result)[at] = means[at] * (masses[at / Dimension] + _priorRows[d] / effectiveRows) - _priorSums[d] / effectiveRows;
        }
    }

    /// <inheritdoc/>
    public sealed override bool HasGradient => true;

    /// <inheritdoc/>
    /// <remarks>(S1 - O m) / Var(m): an exponential family by its mean.</remarks>
    public sealed override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        ReadOnlySpan<double> observed = _observed.Of(statistics), sums = _sums.Of(statistics), means = _means.Of(parameters);
        for (int at = 0; at < means.Length; at++)
            result[at] = Variance(means[at]) is > 0 and var variance ? (sums[at] - observed[at] * means[at]) / variance : 0;
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        for (int at = 0; at < result.Length; at++) result[at] = NeutralMean(at % Dimension);
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        for (int d = 0; d < Dimension; d++)
            if (!double.IsNaN(location[d])) parameters[component * Dimension + d] = Around(location[d], d);
    }

    /// <inheritdoc/>
    /// <remarks>In one feature, and at most half of the way to the end of what a mean may be.</remarks>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        Span<double> means = _means.Of(parameters);
        int widest = component * Dimension;
        double width = double.NegativeInfinity;
        for (int d = 0; d < Dimension; d++)
        {
            double own = Variance(means[component * Dimension + d]) / (units[d] * units[d]);
            if (own > width) (widest, width) = (component * Dimension + d, own);
        }
        double mean = means[widest], sd = Math.Sqrt(Variance(mean));
        int feature = widest % Dimension;
        double room = Math.Min(mean - Bounded(double.NegativeInfinity, feature), Bounded(double.PositiveInfinity, feature) - mean);
        double step = 0.5 * Math.Max(0, Math.Min(sd, room));
        means[widest] -= step;
        means[widest + (other - component) * Dimension] += step;
    }

    /// <inheritdoc/>
    public sealed override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        ReadOnlySpan<double> means = _means.Of(parameters).Slice(component * Dimension, Dimension);
        for (int d = 0; d < Dimension; d++) row[d] = Draw(means[d], draws);
    }

    /// <inheritdoc/>
    public sealed override double Cumulative(ReadOnlySpan<double> parameters, int component, int feature, double value) =>
        Cumulative(_means.Of(parameters)[component * Dimension + feature], value);

    /// <inheritdoc/>
    /// <remarks>sum_d (w(m) - w(m')) m - a(m) + a(m').</remarks>
    public sealed override double Divergence(
        ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached)
    {
        if (other.GetType() != GetType()) return double.NaN;
        double sum = 0;
        for (int d = 0; d < Dimension; d++)
        {
            double mean = from[component * Dimension + d], there = to[reached * Dimension + d];
            sum += (Slope(mean) - Slope(there)) * mean - Offset(mean) + Offset(there);
        }
        return Math.Max(0, sum);
    }

    /// <inheritdoc/>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        _means.Of(parameters).CopyTo(means);
        for (int at = 0; at < means.Length; at++) variances[at] = Variance(means[at]);
        return true;
    }
}
