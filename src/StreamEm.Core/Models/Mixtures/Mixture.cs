using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// A finite mixture over any <see cref="Emission"/>: p(x) = sum_k weights[k] p(x given z = k). Parameters: <c>weights [K]</c>, then the
/// family's. Statistics (averages): <c>masses [K]</c> = N_k = average responsibility, then the family's. M-step: weights = N / sum N
/// (Dempster, Laird &amp; Rubin 1977; McLachlan &amp; Peel 2000, section 2.8). With noisy labels, l an observation of z, p(l given z = k) =
/// confusion[k, l]: a parameter <c>confusion [K, K]</c> after the weights, a statistic <c>label_counts [K, K]</c> = r where the label is l,
/// whose rows are normalised (Dawid &amp; Skene 1979).
/// </summary>
internal sealed class Mixture : EmissionModel
{
    /// <summary>What noisy labels are taken to be right with before anything is known of them.</summary>
    private const double FirstTrust = 0.8;

    private readonly ResponsibilityRule _rule;
    private readonly double _priorLabels;
    private readonly bool _hasNoisyLabels;
    private readonly double[]? _scales;

    /// <summary>A mixture called <paramref name="type"/> in the catalogue.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="emission">The components' family.</param>
    /// <param name="rule">How responsibilities are made where a pass does not say; soft when null.</param>
    /// <param name="hasNoisyLabels">Whether labels are noisy observations of the component.</param>
    /// <param name="prior">Whether the confusion matrix has one: an imaginary label a row, as labels are taken at first.</param>
    /// <param name="quantizes">The scale of every feature [D], where scores say what is left of a record by its component alone; else null.
    /// </param>
    public Mixture(
        string type, Emission emission, ResponsibilityRule? rule = null, bool hasNoisyLabels = false, Prior prior = Prior.None,
        double[]? quantizes = null)
        : base(type, emission, OwnLayout(emission.Components, hasNoisyLabels), OwnSums(emission.Components, hasNoisyLabels))
    {
        (_rule, _hasNoisyLabels) = (rule ?? SoftResponsibilities.Instance, hasNoisyLabels);
        (_priorLabels, _scales) = (prior == Prior.None ? 0 : 1, quantizes);
        ScoreLayout = new VectorLayout().Add(MembershipBlock, Units.None, Domain.Simplex, Components);
        if (quantizes is not null) Quantization.AddTo(ScoreLayout, emission.Dimension);
        ScoreLayout.Append(emission.ScoreLayout);
    }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override string MembershipBlock => "responsibilities";

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as MixtureEStep
            ?? new MixtureEStep(Components, Dimension, StatisticsLayout.Length, ScoreLayout.Length, _rule, _hasNoisyLabels)
            { Quantization = _scales is null ? null : new Quantization(Components, _scales) };
        result.Set(parameters.Span[..OwnParameters], Emission.Prepare(parameters[OwnParameters..], result.Emission));
        result.Quantization?.Set(parameters.Span[..Components], Emission, parameters.Span[OwnParameters..]);
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        ReadOnlySpan<double> masses = statistics[..Components];
        double total = 0;
        foreach (double mass in masses) total += mass;
        if (!(total > 0))
        {
            previous.CopyTo(result);
            return;
        }
        for (int k = 0; k < Components; k++) result[k] = masses[k] / total;
        if (_hasNoisyLabels) MaximizeConfusion(statistics, rows, previous, result);
        Emission.Maximize(masses, statistics[OwnStatistics..], rows, previous[OwnParameters..], result[OwnParameters..], events);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    /// <remarks>As if every row had a label.</remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        parameters[..Components].CopyTo(result);
        for (int at = Components; at < OwnParameters; at++)
        {
            int k = (at - Components) / Components, label = (at - Components) % Components;
            double imaginary = _priorLabels / effectiveRows;
            result[at] = parameters[at] * (parameters[k] + imaginary) - imaginary * Trust(k, label);
        }
        Emission.ImpliedStatistics(parameters[..Components], parameters[OwnParameters..], effectiveRows, result[OwnStatistics..]);
    }

    /// <inheritdoc/>
    public override bool HasGradient => Emission.HasGradient;

    /// <inheritdoc/>
    protected override void OwnGradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result) =>
        Slopes(averages, parameters, result);

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result[..Components].Fill(1.0 / Components);
        for (int at = Components; at < OwnParameters; at++)
            result[at] = Trust((at - Components) / Components, (at - Components) % Components);
        Emission.Neutral(result[OwnParameters..]);
    }

    /// <inheritdoc/>
    public override void Shares(ReadOnlySpan<double> parameters, Span<double> shares) => parameters[..Components].CopyTo(shares);

    /// <inheritdoc/>
    protected override ReadOnlySpan<double> Mixing(ReadOnlySpan<double> parameters, int before) => parameters[..Components];

    /// <inheritdoc/>
    protected override string[] DescribeOwn(ModelGraph graph)
    {
        if (!_hasNoisyLabels) return base.DescribeOwn(graph);
        string z = graph.Add(new GraphVariable("z", GraphRole.Latent, [graph.Add("weights")]));
        graph.Add(new GraphVariable("label", GraphRole.Partial, [z, graph.Add("confusion", isPerComponent: true)]));
        return [z];
    }

    /// <inheritdoc/>
    protected override void ReseedOwn(Span<double> parameters, Span<double> statistics, int component, double share, double factor)
    {
        GiveShare(parameters[..Components], component, share);
        for (int at = Components; at < OwnParameters; at++)
        {
            int k = (at - Components) / Components;
            if (k != component)
            {
                statistics[at] *= factor;
                continue;
            }
            parameters[at] = Trust(k, (at - Components) % Components);
            statistics[at] = parameters[at] * share;
        }
    }

    private void MaximizeConfusion(ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result)
    {
        double imaginary = _priorLabels / rows.Prior;
        for (int k = 0; k < Components; k++)
        {
            ReadOnlySpan<double> counts = statistics.Slice((k + 1) * Components, Components);
            Span<double> row = result.Slice((k + 1) * Components, Components);
            double total = 0;
            foreach (double count in counts) total += count;
            if (total * rows.Evidence >= ComponentEvidence.Some)
                for (int label = 0; label < Components; label++)
                    row[label] = (counts[label] + imaginary * Trust(k, label)) / (total + imaginary);
            else previous.Slice((k + 1) * Components, Components).CopyTo(row);
        }
    }

    /// <summary>p(l given z = k) before anything is known of the labels.</summary>
    private double Trust(int component, int label) =>
        Components == 1 ? 1 : component == label ? FirstTrust : (1 - FirstTrust) / (Components - 1);

    private static VectorLayout OwnLayout(int components, bool hasNoisyLabels)
    {
        var layout = new VectorLayout().Add("weights", Units.None, Domain.Simplex, components);
        return hasNoisyLabels ? layout.Add("confusion", Units.None, Domain.Simplex, components, components) : layout;
    }

    private static VectorLayout OwnSums(int components, bool hasNoisyLabels)
    {
        var layout = new VectorLayout().Add("masses", components);
        return hasNoisyLabels ? layout.Add("label_counts", components, components) : layout;
    }
}
