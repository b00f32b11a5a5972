using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>Parameters to start exactly at, in the user's units.</summary>
/// <param name="Blocks">Values by block name, row-major: weights, means, covariances.</param>
/// <param name="Standardization">From a snapshot, if there is one; else derived from the parameters' own moments.</param>
public sealed record InitialParameters(IReadOnlyDictionary<string, double[]> Blocks, Standardization? Standardization)
{
    /// <summary>The flat vector in a model's layout; a block that is a constant of the model (spherical <c>scale</c>) may be left out.</summary>
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
                if (block.Name == "scale") continue;
                throw new ArgumentException($"Initial parameters lack '{block.Name}'; {model.Type} has {model.ParameterLayout}.");
            }
            if (values.Length != block.Length)
                throw new ArgumentException($"Initial parameter '{block.Name}' has {values.Length} values; expected {block.Length}: {block}.");
            values.CopyTo(neutral, block.Offset);
        }
        return neutral;
    }
}
