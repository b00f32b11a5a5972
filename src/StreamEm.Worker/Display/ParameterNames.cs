using System.Globalization;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Worker.Display;

/// <summary>What single values of a model are called.</summary>
internal static class ParameterNames
{
    /// <summary>The part of a symmetric matrix that is there twice.</summary>
    public static bool IsMirrored(VectorBlock block, int entry)
    {
        int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
        return block.Domain == Domain.PositiveDefinite && entry % last > entry / last % last;
    }

    /// <summary><c>means[c0, pressure]</c>: ids of components and names of features and entries where an axis is of them, else numbers.
    /// </summary>
    public static string Of(LearnedModel snapshot, VectorBlock block, int entry) =>
        block.Shape.Count == 0 ? block.Name : $"{block.Name}[{InBlock(snapshot, block, entry)}]";

    /// <summary>The same without the block: <c>c0, pressure</c>.</summary>
    public static string InBlock(LearnedModel snapshot, VectorBlock block, int entry)
    {
        string[] places = new string[block.Shape.Count];
        for (int axis = places.Length - 1; axis >= 0; axis--)
        {
            int extent = block.Shape[axis], at = entry % extent;
            entry /= extent;
            bool isOfComponents = axis == 0 && snapshot.Model is ComponentModel && extent == snapshot.ComponentIds.Count
                && block.Domain != Domain.PositiveDefinite | block.Shape.Count > 2;
            IReadOnlyList<int> features = block.Features ?? [.. Enumerable.Range(0, snapshot.Features.Count)];
            places[axis] = isOfComponents ? snapshot.ComponentIds[at]
                : block.Entries is { } entries && axis == places.Length - 1 ? entries[at]
                : block.Units is Units.Value or Units.Deviation or Units.Square or Units.Product && features.Count == extent
                    ? snapshot.Features[features[at]]
                    : at.ToString(CultureInfo.InvariantCulture);
        }

        return string.Join(", ", places);
    }
}
