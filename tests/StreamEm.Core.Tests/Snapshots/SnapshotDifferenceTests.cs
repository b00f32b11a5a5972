using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Snapshots;

/// <summary>What two snapshots say of each other, and the moments of one.</summary>
public sealed class SnapshotDifferenceTests
{
    private static readonly LearningOptions Plain = new() { Standardize = false, MinibatchSize = 100 };

    [Fact]
    public void Divergence_OfOneComponent_IsTheClosedFormAndTheEstimateIsNearIt()
    {
        LearnedModel a = Single([0, 0], [2, 0.5, 0.5, 1]), b = Single([1, -1], [1, -0.3, -0.3, 3]);
        SnapshotDifference difference = SnapshotDifference.Of(a, b, 40_000, 1);
        // (tr(S'^-1 S) - D + log |S'| / |S| + (mu - mu')' S'^-1 (mu - mu')) / 2, by hand: |S| = 1.75, |S'| = 2.91.
        double trace = (2 * 3 + 1 * 1 + 2 * 0.5 * 0.3) / 2.91, square = (3 - 2 * 0.3 + 1) / 2.91;
        double expected = 0.5 * (trace - 2 + Math.Log(2.91 / 1.75) + square);
        Assert.Equal(expected, difference.Components[0].Divergence, 1e-12);
        Assert.InRange(Math.Abs(difference.Forward.Value - expected), 0, 4 * difference.Forward.StandardError);
        Assert.InRange(difference.Forward.StandardError, 1e-4, 0.02);
        Assert.Equal(1, Assert.Single(difference.Blocks, block => block.Block == "means").Largest, 1e-12);
    }

    [Fact]
    public void Divergence_OfModelsThatAreNearlyTheSame_HasASmallError()
    {
        LearnedModel a = Single([0, 0], [1, 0, 0, 1]), b = Single([0.02, 0], [1, 0, 0, 1]);
        SnapshotDifference difference = SnapshotDifference.Of(a, b, 10_000, 1);
        // |mu - mu'|^2 / 2; plain means would have an error of 0.02 / 100.
        Assert.InRange(difference.Forward.StandardError, 1e-8, 5e-6);
        Assert.InRange(Math.Abs(difference.Forward.Value - 2e-4), 0, 5 * difference.Forward.StandardError);
    }

