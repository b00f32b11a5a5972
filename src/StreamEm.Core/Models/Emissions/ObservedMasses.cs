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

    /// <summary>The block's incomplete rows: r, r x and r x^2 of the values each has.</summary>
    /// <param name="block">The rows.</param>
    /// <param name="responsibilities">K x <see cref="RowBlock.Stride"/>.</param>
    /// <param name="components">K.</param>
    /// <param name="observed">K x D, added to.</param>
    /// <param name="first">K x D, added to.</param>
    /// <param name="second">K x D, or K where the squares of all features are summed; added to.</param>
    public static void AddIncomplete(
        RowBlock block, ReadOnlySpan<double> responsibilities, int components, Span<double> observed, Span<double> first,
        Span<double> second)
    {
        int dimension = first.Length / components, squares = second.Length / components;
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            for (int k = 0, at = 0; k < components; k++)
            {
                double r = responsibilities[k * RowBlock.Stride + index];
                for (int d = 0; d < dimension; d++, at++)
                {
                    double x = row[d];
                    if (double.IsNaN(x)) continue;
                    observed[at] += r;
                    first[at] = Math.FusedMultiplyAdd(r, x, first[at]);
                    ref double sum = ref second[squares == 1 ? k : at];
                    sum = Math.FusedMultiplyAdd(r * x, x, sum);
                }
            }
        }
    }
}
