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

    /// <summary>
    /// The probabilities of a feature's levels under a component, in the order of the levels; empty where the model has none.
    /// </summary>
    public ReadOnlySpan<double> Levels(int component, int feature)
    {
        string name = $"probabilities.{Space.Features[feature].Name}";
        // A part of a product puts its own name before, and a class its own before that.
        int ofClass = Components / Math.Max(1, _learned.Model.ClassesOfComponents.Count);
        string before = _learned.Model.ClassesOfComponents.Count == 0 ? "" : $"{_learned.Model.ClassesOfComponents[component / ofClass]}.";
        VectorBlock? block = _learned.Layout.Blocks
            .Where(block => block.Domain == Domain.Simplex && block.Name.StartsWith(before, StringComparison.Ordinal))
            .Where(block => block.Name == name || block.Name.EndsWith($".{name}", StringComparison.Ordinal))
            .MinBy(block => block.Name.Length);
        if (block is null) return default;
        int levels = block.Shape[^1];
        return block.Of((ReadOnlySpan<double>)_learned.Parameters).Slice(component % ofClass * levels, levels);
    }

    private bool TryMoments(ComponentModel model)
    {
        // What the families without moments leave stays unknown.
        Array.Fill(_means, double.NaN);
        Array.Fill(_variances, double.NaN);
        return model.TryComponentMoments(_learned.Parameters, _means, _variances);
    }
}