    [Fact]
    public void Of_ASnapshotAndItself_IsNothing()
    {
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(3), new LearningOptions(), Gaussians.Three.Draw(4000, 3)));
        SnapshotDifference difference = SnapshotDifference.Of(learned, learned, 1000, 2);
        Assert.Equal((0, 0), (difference.Forward.Value, difference.Backward.Value));
        Assert.All(difference.Blocks, block => Assert.Equal(0, block.Largest));
        Assert.All(difference.Components, component => Assert.Equal(0, component.Divergence, 1e-12));
    }

    [Fact]
    public void Of_ComponentsThatCameAndWent_MatchesTheRestByTheirIds()
    {
        LearnedModel a = Truth([0.5, 0.3, 0.2], [0, 0, 4, 0, 0, 4]) with { ComponentIds = ["c0", "c1", "c2"] };
        LearnedModel b = Truth([0.2, 0.5, 0.3], [0, 4, 0, 0, 4, 1]) with { ComponentIds = ["c2", "c0", "c7"] };
        SnapshotDifference difference = SnapshotDifference.Of(a, b, 1000, 2);
        Assert.Equal(["c1"], difference.OnlyBefore);
        Assert.Equal(["c7"], difference.OnlyAfter);
        Assert.Equal(["c0", "c2"], difference.Components.Select(component => component.Id));
        // Those that both have are where they were, with the weights they had.
        Assert.All(difference.Components, component => Assert.Equal(0, component.Divergence, 1e-12));
        Assert.All(difference.Components, component => Assert.Equal(component.ShareBefore, component.ShareAfter, 1e-12));
        Assert.All(difference.Blocks, block => Assert.Equal(0, block.Largest, 1e-12));
    }

    [Fact]
    public void Of_LevelsInAnotherOrder_IsTheSameModel()
    {
        LearnedModel a = Levels(["red", "green", "blue"], [0.5, 0.3, 0.2]), b = Levels(["blue", "red", "green"], [0.2, 0.5, 0.3]);
        SnapshotDifference difference = SnapshotDifference.Of(a, b, 1000, 2);
        Assert.Equal(0, difference.Components[0].Divergence, 1e-12);
        Assert.Equal(0, difference.Forward.Value, 1e-12);
        Assert.Equal(
            "feature 'x0' has other levels in one than in the other",
            Assert.Throws<ArgumentException>(() => SnapshotDifference.Of(a, Levels(["red", "green"], [0.5, 0.5]), 100, 1)).Message);
    }

    [Fact]
    public void Moments_OfAMixture_AreThoseOfItsRecords()
    {
        LearnedModel learned = Truth([0.5, 0.3, 0.2], [0, 0, 4, 0, 0, 4]);
        MixtureMoments moments = MixtureMoments.Of(learned)!;
        Assert.Equal([1.2, 0.8], moments.Mean.Select(value => Math.Round(value, 12)));
        Minibatch rows = new Sampler(learned, 5).Draw(200_000);
        double[] expected = new double[4];
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++)
                for (int row = 0; row < rows.Count; row++)
                    expected[i * 2 + j] += (rows.Row(row)[i] - moments.Mean[i]) * (rows.Row(row)[j] - moments.Mean[j]) / rows.Count;
        for (int at = 0; at < 4; at++) Assert.Equal(expected[at], moments.Covariance[at], 0.06);
    }

    [Theory]
    [InlineData(CovarianceType.Full, 2 + 6 + 9)]
    [InlineData(CovarianceType.Tied, 2 + 6 + 3)]
    [InlineData(CovarianceType.Diag, 2 + 6 + 6)]
    [InlineData(CovarianceType.Spherical, 2 + 6 + 3)]
    public void FreeParameters_OfGaussians_AreCountedExactly(CovarianceType type, int expected) =>
        Assert.Equal(expected, Gaussians.Model(3, 2, type).FreeParameters);

    [Theory]
    [InlineData("bernoulli_mixture", 2 + 6)]
    [InlineData("poisson_mixture", 2 + 6)]
    [InlineData("exponential_mixture", 2 + 6)]
    [InlineData("multinomial_mixture", 2 + 3)]
    [InlineData("student_t_mixture", 2 + 6 + 9 + 3)]
    [InlineData("categorical_mixture", 2 + 3 * 2 * 255)]
    public void FreeParameters_OfOtherFamilies_AreCountedExactly(string type, int expected)
    {
        LatentModelOptions options = ModelCatalog.Find(type)!
            .Read(new Dictionary<string, string>(StringComparer.Ordinal) { ["components"] = "3" });
        Assert.Equal(expected, options.CreateLargest(RecordSchema.OfNumbers(2)).FreeParameters);
    }

    [Fact]
    public void FreeParameters_OfWhatIsHeld_AreNone()
    {
        LatentModelOptions options = ModelCatalog.Find("gaussian_mixture")!.Read(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["components"] = "3", ["fixed"] = """["weights","covariances"]""" });
        Assert.Equal(6, options.CreateLargest(RecordSchema.OfNumbers(2)).FreeParameters);
        LatentModelOptions chain = ModelCatalog.Find("hidden_markov")!.Read(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["states"] = "3" });
        Assert.Equal(2 + 6 + 6 + 9, chain.CreateLargest(RecordSchema.OfNumbers(2) with { Key = "device" }).FreeParameters);
    }

    private static LearnedModel Single(double[] mean, double[] covariance) => Given(
        Gaussians.Mixture(1, regCovar: 0), new() { ["weights"] = [1], ["means"] = mean, ["covariances"] = covariance });

    private static LearnedModel Truth(double[] weights, double[] means) => Given(Gaussians.Mixture(3, regCovar: 0), new()
    {
        ["weights"] = weights,
        ["means"] = means,
        ["covariances"] = [1, 0.3, 0.3, 1, 1, 0.3, 0.3, 1, 1, 0.3, 0.3, 1],
    });

    private static LearnedModel Levels(string[] levels, double[] probabilities)
    {
        LatentModelOptions options = ModelCatalog.Find("categorical_mixture")!
            .Read(new Dictionary<string, string>(StringComparer.Ordinal) { ["components"] = "1", ["prior"] = "none" });
        return Given(options, new() { ["weights"] = [1], ["probabilities.x0"] = probabilities }, levels);
    }

    /// <summary>A snapshot with given parameters, which learned nothing.</summary>
    private static LearnedModel Given(LatentModelOptions options, Dictionary<string, double[]> blocks, string[]? levels = null)
    {
        RecordSchema schema = RecordSchema.OfNumbers(levels is null ? 2 : 1);
        FeatureSpace space = options.Plan(schema).WithoutScaling();
        if (levels is not null) space = space.WithLevels(_ => levels);
        LatentModel model = options.Create(space);
        return new LearnedModel
        {
            Options = options,
            Schema = schema with { Kinds = space.Kinds },
            Version = 1,
            Space = space,
            Model = model,
            Parameters = new InitialParameters(blocks).Flatten(model),
            ComponentIds = [.. Enumerable.Range(0, ((ComponentModel)model).Components).Select(k => $"c{k}")],
            ComponentStatus = [.. Enumerable.Repeat("ok", ((ComponentModel)model).Components)],
            Training = new TrainingReport
            {
                Recursion = Plain.Recursion,
                StepSize = Plain.StepSize,
                LastStepSize = 1,
                Updates = 1,
                Records = 1,
                MeanLogLikelihood = 0,
            },
        };
    }
}
