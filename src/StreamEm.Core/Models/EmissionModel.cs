using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models;

/// <summary>
/// A model over any <see cref="Emission"/>: its own blocks (weights, transitions) first, then the family's; its own statistics, among them
/// <c>masses [K]</c> = N_k = average responsibility, then the family's.
/// </summary>
internal abstract class EmissionModel : ComponentModel
{
    private readonly VectorLayout _ownParameters;
    private readonly VectorBlock _masses;

    /// <summary>A model called <paramref name="type"/> in the catalogue.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="emission">The components' family.</param>
    /// <param name="ownParameters">The model's own blocks.</param>
    /// <param name="ownStatistics">The model's own statistics, with <c>masses [K]</c>.</param>
    protected EmissionModel(string type, Emission emission, VectorLayout ownParameters, VectorLayout ownStatistics)
    {
        (Type, Emission, _ownParameters) = (type, emission, ownParameters);
        (OwnParameters, OwnStatistics) = (ownParameters.Length, ownStatistics.Length);
        ParameterLayout = new VectorLayout().Append(ownParameters).Append(emission.ParameterLayout);
        StatisticsLayout = new VectorLayout().Append(ownStatistics).Append(emission.StatisticsLayout);
        _masses = StatisticsLayout["masses"];
    }

    /// <inheritdoc/>
    public sealed override string Type { get; }

    /// <inheritdoc/>
    public override int Dimension => Emission.Dimension;

    /// <inheritdoc/>
    public override int Components => Emission.Components;

