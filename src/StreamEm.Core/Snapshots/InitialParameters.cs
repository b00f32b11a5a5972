using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>Parameters to start exactly at, in the user's units.</summary>
/// <param name="Blocks">Values by block name, row-major: weights, means, covariances.</param>
public sealed record InitialParameters(IReadOnlyDictionary<string, double[]> Blocks)
{
    /// <summary>Location [D] of the features, from a snapshot; null derives it from the parameters' own moments.</summary>
    public double[]? Location { get; init; }

    /// <summary>Scale [D] of the features, where there is a location.</summary>
    public double[]? Scale { get; init; }

    /// <summary>Mean [D] of the features inside, from a snapshot of counts or amounts; null where it does not say.</summary>
    public double[]? Mean { get; init; }

    /// <summary>
    /// How far the snapshot had come that the parameters are of, which learning then goes on from: t, the step size and what the parameters
    /// are worth. Null starts at t = 0 with parameters taken as exact.
    /// </summary>
    public TrainingReport? Progress { get; init; }

    /// <summary>The snapshot that they are of; null of mere parameters, and of snapshots that do not say what they are.</summary>
    public SnapshotParent? Parent { get; init; }

    /// <summary>The snapshot's calibration; null without.</summary>
    public Calibration.AnomalyCalibration? Calibration { get; init; }

    /// <summary>The snapshot's ids of components; empty without.</summary>
    public IReadOnlyList<string> ComponentIds { get; init; } = [];

    /// <summary>The snapshot's labels of components; empty without.</summary>
    public IReadOnlyList<string?> Labels { get; init; } = [];

    /// <summary>The levels of every feature that has any, by its name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Levels { get; init; } =
        new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);

    /// <summary>The terms of a feature that holds texts, in the order of their columns; none where none are given.</summary>
    public IReadOnlyList<string> Vocabulary { get; init; } = [];

    /// <summary>The features a model would see, with the levels given.</summary>
    /// <exception cref="ArgumentException">The schema does not fit the model, or a feature's levels are not given.</exception>
    public FeatureSpace Plan(LatentModelOptions model, RecordSchema schema)
    {
        FeatureSpace plan = model.Plan(schema);
        return plan.WithLevels(d => Levels.TryGetValue(plan.Features[d].Name, out IReadOnlyList<string>? levels) && levels.Count > 0
            ? levels
            : plan.Features[d].Kind == FeatureKind.Terms && Vocabulary.Count > 0 ? Vocabulary
            : plan.Features[d].Levels.Count > 0 ? plan.Features[d].Levels
            : throw new ArgumentException(
                plan.Features[d].Kind == FeatureKind.Terms
                    ? "Initial parameters lack the vocabulary; add \"vocabulary\": [...] in the order of their columns."
                    : $"Initial parameters lack the levels of feature '{plan.Features[d].Name}'; add \"levels\": "
                        + $"{{\"{plan.Features[d].Name}\": [...]}} in the order of its probabilities."));
    }

    /// <summary>
    /// The flat vector in a model's layout; a block that is a constant of the model (spherical <c>scale</c>) may be left out.
    /// </summary>
    /// <exception cref="ArgumentException">A block is missing, unknown or of the wrong length.</exception>
    public double[] Flatten(LatentModel model)
    {
        double[] neutral = new double[model.ParameterLayout.Length];
        model.Neutral(neutral);
        foreach (string name in Blocks.Keys)
            if (!model.ParameterLayout.Contains(name))
                throw new ArgumentException($"Initial parameters have a block '{name}'; {model.Type} has {model.ParameterLayout}.");
        foreach (VectorBlock block in model.ParameterLayout.Blocks)
        {
            if (!Blocks.TryGetValue(block.Name, out double[]? values))
            {
                if (block.IsOptional) continue;
                throw new ArgumentException($"Initial parameters lack '{block.Name}'; {model.Type} has {model.ParameterLayout}.");
            }
            if (values.Length != block.Length)
                throw new ArgumentException(
                    $"Initial parameter '{block.Name}' has {values.Length} values; expected {block.Length}: {block}.");
            values.CopyTo(neutral, block.Offset);
        }
        return neutral;
    }
}
