using StreamEm.Core.Features;
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
internal sealed partial class Product : Emission
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
    public override void Describe(ModelGraph graph, string record, IReadOnlyList<string> parents, string prefix = "")
    {
        foreach (ProductPart part in _parts)
            part.Emission.Describe(graph, $"{record} {part.Name}", parents, $"{prefix}{part.Name}.");
    }

    /// <inheritdoc/>
    public override EmSteps Steps => _parts.Aggregate(EmSteps.Exact, (steps, part) => steps | part.Emission.Steps);

    /// <inheritdoc/>
    public override void Summarize(ReadOnlySpan<double> masses, Span<double> averages, ReadOnlySpan<double> parameters)
    {
        int at = 0, from = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length, read = part.Emission.StatisticsLayout.Length;
            part.Emission.Summarize(masses, averages.Slice(from, read), parameters.Slice(at, length));
            (at, from) = (at + length, from + read);
        }
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
    public override int RedundantParameters => _parts.Sum(part => part.Emission.RedundantParameters);

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        int at = 0;
        Span<double> values = Dimension <= 256 ? stackalloc double[Dimension] : new double[Dimension];
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length;
            Span<double> own = values[..part.Features.Length];
            part.Emission.Sample(parameters.Slice(at, length), component, draws, own);
            for (int d = 0; d < own.Length; d++) row[part.Features[d]] = own[d];
            at += length;
        }
    }

    /// <inheritdoc/>
    /// <remarks>The parts' sum.</remarks>
    public override double Divergence(ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached)
    {
        if (other is not Product product || product._parts.Length != _parts.Length) return double.NaN;
        double sum = 0;
        for (int part = 0, at = 0, there = 0; part < _parts.Length; part++)
        {
            Emission own = _parts[part].Emission, its = product._parts[part].Emission;
            if (!product._parts[part].Features.AsSpan().SequenceEqual(_parts[part].Features)) return double.NaN;
            sum += own.Divergence(from.Slice(at, own.ParameterLayout.Length), component, its,
                to.Slice(there, its.ParameterLayout.Length), reached);
            (at, there) = (at + own.ParameterLayout.Length, there + its.ParameterLayout.Length);
        }
        return sum;
    }

    /// <inheritdoc/>
    /// <remarks>The parts are independent given the component.</remarks>
    public override void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        covariance.Clear();
        int at = 0;
        foreach (ProductPart part in _parts)
        {
            int length = part.Emission.ParameterLayout.Length, count = part.Features.Length;
            double[] means = new double[count], covariances = new double[count * count];
            part.Emission.Moments(parameters.Slice(at, length), component, means, covariances);
            for (int i = 0; i < count; i++)
            {
                mean[part.Features[i]] = means[i];
                for (int j = 0; j < count; j++)
                    covariance[part.Features[i] * Dimension + part.Features[j]] = covariances[i * count + j];
            }
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
