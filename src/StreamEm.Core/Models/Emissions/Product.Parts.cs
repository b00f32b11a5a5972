namespace StreamEm.Core.Models.Emissions;

/// <summary>What a part alone is asked.</summary>
internal sealed partial class Product
{
    /// <inheritdoc/>
    public override double Cumulative(ReadOnlySpan<double> parameters, int component, int feature, double value)
    {
        int at = 0, of = 0;
        for (; !_parts[of].Features.Contains(feature); of++) at += _parts[of].Emission.ParameterLayout.Length;
        Emission emission = _parts[of].Emission;
        return emission.Cumulative(
            parameters.Slice(at, emission.ParameterLayout.Length), component, Array.IndexOf(_parts[of].Features, feature), value);
    }

    /// <inheritdoc/>
    public override bool HasGradient => Array.TrueForAll(_parts, part => part.Emission.HasGradient);

    /// <inheritdoc/>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        int at = 0, from = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length, read = part.Emission.StatisticsLayout.Length;
            part.Emission.Gradient(masses, statistics.Slice(from, read), parameters.Slice(at, length), result.Slice(at, length));
            (at, from) = (at + length, from + read);
        }
    }

    /// <inheritdoc/>
    public override bool Unfold(Span<double> parameters, ReadOnlySpan<double> units)
    {
        bool hasMoved = false;
        int at = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length;
            hasMoved |= part.Emission.Unfold(parameters.Slice(at, length), Of(units, part.Features));
            at += length;
        }
        return hasMoved;
    }
}
