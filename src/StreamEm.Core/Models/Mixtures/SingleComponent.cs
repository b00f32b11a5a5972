using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// One component alone, p(x) = p(x given z = 0), for families that are models by themselves: no weights among the parameters. Statistics
/// (averages): <c>masses [1]</c>, then the family's.
/// </summary>
internal sealed class SingleComponent : EmissionModel
{
    private static readonly double[] Certain = [1];

    /// <summary>A model called <paramref name="type"/> in the catalogue.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="emission">The family, of one component.</param>
    public SingleComponent(string type, Emission emission)
        : base(type, emission, new VectorLayout(), new VectorLayout().Add("masses", 1))
    {
        if (emission.Components != 1) throw new ArgumentException($"{emission.Components} components are not one.", nameof(emission));
        ScoreLayout = new VectorLayout().Add(MembershipBlock, Units.None, Domain.Simplex, 1).Append(emission.ScoreLayout);
    }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override string MembershipBlock => "responsibilities";

    /// <inheritdoc/>
    protected override string[] DescribeOwn(ModelGraph graph) => [];

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as MixtureEStep ?? new MixtureEStep(
            1, Dimension, StatisticsLayout.Length, ScoreLayout.Length, SoftResponsibilities.Instance, hasNoisyLabels: false);
        result.Set([1.0], Emission.Prepare(parameters, result.Emission));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        if (!(statistics[0] > 0))
        {
            previous.CopyTo(result);
            return;
        }
        Emission.Maximize(statistics[..1], statistics[1..], rows, previous, result, events);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        result[0] = 1;
        Emission.ImpliedStatistics(result[..1], parameters, effectiveRows, result[1..]);
    }

    /// <inheritdoc/>
    public override bool HasGradient => Emission.HasGradient;

    /// <inheritdoc/>
    protected override void OwnGradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result)
    {
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result) => Emission.Neutral(result);

    /// <inheritdoc/>
    public override void Shares(ReadOnlySpan<double> parameters, Span<double> shares) => shares[0] = 1;

    /// <inheritdoc/>
    protected override ReadOnlySpan<double> Mixing(ReadOnlySpan<double> parameters, int before) => Certain;

    /// <inheritdoc/>
    protected override void ReseedOwn(Span<double> parameters, Span<double> statistics, int component, double share, double factor)
    {
    }
}
