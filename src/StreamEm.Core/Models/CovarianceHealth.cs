using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models;

/// <summary>How near to singular covariances are: a fact of every model that has any.</summary>
internal static class CovarianceHealth
{
    /// <summary>The fact's name: the smallest eigenvalue of any covariance, user units.</summary>
    public const string SmallestEigenvalue = "min_covariance_eigenvalue";

    /// <summary>Adds the smallest eigenvalue of the blocks that are matrices of covariances or variances of features.</summary>
    public static void Add(VectorLayout layout, ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
        foreach (VectorBlock block in layout.Blocks)
        {
            if (block.Domain == Domain.PositiveDefinite)
                Add(SymmetricMatrix.MinEigenvalueOfAll(block.Of(parameters), block.Shape[^1]), facts);
            else if (block is { Domain: Domain.Positive, Units: Units.Square }) Add(Smallest(block.Of(parameters)), facts);
        }
    }

    /// <summary>Adds an eigenvalue unless a smaller one is known.</summary>
    public static void Add(double eigenvalue, IDictionary<string, double> facts) =>
        facts[SmallestEigenvalue] = facts.TryGetValue(SmallestEigenvalue, out double known) ? Math.Min(known, eigenvalue) : eigenvalue;

    private static double Smallest(ReadOnlySpan<double> values)
    {
        double smallest = double.PositiveInfinity;
        foreach (double value in values) smallest = Math.Min(smallest, value);
        return smallest;
    }
}