    /// <inheritdoc/>
    public sealed override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public sealed override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph();
            Emission.Describe(graph, "x", DescribeOwn(graph));
            return graph;
        }
    }

    /// <inheritdoc/>
    public override EmSteps Steps => Emission.Steps;

    /// <inheritdoc/>
    public override IEnumerable<VectorBlock> MixingBlocks => _ownParameters.Blocks.Where(block => block.Domain == Domain.Simplex);

    /// <summary>The components' family.</summary>
    protected Emission Emission { get; }

    /// <summary>Where the family's parameters begin.</summary>
    protected int OwnParameters { get; }

    /// <summary>Where the family's statistics begin.</summary>
    protected int OwnStatistics { get; }

    /// <inheritdoc/>
    public override void Hold(BlockNames blocks)
    {
        base.Hold(blocks);
        Emission.Hold([.. FixedBlocks.Where(block => block.Offset >= OwnParameters).Select(block => block.Name)]);
    }

    /// <inheritdoc/>
    public override void Masses(ReadOnlySpan<double> averages, Span<double> masses) => _masses.Of(averages).CopyTo(masses);

    /// <inheritdoc/>
    public override void Summarize(Span<double> averages, ReadOnlySpan<double> parameters) =>
        Emission.Summarize(_masses.Of((ReadOnlySpan<double>)averages), averages[OwnStatistics..], parameters[OwnParameters..]);

    /// <inheritdoc/>
    public sealed override void Gradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result)
    {
        OwnGradient(averages[..OwnStatistics], parameters[..OwnParameters], result[..OwnParameters]);
        Emission.Gradient(_masses.Of(averages), averages[OwnStatistics..], parameters[OwnParameters..], result[OwnParameters..]);
    }

    /// <summary>The part of <see cref="Gradient"/> that is of the model's own blocks.</summary>
    /// <param name="averages">The model's own.</param>
    /// <param name="parameters">The model's own.</param>
    /// <param name="result">Overwritten.</param>
    protected virtual void OwnGradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result) =>
        throw new NotSupportedException($"{Type} has no gradient from its statistics.");

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        UserUnits.To(_ownParameters, parameters, space, result);
        Emission.ToUserUnits(parameters[OwnParameters..], space, result[OwnParameters..]);
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        UserUnits.From(_ownParameters, parameters, space, result);
        Emission.FromUserUnits(parameters[OwnParameters..], space, result[OwnParameters..]);
    }

    /// <inheritdoc/>
    /// <remarks>At the masses of the averages; the model's own blocks know no feature.</remarks>
    public override void Follow(
        ReadOnlySpan<double> before, ReadOnlySpan<double> after, double effectiveRows, Span<double> statistics)
    {
        double[] old = new double[Emission.StatisticsLayout.Length], implied = new double[old.Length], masses = new double[Components];
        Masses(statistics, masses);
        Emission.ImpliedStatistics(masses, before[OwnParameters..], effectiveRows, old);
        Emission.ImpliedStatistics(masses, after[OwnParameters..], effectiveRows, implied);
        for (int at = 0; at < implied.Length; at++)
            if (implied[at] != old[at]) statistics[OwnStatistics + at] = implied[at];
    }

    /// <inheritdoc/>
    public override bool TryComponentMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances) =>
        Emission.TryMoments(parameters[OwnParameters..], means, variances);

    /// <inheritdoc/>
    public override double ComponentCovariance(ReadOnlySpan<double> parameters, int component, int feature, int other) =>
        Emission.Covariance(parameters[OwnParameters..], component, feature, other);

    /// <inheritdoc/>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> mean, Span<double> variance)
    {
        double[] shares = new double[Components], means = new double[Components * Dimension],
            variances = new double[Components * Dimension];
        if (!TryComponentMoments(parameters, means, variances)) return false;
        Shares(parameters, shares);
        mean.Clear();
        variance.Clear();
        for (int at = 0; at < means.Length; at++) mean[at % Dimension] += shares[at / Dimension] * means[at];
        for (int at = 0; at < means.Length; at++)
        {
            double deviation = means[at] - mean[at % Dimension];
            variance[at % Dimension] += shares[at / Dimension] * (variances[at] + deviation * deviation);
        }
        Emission.PoolVariances(variance);
        return true;
    }

    /// <inheritdoc/>
    public override void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance) =>
        Emission.Moments(parameters[OwnParameters..], component, mean, covariance);

    /// <inheritdoc/>
    public override double Divergence(
        ReadOnlySpan<double> from, int component, ComponentModel other, ReadOnlySpan<double> to, int reached) =>
        other is EmissionModel model
            ? Emission.Divergence(from[OwnParameters..], component, model.Emission, to[model.OwnParameters..], reached)
            : double.NaN;

    /// <inheritdoc/>
    public override int FreeParameters => base.FreeParameters - Emission.RedundantParameters;

    /// <inheritdoc/>
    public override bool CanSample => true;

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, RandomDraws draws, ref int state, Span<double> row)
    {
        state = draws.Category(Mixing(parameters, state));
        Emission.Sample(parameters[OwnParameters..], state, draws, row);
    }

    /// <summary>Adds the model's own variables to its graph; what a record depends on of them.</summary>
    protected virtual string[] DescribeOwn(ModelGraph graph) =>
        [graph.Add(new GraphVariable("z", GraphRole.Latent, [.. _ownParameters.Blocks.Select(block => graph.Add(block.Name))]))];

    /// <summary>The probabilities of a record's component.</summary>
    /// <param name="parameters">Theta.</param>
    /// <param name="before">The component of the record before it in its sequence; -1 for none.</param>
    protected abstract ReadOnlySpan<double> Mixing(ReadOnlySpan<double> parameters, int before);

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts) =>
        Emission.Health(parameters[OwnParameters..], facts);

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, Span<double> statistics, int component, ReadOnlySpan<double> location)
    {
        double[] mean = new double[Dimension], variance = new double[Dimension];
        if (!TryMoments(parameters, mean, variance)) Array.Fill(variance, 1);
        Place(parameters, statistics, component, location, variance, 1.0 / Components);
    }

    /// <inheritdoc/>
    public override bool TryPlace(
        Span<double> parameters, Span<double> statistics, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances,
        double share)
    {
        Place(parameters, statistics, component, location, variances, share);
        return true;
    }

    /// <inheritdoc/>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units) =>
        Emission.Split(parameters[OwnParameters..], component, other, units);

    /// <summary>The model's own blocks of a component that is given a new start.</summary>
    /// <param name="parameters">The model's own; overwritten.</param>
    /// <param name="statistics">The model's own; what is not masses is overwritten.</param>
    /// <param name="component">Which.</param>
    /// <param name="share">Its share of the stream from now on.</param>
    /// <param name="factor">What the others' masses are multiplied by.</param>
    protected abstract void ReseedOwn(Span<double> parameters, Span<double> statistics, int component, double share, double factor);

    private void Place(
        Span<double> parameters, Span<double> statistics, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances,
        double portion)
    {
        double[] masses = new double[Components], implied = new double[Emission.StatisticsLayout.Length];
        double[] before = FixedBlocks.Count > 0 ? parameters.ToArray() : [];
        Span<double> all = _masses.Of(statistics), family = statistics[OwnStatistics..];
        double total = 0, lost = all[component];
        foreach (double mass in all) total += mass;
        double share = total * portion, factor = (total - share) / (total - lost);

        // The family's statistics less what the component put into them, in proportion to the mass left; then with what it stands for from
        // now on.
        masses[component] = lost;
        Emission.ImpliedStatistics(masses, parameters[OwnParameters..], double.PositiveInfinity, implied);
        for (int at = 0; at < implied.Length; at++) family[at] = (family[at] - implied[at]) * factor;
        ReseedOwn(parameters[..OwnParameters], statistics[..OwnStatistics], component, portion, factor);
        Emission.Reseed(parameters[OwnParameters..], component, location, variances);
        KeepFixed(before, parameters);
        masses[component] = share;
        Emission.ImpliedStatistics(masses, parameters[OwnParameters..], double.PositiveInfinity, implied);
        for (int at = 0; at < implied.Length; at++) family[at] += implied[at];
        // What is of the component alone, where the others' masses do not count, is just that: with values missing it held other than what
        // was taken off.
        Array.Fill(masses, double.NaN);
        masses[component] = share;
        Emission.ImpliedStatistics(masses, parameters[OwnParameters..], double.PositiveInfinity, implied);
        for (int at = 0; at < implied.Length; at++)
            if (!double.IsNaN(implied[at])) family[at] = implied[at];
        for (int k = 0; k < all.Length; k++) all[k] *= factor;
        all[component] = share;
    }
}
