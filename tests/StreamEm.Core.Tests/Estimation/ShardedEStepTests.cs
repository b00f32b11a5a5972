using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Tests.Models.Topics;
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

    /// <summary>No sequence is cut in two, however many rows it has and however many of one key follow each other.</summary>
    [Theory]
    [InlineData(1, 5000)]
    [InlineData(7, 900)]
    [InlineData(400, 20)]
    [InlineData(3000, 3)]
    public void Accumulate_Sequences_IsThatOfOnePassOverAllOfThem(int length, int sequences)
    {
        var model = new HiddenMarkov("test", new Poisson(2, [0], Prior.None), Prior.None);
        var rows = new Minibatch(1);
        var chance = new SplitMix64(4);
        for (int sequence = 0; sequence < sequences; sequence++)
        {
            rows.BeginSequence();
            for (int step = 0; step < length; step++) rows.Add([chance.NextInt32(step / 5 % 2 == 0 ? 3 : 12)]);
        }
        double[] theta = new double[model.ParameterLayout.Length];
        model.ParameterLayout["startprob"].Of(theta.AsSpan()).Fill(0.5);
        double[] transitions = [0.9, 0.1, 0.2, 0.8], rates = [1, 6];
        transitions.CopyTo(model.ParameterLayout["transmat"].Of(theta.AsSpan()));
        rates.CopyTo(model.ParameterLayout["rates"].Of(theta.AsSpan()));
        EStep eStep = model.Prepare(theta);
        double[] expected = new double[model.StatisticsLayout.Length], expectedDensities = new double[rows.Count];
        Evidence whole = eStep.Accumulate(rows, 0, rows.Count, expected, expectedDensities, eStep.CreateWorkspace());

        foreach (int threads in (int[])[1, 3])
        {
            double[] found = new double[expected.Length], densities = new double[rows.Count];
            Evidence evidence = new ShardedEStep(model, threads).Accumulate(eStep, rows, found, densities);

            Assert.Equal(whole.Weight, evidence.Weight);
            Assert.Equal(expectedDensities, densities);
            for (int at = 0; at < expected.Length; at++)
                Assert.Equal(expected[at], found[at], 1e-12 * Math.Max(1, Math.Abs(expected[at])));
        }
    }

    /// <summary>What is inferred beforehand, by as many threads as there are, is what the E-step would infer itself.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(63)]
    [InlineData(500)]
    public void Accumulate_PosteriorsInferredBeforehand_GivesTheSameBytes(int count)
    {
        LatentModel model = (TopicTests.Options() with { Components = 3 }).Create(TopicTests.Options().Plan(RecordSchema.OfNumbers(12)));
        var chance = new SplitMix64(6);
        var texts = new Minibatch(12);
        for (int text = 0; text < count; text++)
            texts.Add([.. Enumerable.Range(0, 12).Select(term => (double)chance.NextInt32(term % 3 == text % 3 ? 6 : 2))]);
        double[] lambda = [.. Enumerable.Range(0, 36).Select(_ => 0.5 + chance.NextDouble())];
        EStep eStep = model.Prepare(lambda);
        double[] expected = new double[36], bounds = new double[count];
        Evidence one = new ShardedEStep(model, 1).Accumulate(eStep, texts, expected, bounds);

        var several = new ShardedEStep(model, 3);
        foreach (int again in (int[])[1, 2])
        {
            double[] found = new double[36], foundBounds = new double[count];
            Evidence evidence = several.Accumulate(eStep, texts, found, foundBounds);

            Assert.Equal(one, evidence);
            Assert.Equal(expected, found);
            Assert.Equal(bounds, foundBounds);
        }
    }
}
