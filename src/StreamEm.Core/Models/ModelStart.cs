using StreamEm.Core.Data;

namespace StreamEm.Core.Models;

/// <summary>What a model may start with: chance that is part of the configuration, and the ways that models share.</summary>
public abstract class ModelStart
{
    /// <summary>How many restarts the user asked for.</summary>
    public abstract int Restarts { get; }

    /// <summary>The chance of one restart: the same for the same seed.</summary>
    public abstract SplitMix64 Chance(int restart);

    /// <summary>
    /// Short and long runs of EM from partitions of the buffer (k-means++ and its relatives), ranked on held-out rows: for every model
    /// whose components respond to labels.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model's statistics do not change with the labels: it would start at a
    /// saddle.</exception>
    public abstract double[] Partition(ComponentModel model, Minibatch buffer);

    /// <summary>
    /// The best of the parameters that <paramref name="start"/> gives, one for every restart, after some iterations of EM each; ranked by
    /// log-likelihood.
    /// </summary>
    public abstract double[] Best(LatentModel model, Minibatch buffer, Func<SplitMix64, double[]> start);
}
