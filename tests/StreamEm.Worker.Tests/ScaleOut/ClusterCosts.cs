using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>What the parts of a cluster take, in seconds, as <c>./build.sh bench --only scale-out</c> measures it.</summary>
/// <param name="Minibatch">A worker's E-step, and the message made of it.</param>
/// <param name="Restore">The newest parameters, taken before it.</param>
/// <param name="Follow">A published state read.</param>
/// <param name="Fold">A message decoded, checked and folded.</param>
/// <param name="Version">A snapshot made.</param>
/// <param name="Publish">A state's bytes made.</param>
/// <param name="Broker">From a message sent to a message acknowledged, or read.</param>
internal sealed record ClusterCosts(
    double Minibatch, double Restore, double Follow, double Fold, double Version, double Publish, double Broker)
{
    /// <summary>Updates from one snapshot to the next.</summary>
    public int SnapshotEvery { get; init; } = 1;

    /// <summary>A worker's time for a message.</summary>
    public double PerWorker => Minibatch + Restore;

    /// <summary>The reducer's time for a message when there are always more at hand: a state is published after so many.</summary>
    public double PerReducer => Fold + Version / SnapshotEvery + (Publish + Broker) / Reduction.Batch;

    /// <summary>The workers that keep the reducer busy: N*.</summary>
    public double Workers => PerWorker / PerReducer;

    /// <summary>
    /// From a message sent to its worker's knowing that it is in the model: the message's way, a state that is just being published, its
    /// own, and the way back.
    /// </summary>
    public double Loop => 3 * Broker + 2 * Publish + Fold + Follow;

    /// <summary>
    /// Messages a second of so many workers by the formula: their own rate, but no more than in_flight messages each in the time of a
    /// message and the loop, and no more than the reducer takes.
    /// </summary>
    public double RateOf(int workers, int inFlight) =>
        Math.Min(Math.Min(workers / PerWorker, workers * inFlight / (PerWorker + Loop)), 1 / PerReducer);

    /// <summary>The same as tried in simulated time.</summary>
    public (double Rate, double Staleness) Simulate(int workers, int inFlight, int seed = 1)
    {
        var cluster = new TimedCluster(this, workers, new CountedModel(inFlight), seed, inFlight);
        int round = workers * inFlight;
        cluster.RunTo(2 * round);
        cluster.Forget();
        cluster.RunTo(4 * round + 400);
        return cluster.BegunAnew == 0 ? (cluster.Rate, cluster.Staleness)
            : throw new InvalidOperationException("A message was not counted.");
    }
}
