using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>One factor of a product.</summary>
/// <param name="Name">What its blocks' names begin with.</param>
/// <param name="Emission">The family.</param>
/// <param name="Features">Its features, as numbers among those of the product.</param>
internal sealed record ProductPart(string Name, Emission Emission, int[] Features);

/// <summary>
/// Components of mixed records: families over different features, independent given the component, so that log p(x given z) is the sum of
/// the parts' and every part's M-step its own. The blocks of a part begin with its name: <c>gaussian.means</c>.
/// </summary>
internal sealed class Product : Emission
{
    private readonly ProductPart[] _parts;

    /// <summary>A product of parts, each of as many components.</summary>
    /// <param name="parts">At least one; no feature in two of them.</param>
    /// <param name="dimension">D.</param>
    public Product(IReadOnlyList<ProductPart> parts, int dimension)
    {
        (_parts, Dimension, Components) = ([.. parts], dimension, parts[0].Emission.Components);
        (ParameterLayout, StatisticsLayout, ScoreLayout) = (new VectorLayout(), new VectorLayout(), new VectorLayout());
        foreach (ProductPart part in parts)
        {
            ParameterLayout.Append(part.Emission.ParameterLayout, $"{part.Name}.", part.Features);
            StatisticsLayout.Append(part.Emission.StatisticsLayout, $"{part.Name}.", part.Features);
            ScoreLayout.Append(part.Emission.ScoreLayout, $"{part.Name}.", part.Features);
        }
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
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override void Hold(IReadOnlyCollection<string> blocks)
    {
        foreach (ProductPart part in _parts)
            part.Emission.Hold([.. blocks.Where(name => name.StartsWith($"{part.Name}.", StringComparison.Ordinal))
                .Select(name => name[(part.Name.Length + 1)..])]);
    }

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as ProductEStep ?? new ProductEStep(_parts);
        int at = 0;
        for (int part = 0; part < _parts.Length; part++)
        {
            int length = _parts[part].Emission.ParameterLayout.Length;
            result.Set(part, _parts[part].Emission.Prepare(parameters.Slice(at, length), result.Part(part)));
            at += length;
        }
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        int at = 0, from = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length, read = part.Emission.StatisticsLayout.Length;
            part.Emission
                .Maximize(masses, statistics.Slice(from, read), rows, previous.Slice(at, length), result.Slice(at, length), events);
            (at, from) = (at + length, from + read);
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        int at = 0, to = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length, written = part.Emission.StatisticsLayout.Length;
            part.Emission.ImpliedStatistics(masses, parameters.Slice(at, length), effectiveRows, result.Slice(to, written));
            (at, to) = (at + length, to + written);
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        int at = 0;
        foreach (ProductPart part in _parts)
        {
            part.Emission.Neutral(result.Slice(at, part.Emission.ParameterLayout.Length));
            at += part.Emission.ParameterLayout.Length;
        }
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        int at = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length;
            part.Emission.Reseed(parameters.Slice(at, length), component, Of(location, part.Features), Of(variances, part.Features));
            at += length;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Every part on its own.</remarks>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        int at = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length;
            part.Emission.Split(parameters.Slice(at, length), component, other, Of(units, part.Features));
            at += length;
        }
    }

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        int at = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length;
            part.Emission.ToUserUnits(parameters.Slice(at, length), space.Select(part.Features), result.Slice(at, length));
            at += length;
        }
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        int at = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length;
            part.Emission.FromUserUnits(parameters.Slice(at, length), space.Select(part.Features), result.Slice(at, length));
            at += length;
        }
    }

    /// <inheritdoc/>
    /// <remarks>A part without moments leaves mean 0 and variance 1 for its features, which then stay as they are.</remarks>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        int at = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length, count = part.Features.Length;
            double[] mean = new double[Components * count], variance = new double[Components * count];
            if (!part.Emission.TryMoments(parameters.Slice(at, length), mean, variance)) Array.Fill(variance, 1);
            for (int k = 0; k < Components; k++)
                for (int d = 0; d < count; d++)
                {
                    means[k * Dimension + part.Features[d]] = mean[k * count + d];
                    variances[k * Dimension + part.Features[d]] = variance[k * count + d];
                }
            at += length;
        }
        return true;
    }

    /// <inheritdoc/>
    public override double Covariance(ReadOnlySpan<double> parameters, int component, int feature, int other)
    {
        int at = 0, of = 0;
        for (; !_parts[of].Features.Contains(feature); of++) at += _parts[of].Emission.ParameterLayout.Length;
        (Emission emission, int[] features) = (_parts[of].Emission, _parts[of].Features);
        int one = Array.IndexOf(features, feature), two = Array.IndexOf(features, other);
        return two < 0 ? 0 : emission.Covariance(parameters.Slice(at, emission.ParameterLayout.Length), component, one, two);
    }

    /// <inheritdoc/>
    public override void PoolVariances(Span<double> variances)
    {
        foreach (ProductPart part in _parts)
        {
            double[] own = Of(variances, part.Features);
            part.Emission.PoolVariances(own);
            for (int d = 0; d < own.Length; d++) variances[part.Features[d]] = own[d];
        }
    }

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
        int at = 0;
        foreach (ProductPart part in _parts)
        {
            part.Emission.Health(parameters.Slice(at, part.Emission.ParameterLayout.Length), facts);
            at += part.Emission.ParameterLayout.Length;
        }
    }

    private static double[] Of(ReadOnlySpan<double> values, int[] features)
    {
        double[] result = new double[features.Length];
        for (int d = 0; d < result.Length; d++) result[d] = values[features[d]];
        return result;
    }
}

