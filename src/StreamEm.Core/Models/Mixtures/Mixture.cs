using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// A finite mixture over any <see cref="Emission"/>: p(x) = sum_k weights[k] p(x given z = k). Parameters: <c>weights [K]</c>, then the
/// family's. Statistics (averages): <c>masses [K]</c> = N_k = average responsibility, then the family's. M-step: weights = N / sum N
/// (Dempster, Laird &amp; Rubin 1977; McLachlan &amp; Peel 2000, section 2.8).
/// </summary>
internal sealed class Mixture : EmissionModel
{
    private readonly ResponsibilityRule _rule;

    /// <summary>A mixture called <paramref name="type"/> in the catalogue.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="emission">The components' family.</param>
    /// <param name="rule">How responsibilities are made; soft when null.</param>
    public Mixture(string type, Emission emission, ResponsibilityRule? rule = null)
        : base(type, emission, new VectorLayout().Add("weights", Units.None, Domain.Simplex, emission.Components),
            new VectorLayout().Add("masses", emission.Components))
    {
        _rule = rule ?? SoftResponsibilities.Instance;
        ScoreLayout = new VectorLayout().Add(MembershipBlock, Units.None, Domain.Simplex, Components).Append(emission.ScoreLayout);
    }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override string MembershipBlock => "responsibilities";

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as MixtureEStep ?? new MixtureEStep(Components, Dimension, StatisticsLayout.Length, ScoreLayout.Length, _rule);
        result.Set(parameters.Span[..Components], Emission.Prepare(parameters[Components..], result.Emission));
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
        Emission.Maximize(masses, statistics[Components..], rows, previous[Components..], result[Components..], events);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        parameters[..Components].CopyTo(result);
        Emission.ImpliedStatistics(parameters[..Components], parameters[Components..], effectiveRows, result[Components..]);
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result[..Components].Fill(1.0 / Components);
        Emission.Neutral(result[Components..]);
    }

    /// <inheritdoc/>
    public override void Shares(ReadOnlySpan<double> parameters, Span<double> shares) => parameters[..Components].CopyTo(shares);

    /// <inheritdoc/>
    protected override void ReseedOwn(Span<double> parameters, Span<double> statistics, int component, double factor) =>
        ShareEqually(parameters, component);
}
