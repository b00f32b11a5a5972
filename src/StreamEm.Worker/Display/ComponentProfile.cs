using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Display;

/// <summary>
/// What the components of a learned model say of each feature, user units: a mean and its spread, or the probabilities of levels.
/// </summary>
internal sealed class ComponentProfile
{
    private const double SameValue = 1e-12;

    private readonly LearnedModel _learned;
    private readonly double[] _means, _variances;
    private readonly bool _hasMoments;

    /// <summary>Reads a model's parameters.</summary>
    public ComponentProfile(LearnedModel learned, ComponentModel model)
    {
        (_learned, Components) = (learned, model.Components);
        int length = Components * model.Dimension;
        (Weights, _means, _variances) = (new double[Components], new double[length], new double[length]);
        // Inside: a gate's shares are those where the features are at their means.
        double[] inside = new double[model.ParameterLayout.Length];
        model.FromUserUnits(learned.Parameters, learned.Space, inside);
        model.Shares(inside, Weights);
        Space = learned.Space;
        _hasMoments = TryMoments(model);
    }

    /// <summary>Whether components have means and variances.</summary>
    public bool HasMoments => _hasMoments;

    /// <summary>Number of components K.</summary>
    public int Components { get; }

    /// <summary>How much of the stream each component accounts for [K].</summary>
    public double[] Weights { get; }

    /// <summary>The features.</summary>
    public FeatureSpace Space { get; }

    /// <summary>A component's id, with the label it was named after where it has one.</summary>
    public string NameOf(int component) => component < _learned.Labels.Count && _learned.Labels[component] is { } label
        ? PrintableText.Of($"{_learned.ComponentIds[component]} {label}")
        : _learned.ComponentIds[component];

    /// <summary>
    /// The mean of a feature under a component - of a count the rate, of a binary feature the probability of 1; NaN where the model has
    /// none.
    /// </summary>
    public double Mean(int component, int feature) => _hasMoments ? _means[component * Space.Dimension + feature] : double.NaN;

    /// <summary>Its standard deviation; NaN where the model has none.</summary>
    public double Deviation(int component, int feature) =>
        _hasMoments ? Math.Sqrt(_variances[component * Space.Dimension + feature]) : double.NaN;

    /// <summary>Where the weight of a component is; unknown where it is no parameter by itself.</summary>
    public ValueRange WeightRange(int component) => RangeOf(Weights[component], block => block.Shape.Count == 1
        && block.Domain == Domain.Simplex && block.Length == Components ? component : null);

    /// <summary>Where the mean of a feature under a component is; unknown where it is no parameter by itself.</summary>
    public ValueRange MeanRange(int component, int feature) => RangeOf(Mean(component, feature), block =>
    {
        if (block.Shape.Count != 2 || block.Units is Units.Square or Units.Deviation or Units.Product) return null;
        int place = block.Features is { } some ? some.ToList().IndexOf(feature) : feature, width = block.Shape[1];
        return place >= 0 && width == (block.Features?.Count ?? Space.Dimension) ? component % block.Shape[0] * width + place : null;
    });

    /// <summary>The range of the parameter that is a value: of the first block that has it where it would be.</summary>
    /// <param name="value">The value.</param>
    /// <param name="entryOf">Which entry of a block it would be; null where the block has none of its kind.</param>
    private ValueRange RangeOf(double value, Func<VectorBlock, int?> entryOf)
    {
        if (_learned.Intervals is not { } intervals) return ValueRange.Unknown;
        foreach (VectorBlock block in _learned.Layout.Blocks)
            if (entryOf(block) is { } entry
                && Math.Abs(_learned.Parameters[block.Offset + entry] - value) <= SameValue * Math.Abs(value))
                return ValueRange.Of(intervals, block.Offset + entry);
        return ValueRange.Unknown;
    }

    /// <summary>
    /// The probabilities of a feature's levels under a component, in the order of the levels; empty where the model has none.
    /// </summary>
    public ReadOnlySpan<double> Levels(int component, int feature)
    {
        (int at, int levels) = PlaceOfLevels(component, feature);
        return _learned.Parameters.AsSpan(at, levels);
    }

    /// <summary>Where the probability of a level is.</summary>
    public ValueRange LevelRange(int component, int feature, int level) =>
        ValueRange.Of(_learned.Intervals, PlaceOfLevels(component, feature).At + level);

    private (int At, int Levels) PlaceOfLevels(int component, int feature)
    {
        string name = $"probabilities.{Space.Features[feature].Name}";
        // A part of a product puts its own name before, and a class its own before that.
        int ofClass = Components / Math.Max(1, _learned.Model.ClassesOfComponents.Count);
        string before = _learned.Model.ClassesOfComponents.Count == 0 ? "" : $"{_learned.Model.ClassesOfComponents[component / ofClass]}.";
        VectorBlock? block = _learned.Layout.Blocks
            .Where(block => block.Domain == Domain.Simplex && block.Name.StartsWith(before, StringComparison.Ordinal))
            .Where(block => block.Name == name || block.Name.EndsWith($".{name}", StringComparison.Ordinal))
            .MinBy(block => block.Name.Length);
        return block is null ? (0, 0) : (block.Offset + component % ofClass * block.Shape[^1], block.Shape[^1]);
    }

    private bool TryMoments(ComponentModel model)
    {
        // What the families without moments leave stays unknown.
        Array.Fill(_means, double.NaN);
        Array.Fill(_variances, double.NaN);
        return model.TryComponentMoments(_learned.Parameters, _means, _variances);
    }
}