/// <summary>The E-step of a product: each part over its own selection of the block.</summary>
internal sealed class ProductEStep(ProductPart[] parts) : EmissionEStep
{
    private readonly EmissionEStep?[] _prepared = new EmissionEStep?[parts.Length];

    /// <summary>A part's E-step; null before <see cref="Set"/>.</summary>
    public EmissionEStep? Part(int part) => _prepared[part];

    /// <summary>Takes a part's E-step.</summary>
    public void Set(int part, EmissionEStep prepared) => _prepared[part] = prepared;

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        for (int part = 0; part < parts.Length; part++) _prepared[part]!.LogDensities(block.Select(part, parts[part].Features), logJoint);
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        spreads.Clear();
        Span<LogDensitySpread> own = spreads.Length <= 64
            ? stackalloc LogDensitySpread[spreads.Length]
            : new LogDensitySpread[spreads.Length];
        Span<double> values = row.Length <= 256 ? stackalloc double[row.Length] : new double[row.Length];
        for (int part = 0; part < parts.Length; part++)
        {
            int[] features = parts[part].Features;
            for (int d = 0; d < features.Length && !row.IsEmpty; d++) values[d] = row[features[d]];
            _prepared[part]!.Spread(row.IsEmpty ? [] : values[..features.Length], own);
            for (int k = 0; k < own.Length; k++) spreads[k] += own[k];
        }
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int at = 0;
        for (int part = 0; part < parts.Length; part++)
        {
            int length = parts[part].Emission.StatisticsLayout.Length;
            _prepared[part]!.Accumulate(block.Select(part, parts[part].Features), responsibilities, statistics.Slice(at, length));
            at += length;
        }
    }

    public override int MeasuredValues
    {
        get
        {
            int values = 0;
            foreach (EmissionEStep? part in _prepared) values += part!.MeasuredValues;
            return values;
        }
    }

    public override void AddPeaks(Span<double> peaks)
    {
        foreach (EmissionEStep? part in _prepared) part!.AddPeaks(peaks);
    }

    public override MeasuredDistance Distance(RowBlock block, int index, int component)
    {
        MeasuredDistance distance = default;
        for (int part = 0; part < parts.Length; part++)
            if (_prepared[part]!.MeasuredValues > 0)
                distance += _prepared[part]!.Distance(block.Select(part, parts[part].Features), index, component);
        return distance;
    }

    public override void Score(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> scores, int width)
    {
        int at = 0;
        for (int part = 0; part < parts.Length; part++)
        {
            if (parts[part].Emission.ScoreLayout.Length == 0) continue;
            _prepared[part]!.Score(block.Select(part, parts[part].Features), responsibilities, scores[at..], width);
            at += parts[part].Emission.ScoreLayout.Length;
        }
    }
}
