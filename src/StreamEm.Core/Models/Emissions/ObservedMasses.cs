using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// How much responsibility each feature was observed with, for families whose features are independent given the component.
/// </summary>
internal static class ObservedMasses
{
    /// <summary>observed[k, d] += sum of r over the block's complete rows, the same for every feature; observed is K x D.</summary>
    public static void AddComplete(RowBlock block, ReadOnlySpan<double> responsibilities, int components, Span<double> observed)
    {
        int dimension = observed.Length / components;
        Span<double> masses = stackalloc double[components];
        masses.Clear();
        if (block.Incomplete.Length == 0)
        {
            WeightedSums.AddMasses(responsibilities, components, masses);
        }
        else
        {
            for (int k = 0; k < components; k++)
            {
                ReadOnlySpan<int> incomplete = block.Incomplete;
                for (int row = 0, next = 0; row < block.Count; row++)
                {
                    if (next < incomplete.Length && incomplete[next] == row) next++;
                    else masses[k] += responsibilities[k * RowBlock.Stride + row];
                }
            }
        }
        for (int at = 0; at < observed.Length; at++) observed[at] += masses[at / dimension];
    }
}
