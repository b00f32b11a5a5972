using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>Components of multinomial counts.</summary>
internal sealed record MultinomialOptions : EmissionOptions
{
    /// <summary>The family in the catalogue.</summary>
    public static EmissionEntry Catalogued { get; } = new(
        "multinomial",
        "K multinomials over counts that share a total; clusters of word counts, baskets, votes.",
        () => new MultinomialOptions(),
        PriorSetting.Of<MultinomialOptions>(o => o.Prior, (o, v) => o with { Prior = v }));

    /// <inheritdoc/>
    public override EmissionEntry Entry => Catalogued;

    /// <summary>One imaginary count in all, the same for every feature; or nothing.</summary>
    public Prior Prior { get; init; }

    /// <inheritdoc/>
    public override Feature Plan(string feature) => new(feature, FeatureKind.Count, FeatureScaling.None);

    /// <inheritdoc/>
    public override EmissionOptions WithoutPrior() => this with { Prior = Prior.None };

    /// <inheritdoc/>
    public override long RowsToStart(int components, int dimension) => 2L * components;

    /// <inheritdoc/>
    public override Emission Create(IReadOnlyList<Feature> features, int components) =>
        new Multinomial(components, features.Count, features.Sum(feature => feature.Mean), Prior);
}

/// <summary>
/// Counts over D features given their total n: log p(x given n, z = k) = log n! - sum_d log x_d! + sum_d x_d log p_kd. Parameter:
/// <c>probabilities [K, D]</c>. Statistics (averages): <c>counts [K, D]</c> = r x, not divided by the row's total, so that long rows weigh
/// more. M-step: p = (C + a / n_eff) / (sum C + D a / n_eff), a = 1 / D. A missing count is one that the total leaves out: the
/// observed ones are multinomial with p_d / P, P = sum of p over the observed, and the expected number of counts that were not seen is
/// n p_h / P (truncated data: Dempster, Laird &amp; Rubin 1977, section 4.2), which is exact. A row of zeros says nothing of its component.
/// </summary>
internal sealed class Multinomial : Emission
{
    /// <summary>The smallest probability: a count never seen yet is improbable, not impossible.</summary>
    internal const double Least = 1e-10;

    private readonly double _imaginary, _total;

    /// <summary>K components over D counts.</summary>
    /// <param name="components">K.</param>
    /// <param name="dimension">D.</param>
    /// <param name="total">The mean total of a row; 0 where it is not known.</param>
    /// <param name="prior">Whether there is one.</param>
    public Multinomial(int components, int dimension, double total, Prior prior)
    {
        (Components, Dimension) = (components, dimension);
        (_imaginary, _total) = (prior == Prior.None ? 0 : 1.0 / dimension, total > 0 ? total : 1);
        ParameterLayout = new VectorLayout().Add("probabilities", Units.None, Domain.Simplex, components, dimension);
        StatisticsLayout = new VectorLayout().Add("counts", components, dimension);
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
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as MultinomialEStep ?? new MultinomialEStep(Components, Dimension);
        result.Set(parameters.Span);
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        double imaginary = _imaginary / rows.Prior;
        for (int k = 0; k < Components; k++)
        {
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events, ComponentEvidence.Some)) continue;
            ReadOnlySpan<double> counts = statistics.Slice(k * Dimension, Dimension);
            double total = 0;
            foreach (double count in counts) total += count;
            if (total * rows.Evidence < ComponentEvidence.Some) continue;
            Span<double> probabilities = result.Slice(k * Dimension, Dimension);
            double floored = 0;
            for (int d = 0; d < Dimension; d++)
                floored += probabilities[d] = Math.Max((counts[d] + imaginary) / (total + Dimension * imaginary), Least);
            // Where nothing is floored the sum is 1 but for rounding, which is left alone.
            if (floored > 1 + Least / 2)
                for (int d = 0; d < Dimension; d++) probabilities[d] /= floored;
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        double imaginary = _imaginary / effectiveRows;
        for (int at = 0; at < parameters.Length; at++)
            result[at] = parameters[at] * (masses[at / Dimension] * _total + Dimension * imaginary) - imaginary;
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        for (int at = 0; at < parameters.Length; at++) result[at] = parameters[at] > 0 ? statistics[at] / parameters[at] : 0;
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result) => result.Fill(1.0 / Dimension);

    /// <inheritdoc/>
    /// <remarks>At the location's shares, with half a count more of each; what is not known has the share it had.</remarks>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        Span<double> probabilities = parameters.Slice(component * Dimension, Dimension);
        double seen = 0, total = 0;
        for (int d = 0; d < Dimension; d++)
            if (!double.IsNaN(location[d])) (seen, total) = (seen + probabilities[d], total + location[d]);
        if (!(seen > 0)) return;
        double sum = 0;
        for (int d = 0; d < Dimension; d++)
            sum += probabilities[d] = (double.IsNaN(location[d]) ? total * probabilities[d] / seen : location[d]) + 0.5;
        for (int d = 0; d < Dimension; d++) probabilities[d] /= sum;
    }

    /// <inheritdoc/>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units) => Simplex.MoveApart(
        parameters.Slice(component * Dimension, Dimension), parameters.Slice(other * Dimension, Dimension));

    /// <inheritdoc/>
    /// <remarks>Of a row with <see cref="RandomDraws.Total"/>.</remarks>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        row.Clear();
        for (int count = 0; count < draws.Total; count++) row[draws.Category(parameters.Slice(component * Dimension, Dimension))]++;
    }

    /// <inheritdoc/>
    /// <remarks>Of a row of the mean total.</remarks>
    public override double Divergence(ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached) =>
        other is Multinomial
            ? _total * Simplex.Divergence(from.Slice(component * Dimension, Dimension), to.Slice(reached * Dimension, Dimension))
            : double.NaN;

    /// <inheritdoc/>
    /// <remarks>Of a row of the mean total.</remarks>
    public override void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        ReadOnlySpan<double> p = parameters.Slice(component * Dimension, Dimension);
        for (int i = 0; i < Dimension; i++)
        {
            mean[i] = _total * p[i];
            for (int j = 0; j < Dimension; j++) covariance[i * Dimension + j] = _total * ((i == j ? p[i] : 0) - p[i] * p[j]);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Of a row of the mean total.</remarks>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        for (int at = 0; at < means.Length; at++)
            (means[at], variances[at]) = (_total * parameters[at], _total * parameters[at] * (1 - parameters[at]));
        return true;
    }
}
