using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Components that are mixtures themselves: p(x given z = k) = sum_m w_km p_km(x), M components of a family for each of K. Parameters:
/// <c>weights [K, M]</c>, then the family's blocks with K and M in place of their first axis. Statistics: <c>mixture_masses [K, M]</c> = r
/// times the posterior within k, then the family's. M-step: weights are masses over their sum with a Dirichlet prior, the family as it is
/// (Rabiner 1989, section IV.A).
/// </summary>
internal sealed partial class MixtureEmission : Emission
{
    /// <summary>Imaginary records of every component.</summary>
    public const double Imaginary = 0.1;

    private readonly Emission _inner;
    private readonly int _each;
    private readonly double _imaginary;
    private readonly VectorBlock[] _own;

    /// <summary>K mixtures.</summary>
    /// <param name="inner">The family, of K M components.</param>
    /// <param name="larger">The same of one more: its larger blocks are those that components have to themselves.</param>
    /// <param name="components">K.</param>
    /// <param name="each">M.</param>
    /// <param name="imaginary">Imaginary records of every component.</param>
    public MixtureEmission(Emission inner, Emission larger, int components, int each, double imaginary)
    {
        (_inner, Components, _each, _imaginary) = (inner, components, each, imaginary);
        Weights = components * each;
        ParameterLayout = new VectorLayout().Add("weights", Units.None, Domain.Simplex, components, each);
        foreach (VectorBlock block in inner.ParameterLayout.Blocks)
            ParameterLayout.Add(IsOfComponents(block, larger)
                ? block with { Shape = [components, each, .. block.Shape.Skip(1)] }
                : block);
        _own = [.. inner.ParameterLayout.Blocks.Where(block => IsOfComponents(block, larger))];
        StatisticsLayout = new VectorLayout().Add("mixture_masses", components, each).Append(inner.StatisticsLayout);
    }

    /// <inheritdoc/>
    public override int Dimension => _inner.Dimension;

    /// <inheritdoc/>
    public override int Components { get; }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <summary>How many weights there are, K M: the family's parameters follow them.</summary>
    private int Weights { get; }

    /// <inheritdoc/>
    public override void Hold(IReadOnlyCollection<string> blocks) => _inner.Hold([.. blocks.Where(name => name != "weights")]);

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as MixtureEmissionEStep ?? new MixtureEmissionEStep(Components, _each, Dimension);
        result.Set(parameters.Span[..Weights], _inner.Prepare(parameters[Weights..], result.Inner));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        double prior = _imaginary / rows.Prior;
        ReadOnlySpan<double> own = statistics[..Weights];
        for (int k = 0; k < Components; k++)
        {
            double total = 0;
            for (int m = 0; m < _each; m++) total += own[k * _each + m];
            if (!(total * rows.Evidence >= ComponentEvidence.Some)) continue;
            for (int m = 0; m < _each; m++) result[k * _each + m] = (own[k * _each + m] + prior) / (total + _each * prior);
        }
        var met = new ModelEvents();
        _inner.Maximize(own, statistics[Weights..], rows, previous[Weights..], result[Weights..], met);
        foreach (ModelEvent item in met.All)
        {
            int state = item.Component < 0 ? -1 : item.Component / _each;
            // A state has no evidence when none of its components has.
            if (item.Kind != ModelEventKind.NoEvidence || state < 0 || masses[state] * rows.Evidence < ComponentEvidence.OneRow)
                events.Add(item.Kind, state, item.Value);
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        double prior = _imaginary / effectiveRows;
        for (int at = 0; at < Weights; at++) result[at] = parameters[at] * (masses[at / _each] + _each * prior) - prior;
        _inner.ImpliedStatistics(result[..Weights], parameters[Weights..], effectiveRows, result[Weights..]);
    }

    /// <inheritdoc/>
    public override bool HasGradient => _inner.HasGradient;

    /// <inheritdoc/>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        for (int at = 0; at < Weights; at++) result[at] = parameters[at] > 0 ? statistics[at] / parameters[at] : 0;
        _inner.Gradient(statistics[..Weights], statistics[Weights..], parameters[Weights..], result[Weights..]);
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result[..Weights].Fill(1.0 / _each);
        _inner.Neutral(result[Weights..]);
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        parameters.Slice(component * _each, _each).Fill(1.0 / _each);
        for (int m = 0; m < _each; m++) _inner.Reseed(parameters[Weights..], component * _each + m, location, variances);
        double[] units = new double[variances.Length];
        for (int d = 0; d < units.Length; d++) units[d] = variances[d] > 0 ? Math.Sqrt(variances[d]) : 1;
        Unfold(parameters, component, units);
    }

    /// <inheritdoc/>
    public override bool Unfold(Span<double> parameters, ReadOnlySpan<double> units)
    {
        for (int k = 0; k < Components; k++) Unfold(parameters, k, units);
        return _each > 1;
    }

    /// <inheritdoc/>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        for (int m = 0; m < _each; m++) _inner.Split(parameters[Weights..], component * _each + m, other * _each + m, units);
    }

    /// <inheritdoc/>
    public override int RedundantParameters => _inner.RedundantParameters;

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        int drawn = draws.Category(parameters.Slice(component * _each, _each));
        _inner.Sample(parameters[Weights..], component * _each + drawn, draws, row);
    }

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        parameters[..Weights].CopyTo(result);
        _inner.ToUserUnits(parameters[Weights..], space, result[Weights..]);
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        var own = new VectorLayout().Add(ParameterLayout["weights"]);
        UserUnits.From(own, parameters[..Weights], space, result[..Weights]);
        _inner.FromUserUnits(parameters[Weights..], space, result[Weights..]);
    }

    /// <summary>Copies the first component of a state to the others, and moves each apart from it.</summary>
    private void Unfold(Span<double> parameters, int component, ReadOnlySpan<double> units)
    {
        Span<double> inner = parameters[Weights..];
        int first = component * _each;
        for (int m = 1; m < _each; m++)
        {
            foreach (VectorBlock block in _own)
            {
                Span<double> values = block.Of(inner);
                int length = values.Length / Weights;
                values.Slice(first * length, length).CopyTo(values[((first + m) * length)..]);
            }
            _inner.Split(inner, first, first + m, units);
        }
    }

    private static bool IsOfComponents(VectorBlock block, Emission larger) =>
        larger.ParameterLayout[block.Name].Length > block.Length;
}
