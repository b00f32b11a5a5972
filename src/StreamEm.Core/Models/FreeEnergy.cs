using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models;

/// <summary>What of a block's log-likelihood is energy E_q[log p(x, z)], entropy H(q) and KL(q || p(z given x)).</summary>
internal static class FreeEnergy
{
    /// <summary>Adds entropy and divergence to a block's evidence.</summary>
    /// <param name="evidence">The weight of the rows used and their log-likelihood.</param>
    /// <param name="count">Rows in the block.</param>
    /// <param name="space">Responsibilities times the rows' weights, 0 for rows not used, and the log joint densities they are of.</param>
    /// <param name="components">K.</param>
    /// <param name="isPosterior">Whether responsibilities are Bayes'; then the entropy is what energy leaves, without a logarithm.</param>
    public static Evidence Split(Evidence evidence, int count, BlockWorkspace space, int components, bool isPosterior)
    {
        double energy = 0;
        for (int k = 0; k < components; k++)
            energy += LaneSums.ProductsAbove(
                space.LogJoint.Slice(k * RowBlock.Stride, count), space.LogJointBefore.Slice(k * RowBlock.Stride, count), Least);
        if (isPosterior) return evidence with { Entropy = Math.Max(0, evidence.LogLikelihood - energy) };
        double entropy = 0;
        Span<double> weights = stackalloc double[RowBlock.Capacity];
        weights.Clear();
        for (int k = 0; k < components; k++) Interpolation.Add(weights[..count], space.LogJoint.Slice(k * RowBlock.Stride, count));
        for (int k = 0; k < components; k++)
        {
            ReadOnlySpan<double> shares = space.LogJoint.Slice(k * RowBlock.Stride, count);
            for (int i = 0; i < shares.Length; i++)
                if (shares[i] > 0 && shares[i] != weights[i]) entropy -= shares[i] * ScalarMath.Log(shares[i] / weights[i]);
        }
        return evidence with { Entropy = entropy, Divergence = evidence.LogLikelihood - energy - entropy };
    }

    /// <summary>A smaller logarithm is taken for this one, so that a share of 0 of it is 0.</summary>
    private const double Least = -1e300;
}
