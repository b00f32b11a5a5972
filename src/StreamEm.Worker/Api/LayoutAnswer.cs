using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>What a model's parameters are, for whoever draws them without knowing the model.</summary>
/// <param name="Model">The model.</param>
/// <param name="Version">The version it was read from: a mixture that grows has other components later.</param>
/// <param name="Features">The columns of a record.</param>
/// <param name="Blocks">The blocks of parameters.</param>
internal sealed record LayoutAnswer(
    string Model, long Version, IReadOnlyList<FeatureAnswer> Features, IReadOnlyList<BlockAnswer> Blocks)
{
    public static LayoutAnswer Of(ModelSnapshot snapshot)
    {
        var axes = new BlockAxes(snapshot);
        return new LayoutAnswer(snapshot.ModelId, snapshot.Version, [.. snapshot.Space.Features.Select(FeatureAnswer.Of)],
            [.. snapshot.Layout.Blocks.Select(
                block => new BlockAnswer(block.Name, block.Shape, SnakeCase.Of(block.Domain), axes.Of(block)))]);
    }
}

/// <summary>A column of the records.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">number, count, binary, non_negative, level or terms.</param>
/// <param name="Levels">The levels, of a feature that has some.</param>
internal sealed record FeatureAnswer(string Name, string Kind, IReadOnlyList<string>? Levels)
{
    public static FeatureAnswer Of(Feature feature) =>
        new(feature.Name, SnakeCase.Of(feature.Kind), feature.Kind == FeatureKind.Level ? feature.Levels : null);
}

/// <summary>A block of parameters.</summary>
/// <param name="Name">Its name in the snapshot.</param>
/// <param name="Shape">Its extents, outermost first.</param>
/// <param name="Domain">real, positive, probability, simplex (along the last axis) or positive_definite (the last two).</param>
/// <param name="Axes">What each axis is of.</param>
internal sealed record BlockAnswer(string Name, IReadOnlyList<int> Shape, string Domain, IReadOnlyList<AxisAnswer> Axes);

/// <summary>An axis of a block.</summary>
/// <param name="Of">component, feature, coefficient, class, entry, row or index.</param>
/// <param name="Names">What its places are called; nothing where they have no names.</param>
internal sealed record AxisAnswer(string Of, IReadOnlyList<string>? Names);

/// <summary>Says what the axes of a model's blocks are, from what the blocks say of themselves.</summary>
internal sealed class BlockAxes(ModelSnapshot snapshot)
{
    private const string Intercept = "(intercept)";

    private static readonly AxisAnswer Index = new("index", null);

    private readonly ComponentModel? _model = snapshot.Model as ComponentModel;
    private readonly IReadOnlyList<string> _features = snapshot.Features;

    /// <summary>The axes of a block, outermost first.</summary>
    public IReadOnlyList<AxisAnswer> Of(VectorBlock block)
    {
        AxisAnswer[] axes = [.. block.Shape.Select(_ => Index)];
        if (axes.Length == 0) return axes;
        if (block.RowName is { } name)
        {
            int rows = block.Length / block.Shape[^1];
            return [new AxisAnswer("row", [.. Enumerable.Range(0, rows).Select(name)]), Entries(block) ?? Index];
        }

        int last = axes.Length - 1;
        axes[last] = Last(block);
        if (last > 0) axes[last - 1] = BeforeLast(block);
        for (int axis = 0; axis < last; axis++)
            if (axes[axis] == Index && Components(block, block.Shape[axis]) is { } components) axes[axis] = components;
        return axes;
    }

    private AxisAnswer Last(VectorBlock block)
    {
        int length = block.Shape[^1];
        bool isOfComponents = _model?.MixingBlocks.Any(mixing => mixing.Name == block.Name) == true
            || (block.Shape.Count == 1 && block.Units == Units.None && block.Features is null);
        return Entries(block) ?? (isOfComponents ? Components(block, length) : null) ?? block.Units switch
        {
            _ when block.HasValuesPerFeature => Index,
            Units.Coefficients or Units.Logits or Units.CoefficientProduct => Coefficients(length),
            _ => Classes(block, length) ?? Features(block, length) ?? Components(block, length),
        } ?? Index;
    }

    private AxisAnswer BeforeLast(VectorBlock block)
    {
        int length = block.Shape[^2];
        if (block.HasValuesPerFeature) return Features(block, length) ?? Index;
        return block.Units switch
        {
            Units.Product => Features(block, length) ?? Index,
            Units.CoefficientProduct => Coefficients(length) ?? Index,
            _ when block.Domain == Domain.PositiveDefinite => Features(block, length) ?? Index,
            _ => Index,
        };
    }

    /// <summary>Names that the block gives itself, or the levels of the feature it is named after.</summary>
    private AxisAnswer? Entries(VectorBlock block)
    {
        if (block.Entries is { Count: > 0 } entries) return new AxisAnswer("entry", entries);
        foreach (Feature feature in snapshot.Space.Features)
            if (feature.Kind == FeatureKind.Level && feature.Levels.Count == block.Shape[^1]
                && $".{block.Name}".EndsWith($".probabilities.{feature.Name}", StringComparison.Ordinal))
                return new AxisAnswer("entry", feature.Levels);
        return null;
    }

    private AxisAnswer? Features(VectorBlock block, int length)
    {
        string[] names = block.Features is { } some ? [.. some.Select(at => _features[at])] : [.. _features];
        return names.Length == length ? new AxisAnswer("feature", names) : null;
    }

    /// <summary>The intercept comes first; the target is no input.</summary>
    private AxisAnswer? Coefficients(int length)
    {
        string[] inputs = [.. snapshot.Schema.Features];
        return length == inputs.Length + 1 ? new AxisAnswer("coefficient", [Intercept, .. inputs])
            : length == inputs.Length ? new AxisAnswer("coefficient", inputs) : null;
    }

    private AxisAnswer? Classes(VectorBlock block, int length) =>
        block.Domain == Domain.Simplex && block.Shape.Count == 1 && snapshot.Model.Classes.Count == length
            ? new AxisAnswer("class", snapshot.Model.Classes)
            : null;

    /// <summary>All components, or those of the class that the block is named after.</summary>
    private AxisAnswer? Components(VectorBlock block, int length)
    {
        if (_model is null) return null;
        IReadOnlyList<string> classes = _model.ClassesOfComponents;
        int ofClass = classes.Count == 0 ? 0 : _model.Components / classes.Count;
        for (int c = 0; c < classes.Count; c++)
            if (length == ofClass && block.Name.StartsWith($"{classes[c]}.", StringComparison.Ordinal))
                return new AxisAnswer("component", [.. Enumerable.Range(c * ofClass, ofClass).Select(NameOf)]);
        return length == _model.Components
            ? new AxisAnswer("component", [.. Enumerable.Range(0, length).Select(NameOf)])
            : null;
    }

    private string NameOf(int k) => snapshot.ComponentIds[k];
}
