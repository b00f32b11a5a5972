using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

public sealed class AllocationTests
{
    [Theory]
    [InlineData(CovarianceType.Full)]
    [InlineData(CovarianceType.Diag)]
    [InlineData(CovarianceType.Spherical)]
    [InlineData(CovarianceType.Tied)]
    public void Learn_SteadyState_AllocatesNothing(CovarianceType type)
    {
        var model = new GaussianMixtureOptions { Components = 3, CovarianceType = type };
        foreach (Recursion recursion in Enum.GetValues<Recursion>())
            foreach (int minibatch in (int[])[256, 512, 1000]) Assert.Equal(0, OfUpdates(model, recursion, minibatch));
    }

    /// <summary>The least of several stretches: a log-density as never before widens the sketch, whatever the number of records.</summary>
    private static long OfUpdates(GaussianMixtureOptions model, Recursion recursion, int minibatch)
    {
        const int warmUp = 8, measured = 8, stretches = 5;
        Minibatch rows = Gaussians.Three.Draw(minibatch * (warmUp + measured * stretches), 1);
        var options = new LearningOptions { MinibatchSize = minibatch, Recursion = recursion, AnomalyHalfLife = 1e4, Initialization = new() { Buffer = 2000 } };
        var learner = new Learner(model, 2, options, threads: 1);
        Streams.Feed(learner, rows, 0, minibatch * warmUp);
        long least = long.MaxValue;
        for (int stretch = 0; stretch < stretches; stretch++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Streams.Feed(learner, rows, minibatch * (warmUp + measured * stretch), minibatch * measured);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
