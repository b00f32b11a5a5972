using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>A stream that becomes less likely says so, and one that stays as it is does not.</summary>
public sealed class LikelihoodWatchTests
{
    private static readonly LearningOptions Options = new() { MinibatchSize = 200, Initialization = new() { Buffer = 2000, NInit = 1 } };

    [Theory]
    // Log-densities of the plane's normal distribution, less a constant: exponential; means of 100 of them.
    [InlineData(100, 0)]
    // Few rows: a skewed mean.
    [InlineData(10, 0)]
    // Minibatches that follow each other.
    [InlineData(100, 0.9)]
    public void Take_StationaryMeans_NeverFall(int rows, double correlation)
    {
        var draws = new RandomDraws(7);
        for (int stream = 0; stream < 20; stream++)
        {
            var watch = new LikelihoodWatch();
            double noise = 0;
            for (int update = 1; update <= 10_000; update++)
            {
                double own = (draws.Gamma(rows) - rows) / Math.Sqrt(rows);
                noise = correlation * noise + Math.Sqrt(1 - correlation * correlation) * own;
                watch.Take(-3 - noise, rows, update);
                Assert.Equal(0, watch.FellWith);
            }
        }
    }

    [Theory]
    [InlineData(1.0, 400)]
    [InlineData(3.0, 80)]
    [InlineData(30.0, 14)]
    public void Take_MeansFallBySoManyDeviations_IsNoticedWithinSoManyUpdates(double fall, int within)
    {
        var draws = new RandomDraws(8);
        for (int stream = 0; stream < 20; stream++)
        {
            var watch = new LikelihoodWatch();
            int noticed = 0;
            for (int update = 1; update <= 2000 && noticed == 0; update++)
            {
                watch.Take((update > 1000 ? -3 - fall : -3) + draws.Normal(), 100, update);
                if (watch.FellWith > 0) noticed = update;
            }
            Assert.InRange(noticed, 1001, 1000 + within);
            Assert.Equal(-3, watch.FellFrom, 0.3);
            Assert.InRange(watch.FellTo, -3 - fall, watch.FellFrom - 0.4);
        }
    }

    [Fact]
    public void Take_MeansThatSinkSlowly_FallToo()
    {
        var draws = new RandomDraws(9);
        var watch = new LikelihoodWatch();
        int noticed = 0;
        for (int update = 1; update <= 6000 && noticed == 0; update++)
        {
            watch.Take(-3 - Math.Max(0, update - 1000) * 0.0005 + draws.Normal(), 100, update);
            if (watch.FellWith > 0) noticed = update;
        }
        Assert.InRange(noticed, 1500, 4500);
    }

    [Fact]
    public void Take_AfterAFall_TellsItUntilTheMeanHasComeBackOrTimeHasPassed()
    {
        LikelihoodWatch Fallen(double after, int updates)
        {
            var draws = new RandomDraws(10);
            var watch = new LikelihoodWatch();
            for (int update = 1; update <= 1100 + updates; update++)
                watch.Take((update <= 1000 ? -3 : update <= 1100 ? -8 : after) + draws.Normal(), 100, update);
            return watch;
        }
        Assert.InRange(Fallen(-8, 100).FellWith, 1001, 1100);
        Assert.Equal(0, Fallen(-3, 300).FellWith);
        Assert.Equal(0, Fallen(-8, 1200).FellWith);
    }

    [Fact]
    public void Warnings_OfAMillionStationaryRecords_SayNothingOfAFall()
    {
        var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Options);
        for (ulong part = 0; part < 20; part++)
        {
            Streams.Feed(learner, Gaussians.Three.Draw(50_000, 100 + part), 0, 50_000);
            Assert.DoesNotContain(Streams.Snapshot(learner).Training.Warnings, IsFall);
        }
        TrainingReport training = Streams.Snapshot(learner).Training;
        // The entropy of the source, by its own density.
        Assert.Equal(Truth(Gaussians.Three.Draw(50_000, 99)), training.RunningMeanLogLikelihood, 0.02);
        Assert.Equal(training.RunningMeanLogLikelihood, training.RecentMeanLogLikelihood, 0.02);
        Assert.Equal(training.MeanLogLikelihood, training.Energy + training.Entropy, 1e-12);
    }

    [Theory]
    [InlineData(LearnMode.Always)]
    [InlineData(LearnMode.Bounded)]
    public void Warnings_OfAStreamThatBreaks_SayFromWhereToWhere(LearnMode learn)
    {
        Gaussians wider = Gaussians.Three with
        {
            Covariances = [.. Gaussians.Three.Covariances.Select(covariance => covariance.Select(value => 3 * value).ToArray())],
        };
        var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Options with { Learn = learn });
        Streams.Feed(learner, Gaussians.Three.Draw(100_000, 1), 0, 100_000);
        Assert.DoesNotContain(Streams.Snapshot(learner).Training.Warnings, IsFall);

        Streams.Feed(learner, wider.Draw(20_000, 2), 0, 20_000);

        ModelWarning warning = Assert.Single(Streams.Snapshot(learner).Training.Warnings, IsFall);
        Assert.Matches(
            @"^the log-likelihood fell with update 5\d\d: its running mean, every minibatch under the parameters before it, went from "
                + @"-3\.\d+ to -\d\.\d+ nats per record\. ",
            warning.Text);

        // It is part of the state.
        var resumed = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Options with { Learn = learn });
        resumed.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
        Assert.Equal(warning, Assert.Single(Streams.Snapshot(resumed).Training.Warnings, IsFall));
    }

    private static bool IsFall(ModelWarning warning) => warning.Kind == ModelWarningKind.LogLikelihoodFell;

    private static double Truth(Minibatch rows)
    {
        var exact = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), new LearningOptions(), Gaussians.Three.Exact());
        Streams.Feed(exact, rows, 0, rows.Count);
        return exact.CreateSnapshot()!.Training.RunningMeanLogLikelihood;
    }
}
