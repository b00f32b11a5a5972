using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Features;

/// <summary>
/// What the columns of the records are to a model, and how their values are expressed inside: x becomes (x - location) / scale, so that
/// offsets of 1e6 and units of 1e-6 do not cost digits, and a level its code. First a model's plan, made of names alone; then, once, filled
/// with what the first records say (<see cref="Learn"/>), and from then on part of the state and of every snapshot. Immutable.
/// </summary>
public sealed class FeatureSpace
{
    /// <summary>Values inside are held within this, so that no square overflows; a value so far off belongs to no component.</summary>
    private const double Limit = 1e100;

    private readonly double[] _location, _scale, _logScale, _variances;

    /// <summary>The features, in the model's order.</summary>
    /// <exception cref="ArgumentException">A location is not finite, or a scale not positive and finite.</exception>
    public FeatureSpace(IReadOnlyList<Feature> features)
    {
        foreach (Feature feature in features)
            if (!(feature.Scale > 0) || !double.IsFinite(feature.Scale) || !double.IsFinite(feature.Location))
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"Feature '{feature.Name}' has location {feature.Location:R} and scale {feature.Scale:R}; expected a finite location "
                        + $"and a positive scale."), nameof(features));
        Features = features;
        _location = [.. features.Select(feature => feature.Location)];
        _scale = [.. features.Select(feature => feature.Scale)];
        _logScale = Array.ConvertAll(_scale, ScalarMath.Log);
        _variances = [.. features.Select(feature => feature.Variance)];
        Scaling = new RowScaling(_location, Array.ConvertAll(_scale, scale => 1 / scale), Limit);
        HasLevels = features.Any(feature => feature.HasLevels);
        HasTerms = features.Any(feature => feature.Kind == FeatureKind.Terms);
    }

    /// <summary>The columns.</summary>
    public IReadOnlyList<Feature> Features { get; }

    /// <summary>Number of features D.</summary>
    public int Dimension => _scale.Length;

    /// <summary>The features' names.</summary>
    public IReadOnlyList<string> Names => [.. Features.Select(feature => feature.Name)];

    /// <summary>What the features hold; empty when all hold numbers.</summary>
    public IReadOnlyList<FeatureKind> Kinds =>
        Features.All(feature => feature.Kind == FeatureKind.Number) ? [] : [.. Features.Select(feature => feature.Kind)];

    /// <summary>Whether any feature holds levels.</summary>
    public bool HasLevels { get; }

    /// <summary>Whether any feature holds texts of terms.</summary>
    public bool HasTerms { get; }

    /// <summary>Location [D], user units.</summary>
    public ReadOnlySpan<double> Location => _location;

    /// <summary>Scale [D], user units; positive.</summary>
    public ReadOnlySpan<double> Scale => _scale;

    /// <summary>log(scale) [D]: log p in the user's units = log p inside - sum of log(scale) over the observed features.</summary>
    public ReadOnlySpan<double> LogScale => _logScale;

    /// <summary>Variance of every feature inside [D].</summary>
    public ReadOnlySpan<double> Variances => _variances;

    /// <summary>What takes rows inside.</summary>
    internal RowScaling Scaling { get; }

    /// <summary>Features that are numbers and stay as they are, of unit variance.</summary>
    public static FeatureSpace Unscaled(IEnumerable<string> names) =>
        new([.. names.Select(name => new Feature(name, Scaling: FeatureScaling.None))]);

    /// <summary>The same for D features.</summary>
    public static FeatureSpace Unscaled(int dimension) => Unscaled(RecordSchema.OfNumbers(dimension).Features);

    /// <summary>Some of the features, in the order given.</summary>
    public FeatureSpace Select(IReadOnlyList<int> features) => new([.. features.Select(feature => Features[feature])]);

    /// <summary>The same features, none of them scaled.</summary>
    public FeatureSpace WithoutScaling() => new([.. Features.Select(feature => feature with { Scaling = FeatureScaling.None })]);

    /// <summary>The same features with the most levels each may have, for what must know sizes before any record.</summary>
    public FeatureSpace WithMostLevels() => new([.. Features.Select(feature => !feature.HasLevels || feature.Levels.Count > 0
        ? feature
        : feature with { Levels = [.. Enumerable.Repeat("", feature.MaxLevels)] })]);

    /// <summary>The same features with other levels.</summary>
    public FeatureSpace WithLevels(Func<int, IReadOnlyList<string>> levels) =>
        new([.. Features.Select((feature, d) => feature.HasLevels ? feature with { Levels = levels(d) } : feature)]);

    /// <summary>The space with locations, scales and variances learned from rows in the user's units.</summary>
    public FeatureSpace Learn(Minibatch rows) => FeatureStatistics.Learn(this, rows);

    /// <summary>
    /// The space whose scaled features are standardised by given moments, user units [D]; of unit variance where these are the model's own.
    /// </summary>
    public FeatureSpace WithMoments(ReadOnlySpan<double> mean, ReadOnlySpan<double> variance)
    {
        Feature[] features = [.. Features];
        for (int d = 0; d < features.Length; d++)
        {
            if (features[d].Scaling == FeatureScaling.None)
                features[d] = features[d] with { Mean = mean[d], Variance = variance[d] > 0 ? variance[d] : 1 };
            else
            {
                double scale = variance[d] > 0 ? Math.Sqrt(variance[d]) : 1;
                features[d] = features[d].Scaling == FeatureScaling.ScaleOnly
                    ? features[d] with { Location = 0, Scale = scale, Mean = mean[d] / scale }
                    : features[d] with { Location = mean[d], Scale = scale };
            }
        }
        return new FeatureSpace(features);
    }

    /// <summary>The space with given locations and scales [D].</summary>
    /// <exception cref="ArgumentException">There are not D of each, or one is not valid.</exception>
    public FeatureSpace WithScales(IReadOnlyList<double> location, IReadOnlyList<double> scale)
    {
        if (location.Count != Dimension || scale.Count != Dimension)
            throw new ArgumentException(
                $"Location has {location.Count} features and scale {scale.Count}; expected {Dimension} each.", nameof(scale));
        return new FeatureSpace([.. Features.Select((feature, d) => feature with { Location = location[d], Scale = scale[d] })]);
    }

    /// <summary>The space with other variances inside [D].</summary>
    public FeatureSpace WithVariances(ReadOnlySpan<double> variances)
    {
        Feature[] features = [.. Features];
        for (int d = 0; d < features.Length; d++) features[d] = features[d] with { Variance = variances[d] };
        return new FeatureSpace(features);
    }

    /// <summary>The space with other means inside [D].</summary>
    /// <exception cref="ArgumentException">There are not D of them.</exception>
    internal FeatureSpace WithMeans(IReadOnlyList<double> means) => means.Count == Dimension
        ? new([.. Features.Select((feature, d) => feature with { Mean = means[d] })])
        : throw new ArgumentException($"There are means of {means.Count} features; expected {Dimension}.", nameof(means));

    /// <summary>
    /// Overwrites <paramref name="result"/> with rows of <paramref name="batch"/> (levels as codes, else user units) as they are inside.
    /// </summary>
    /// <returns>Whether no value is missing.</returns>
    public bool Encode(Minibatch batch, int first, int count, Minibatch result)
    {
        result.Clear();
        Span<double> values = result.AppendSpace(batch, first, count);
        if (batch.Ahead is { } ahead) EncodeAhead(ahead, result);
        return Scaling.Apply(batch.Values.Slice(first * batch.Dimension, count * batch.Dimension), values);
    }

    private void EncodeAhead(Minibatch ahead, Minibatch result)
    {
        Minibatch inside = result.BeginAhead();
        Encode(ahead, 0, ahead.Count, inside);
        // Of the last sequences, behind which there is nothing.
        while (inside.SequenceStarts.Length < ahead.SequenceStarts.Length) inside.BeginSequence();
    }
}
