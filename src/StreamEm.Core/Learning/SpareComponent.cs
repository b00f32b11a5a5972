using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Learning;

/// <summary>
/// A component that can be spared for a cluster that has none: one of two that share a cluster, or one that has lost its weight. What two
/// are to each other is the bound of Runnalls (2007, equation 16) on what the density of the stream loses when they become one, with the
/// features apart:
/// <code>
/// B(i, j) = 1/2 sum_d [(s_i + s_j) log v_ij,d - s_i log v_i,d - s_j log v_j,d]    nats per record; v_ij of both together
/// </code>
/// One normal cluster shared by two in halves has B = 1.0 min(s_i, s_j), two of equal share and width whose peaks are 3.7 deviations apart
/// 1.5, and a small component 1.7 deviations beside a large one 1.5 as well.
/// </summary>
internal static class SpareComponent
{
    /// <summary>The largest B / min(s_i, s_j) of two components that share a cluster.</summary>
    private const double Shared = 1.5;

    /// <summary>The largest difference of two probabilities that count as one.</summary>
    private const double SameProbability = 0.1;

    /// <summary>The two components of which one can be spared at least cost; null when there are none.</summary>
    public static (int One, int Other)? Find(ComponentModel model, StepwiseState state)
    {
        int dimension = model.Dimension, components = model.Components;
        double[] means = new double[components * dimension], variances = new double[means.Length];
        if (model.FixedBlocks.Count > 0 || !model.TryComponentMoments(state.Parameters, means, variances)) return null;
        (int, int)? found = null;
        double least = double.PositiveInfinity;
        for (int i = 0; i < components; i++)
            for (int j = i + 1; j < components; j++)
            {
                double smaller = Math.Min(state.Shares[i], state.Shares[j]);
                double cost = Cost(state.Shares[i], state.Shares[j], Of(means, i), Of(means, j), Of(variances, i), Of(variances, j));
                bool isStarved = smaller * state.EffectiveRows < dimension + 1;
                bool isShared = cost <= Shared * smaller && HaveSameProbabilities(model, state.Parameters, i, j);
                if ((isStarved || isShared) && cost < least) (found, least) = ((i, j), cost);
            }
        return found;

        ReadOnlySpan<double> Of(double[] values, int k) => values.AsSpan(k * dimension, dimension);
    }

    /// <summary>
    /// Makes two components one and moves the one left over to a cluster; it is the last from then on. False, and nothing changed, where
    /// the model cannot.
    /// </summary>
    /// <param name="options">The model's options.</param>
    /// <param name="space">The features.</param>
    /// <param name="model">The model.</param>
    /// <param name="state">Where it stands; changed.</param>
    /// <param name="pair">The two.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="gone">The component that is no more where it was.</param>
    public static bool TryMove(LatentModelOptions options, FeatureSpace space, ComponentModel model, StepwiseState state,
        (int One, int Other) pair, HeldCluster cluster, out int gone)
    {
        gone = -1;
        if (ComponentChange.WithOneLess(options, model, space) is not { } less) return false;
        StepwiseState merged = ComponentChange.Merge(model, less, state, pair, out _, out int left);
        StepwiseState moved = ComponentChange.AddEmpty(less, model, merged);
        int last = model.Components - 1;
        double share = Math.Max(cluster.Share, 1e-6);
        if (!model.TryPlace(moved.Parameters, moved.Statistics, last, cluster.Location, cluster.Variances, share)) return false;
        ComponentModel.GiveShare(moved.Shares, last, share);
        moved.Parameters.CopyTo(state.Parameters, 0);
        moved.Statistics.CopyTo(state.Statistics, 0);
        moved.Shares.CopyTo(state.Shares, 0);
        state.Events.Add(ModelEventKind.Reseeded, last, share);
        gone = left;
        return true;
    }

    private static double Cost(double one, double other, ReadOnlySpan<double> means, ReadOnlySpan<double> otherMeans,
        ReadOnlySpan<double> variances, ReadOnlySpan<double> otherVariances)
    {
        double both = one + other, cost = 0;
        if (!(both > 0)) return 0;
        for (int d = 0; d < means.Length; d++)
        {
            double a = Math.Max(variances[d], 1e-100), b = Math.Max(otherVariances[d], 1e-100), difference = means[d] - otherMeans[d];
            double together = (one * a + other * b) / both + one * other * difference * difference / (both * both);
            cost += 0.5 * (both * ScalarMath.Log(together) - one * ScalarMath.Log(a) - other * ScalarMath.Log(b));
        }
        return cost;
    }

    /// <summary>Whether two components agree in what has no moments: levels, yes and no.</summary>
    private static bool HaveSameProbabilities(ComponentModel model, double[] parameters, int one, int other)
    {
        foreach (VectorBlock block in model.ParameterLayout.Blocks)
        {
            if (block.Domain is not (Domain.Probability or Domain.Simplex) || block.Shape.Count < 2 || block.Shape[0] != model.Components
                || model.MixingBlocks.Any(mixing => mixing.Name == block.Name)) continue;
            int length = block.Length / model.Components;
            ReadOnlySpan<double> values = block.Of((ReadOnlySpan<double>)parameters);
            for (int at = 0; at < length; at++)
                if (Math.Abs(values[one * length + at] - values[other * length + at]) > SameProbability) return false;
        }
        return true;
    }
}
