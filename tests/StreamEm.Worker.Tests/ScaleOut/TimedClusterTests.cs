using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>What docs/scale-out.md says of 8 to 1 024 workers, tried in simulated time.</summary>
public sealed class TimedClusterTests
{
    /// <summary>Large minibatches: the E-step takes fifty times what a message costs the reducer.</summary>
    private static readonly ClusterCosts Slow = new(20e-3, 1e-3, 0.5e-3, 0.2e-3, 3e-3, 0.6e-3, 2e-3) { SnapshotEvery = 64 };

    /// <summary>Small ones: what the broker takes is longer than they.</summary>
    private static readonly ClusterCosts Fast = new(0.4e-3, 0.1e-3, 0.03e-3, 0.01e-3, 0.1e-3, 0.03e-3, 2e-3) { SnapshotEvery = 64 };

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(32)]
    public void Rate_UpToTheReducersCeiling_GrowsWithTheWorkers(int workers)
    {
        Assert.InRange(Slow.Workers, 1.2 * 32, 64);
        Near(workers / Slow.PerWorker, Slow.Simulate(workers, inFlight: 2).Rate, 0.03);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(256)]
    [InlineData(1024)]
    public void Rate_BeyondIt_IsTheReducers(int workers)
    {
        (double rate, double staleness) = Slow.Simulate(workers, inFlight: 2);

        Near(1 / Slow.PerReducer, rate, 0.03);
        // Everything that may be under way is.
        Near(2 * workers, staleness, 0.1);
    }

    [Theory]
    [InlineData(8, 2)]
    [InlineData(16, 2)]
    [InlineData(64, 2)]
    [InlineData(8, 32)]
    public void Rate_OfMinibatchesShorterThanTheLoop_IsWhatInFlightLeaves(int workers, int inFlight) =>
        Near(Fast.RateOf(workers, inFlight), Fast.Simulate(workers, inFlight).Rate, 0.08);

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(256)]
    public void Learning_UnderStaleParameters_ComesAsFarInAsManyRounds(int workers)
    {
        var line = new LearnedLine(seed: 5);
        var cluster = new TimedCluster(Slow, workers, line, seed: 1);
        double start = line.Gap;
        int round = 2 * workers + Reduction.Batch;

        cluster.RunTo(5 * round);
        double early = line.Gap;
        cluster.RunTo(20 * round);

        // In nats a record; one worker alone has 0.0034 after 20 x 18 minibatches.
        Assert.InRange(start, 0.09, 0.1);
        Assert.InRange(early, 0.007, 0.025);
        Assert.InRange(line.Gap, 0, 0.006);
        // Flow control alone keeps everything within what counts in full.
        Assert.Equal(0, cluster.NotInFull + cluster.BegunAnew);
        Assert.InRange(cluster.LargestStaleness, workers, round);
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(20, 1)]
    [InlineData(100, 1)]
    public void Worker_ThatIsMuchSlowerThanTheOthers_GetsItsRecordsIn(double slowest, int begunAnew)
    {
        const int Workers = 16, Each = 20;
        var cluster = new TimedCluster(Slow, Workers, new CountedModel(inFlight: 2), seed: 1, slowest: slowest);

        cluster.RunTo((int)(Each * slowest * Workers));

        // Once it was too late by more than is damped.
        Assert.InRange(cluster.BegunAnew, begunAnew, begunAnew);
        Assert.InRange(cluster.StandsAtSlowest, 0.8 * Each * TimedCluster.MinibatchSize, 1.2 * Each * TimedCluster.MinibatchSize);
    }

    [Fact]
    public void Simulation_OfOneSeed_IsTheSameTwice()
    {
        Assert.Equal(Fast.Simulate(32, inFlight: 2, seed: 3), Fast.Simulate(32, inFlight: 2, seed: 3));
        Assert.NotEqual(Fast.Simulate(32, inFlight: 2, seed: 3), Fast.Simulate(32, inFlight: 2, seed: 4));
    }

    private static void Near(double expected, double found, double share) =>
        Assert.InRange(found, expected * (1 - share), expected * (1 + share));
}
