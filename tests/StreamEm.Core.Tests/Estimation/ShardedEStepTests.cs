using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Estimation;

/// <summary>However a minibatch is cut and on however many threads: every row counts, and counts once.</summary>
public sealed class ShardedEStepTests
{
    private static readonly Mixture Model = Gaussians.Model(3, 2);

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1000)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(20_011)]
    public void Accumulate_AnyNumberOfRows_IsThatOfOnePassOverAllOfThem(int count)
    {
        Minibatch rows = Gaussians.Three.Draw(count, 1);
        double[] theta = Gaussians.Three.Start(1).Flatten(Model);
        EStep eStep = Model.Prepare(theta);
        double[] expected = new double[Model.StatisticsLayout.Length], expectedDensities = new double[count];
        Evidence whole = eStep.Accumulate(rows, 0, count, expected, expectedDensities, eStep.CreateWorkspace());

        foreach (int threads in (int[])[1, 3])
        {
            double[] found = new double[expected.Length], densities = new double[count];
            Array.Fill(found, double.NaN);
            Array.Fill(densities, double.NaN);
            Evidence evidence = new ShardedEStep(Model, threads).Accumulate(eStep, rows, found, densities);

            Assert.Equal(count, evidence.Weight);
            Assert.Equal(whole.LogLikelihood, evidence.LogLikelihood, Math.Abs(whole.LogLikelihood) * 1e-12);
            Assert.Equal(expectedDensities, densities);
            for (int at = 0; at < expected.Length; at++)
                Assert.Equal(expected[at], found[at], 1e-12 * Math.Max(1, Math.Abs(expected[at])));
            // A row more or less is at least 1 in the masses.
            Assert.Equal(count, found[..3].Sum(), count * 1e-12);
        }
    }

    [Fact]
    public void Accumulate_AnotherMinibatchOnTheSameMachine_RemembersNothingOfTheOneBefore()
    {
        EStep eStep = Model.Prepare(Gaussians.Three.Start(1).Flatten(Model));
        Minibatch large = Gaussians.Three.Draw(3000, 2), small = Gaussians.Three.Draw(700, 3);
        double[] expected = new double[Model.StatisticsLayout.Length], found = new double[expected.Length];
        new ShardedEStep(Model, 1).Accumulate(eStep, small, expected, new double[700]);
        var machine = new ShardedEStep(Model, 1);
        machine.Accumulate(eStep, large, new double[expected.Length], new double[3000]);

        Evidence evidence = machine.Accumulate(eStep, small, found, new double[700]);

        Assert.Equal(700, evidence.Weight);
        Assert.Equal(expected, found);
    }
}
