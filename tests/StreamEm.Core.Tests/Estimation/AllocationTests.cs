using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Estimation;

public sealed class AllocationTests
{
    [Theory]
    [InlineData(CovarianceType.Full)]
    [InlineData(CovarianceType.Diag)]
    [InlineData(CovarianceType.Spherical)]
    [InlineData(CovarianceType.Tied)]
    public void Learn_TwiceTheRecordsPerUpdate_AllocatesNoMore(CovarianceType type)
    {
        var model = new GaussianMixtureOptions { Components = 3, CovarianceType = type };
        long single = PerUpdate(model, 512), twice = PerUpdate(model, 1024);
        // What is left is the shards' bookkeeping, not the records: 512 more records may cost less than one double each.
        Assert.True(twice - single < 512, $"{single} bytes per update of 512 records, {twice} of 1024");
    }

    private static long PerUpdate(GaussianMixtureOptions model, int minibatch)
    {
        const int warmUp = 8, measured = 32;
        Minibatch rows = Gaussians.Three.Draw(minibatch * (warmUp + measured), 1);
        var learner = new Learner(model, 2, new LearningOptions { MinibatchSize = minibatch }, threads: 1);
        Streams.Feed(learner, rows, 0, minibatch * warmUp);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Streams.Feed(learner, rows, minibatch * warmUp, minibatch * measured);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / measured;
    }
}
