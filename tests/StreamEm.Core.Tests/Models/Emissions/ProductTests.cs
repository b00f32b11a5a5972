using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Models.Emissions;

/// <summary>Mixed records of five features: levels 3 and 0, full Gaussians 4 and 1, a spherical Gaussian 2.</summary>
public sealed class ProductTests
{
    private const int Components = 2;
    private static readonly CovarianceRegularization Ridge = new([0.01, 0.02], 1e-9);
    private static readonly ProductPart[] Parts =
    [
        new("levels", new Levels(Components, 2, 3), [3, 0]),
        new("full", new FullGaussian(Components, 2, Ridge), [4, 1]),
        new("sphere", new SphericalGaussian(Components, 1, new CovarianceRegularization([0.01], 1e-9)), [2]),
    ];

    private static readonly Product Whole = new(Parts, 5);

    [Fact]
    public void Layouts_OfParts_FollowEachOtherUnderTheirNames()
    {
        Assert.Equal(
            ["levels.probabilities", "full.means", "full.covariances", "sphere.means", "sphere.covariances", "sphere.scale"],
            Whole.ParameterLayout.Blocks.Select(block => block.Name));
        Assert.Equal([4, 1], Whole.ParameterLayout["full.covariances"].Features);
        Assert.Equal(Parts.Sum(part => part.Emission.StatisticsLayout.Length), Whole.StatisticsLayout.Length);
        Assert.Equal(Units.Product, Whole.ParameterLayout["full.covariances"].Units);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void EStep_OfMixedRows_IsThatOfItsPartsEachByItself(double missing)
    {
        Minibatch rows = Rows(200, missing);
        double[] theta = Theta(), responsibilities = Responsibilities(200);
        var block = new RowBlock(5);
        block.Fill(rows, 0, 200);
        EmissionEStep whole = Whole.Prepare(theta);
        double[] joint = new double[Components * RowBlock.Stride], expected = new double[joint.Length],
            statistics = new double[Whole.StatisticsLayout.Length];
        whole.LogDensities(block, joint);
        whole.Accumulate(block, responsibilities, statistics);
        var alone = new List<double>();
        foreach ((ProductPart part, double[] own) in Parts.Zip(Split(theta, part => part.ParameterLayout.Length)))
        {
            var partBlock = new RowBlock(part.Features.Length);
            partBlock.Fill(Columns(rows, part.Features), 0, 200);
            EmissionEStep eStep = part.Emission.Prepare(own);
            eStep.LogDensities(partBlock, expected);
            double[] sums = new double[part.Emission.StatisticsLayout.Length];
            eStep.Accumulate(partBlock, responsibilities, sums);
            alone.AddRange(sums);
        }
        for (int k = 0; k < Components; k++)
            for (int row = 0; row < 200; row++) Assert.Equal(expected[k * RowBlock.Stride + row], joint[k * RowBlock.Stride + row], 1e-12);
        Assert.Equal(alone, statistics);
    }

    [Fact]
    public void Maximize_AveragesOfMixedRows_IsThatOfItsParts()
    {
        double[] theta = Theta(), masses = [0.4, 0.6], statistics = new double[Whole.StatisticsLayout.Length];
        double[] result = new double[theta.Length], neutral = new double[theta.Length];
        Whole.ImpliedStatistics(masses, theta, double.PositiveInfinity, statistics);
        Whole.Neutral(neutral);
        Whole.Maximize(masses, statistics, 100.0, neutral, result, new ModelEvents());
        for (int at = 0; at < theta.Length; at++) Assert.Equal(theta[at], result[at], 1e-12);
        var alone = new List<double>();
        foreach ((ProductPart part, double[] own) in Parts.Zip(Split(statistics, part => part.StatisticsLayout.Length)))
        {
            double[] before = new double[part.Emission.ParameterLayout.Length], after = new double[before.Length];
            part.Emission.Neutral(before);
            part.Emission.Maximize(masses, own, 100.0, before, after, new ModelEvents());
            alone.AddRange(after);
        }
        Assert.Equal(alone, result);
    }

    [Fact]
    public void ToUserUnits_OfASphericalPart_KeepsItsOwnScale()
    {
        // Features 0, 2 and 3 are spheres of scales 2, 5 and 5; feature 1 is a diagonal Gaussian of scale 10.
        var spheres = new SphericalGaussian(1, 3, new CovarianceRegularization([0, 0, 0], 1e-9));
        var product = new Product(
            [new("spheres", spheres, [0, 2, 3]), new("diag", new DiagonalGaussian(1, 1, new CovarianceRegularization([0], 1e-9)), [1])], 4);
        FeatureSpace space = FeatureSpace.Unscaled(4).WithScales([100, 0, 200, 300], [2, 10, 5, 5]);
        double[] theta = [1, 2, 3, 4, 1, 1, 1, 7, 9], user = new double[9], back = new double[9];
        product.ToUserUnits(theta, space, user);
        Assert.Equal([102, 210, 315, 4, 2, 5, 5, 70, 900], user);
        product.FromUserUnits(user, space, back);
        Assert.Equal(theta, back);
        // Scales that are the same are taken into the variance.
        product.ToUserUnits(theta, space.WithScales([0, 0, 0, 0], [5, 10, 5, 5]), user);
        Assert.Equal([5, 10, 15, 100, 1, 1, 1, 70, 900], user);
        // The other way, a sphere must be one in these units: 2 : 5 : 5 is not 5 : 5 : 5.
        ArgumentException exception = Assert.Throws<ArgumentException>(
            () => product.FromUserUnits([102, 210, 315, 4, 2, 5, 5, 70, 900], space.WithScales([0, 0, 0, 0], [5, 10, 5, 5]), back));
        Assert.Equal("Spherical components with scale 5 of feature 1 are not spherical in units of 5.", exception.Message);
    }

    [Fact]
    public void Moments_OfParts_StandAtTheirFeatures()
    {
        double[] means = new double[Components * 5], variances = new double[Components * 5];
        Assert.True(Whole.TryMoments(Theta(), means, variances));
        // Levels have none: mean 0 and variance 1 leave their features as they are.
        Assert.Equal([0, -2, 0.5, 0, 1, 0, 3, -0.5, 0, 2], means);
        Assert.Equal([1, 2, 0.25, 1, 1.5, 1, 0.5, 4, 1, 1], variances);
        double[] pooled = [1, 2, 3, 4, 5];
        Whole.PoolVariances(pooled);
        Assert.Equal([1, 2, 3, 4, 5], pooled);
        var spheres =
            new Product([new("s", new SphericalGaussian(1, 2, Ridge), [0, 2]), new("d", new DiagonalGaussian(1, 1, Ridge), [1])], 3);
        pooled = [1, 2, 3];
        spheres.PoolVariances(pooled);
        Assert.Equal([2, 2, 2], pooled);
    }

    [Fact]
    public void Reseed_AtALocation_GivesEachPartItsFeatures()
    {
        double[] theta = Theta(), before = Theta();
        Whole.Reseed(theta, 1, [2, 10, 20, double.NaN, 40], [1, 0.1, 0.2, 1, 0.4]);
        VectorLayout layout = Whole.ParameterLayout;
        Assert.Equal([1, -2, 40, 10], Of("full.means", theta));
        Assert.Equal([0.4, 0, 0, 0.1], Of("full.covariances", theta)[4..]);
        Assert.Equal([0.5, 20], Of("sphere.means", theta));
        Assert.Equal([0.25, 0.2], Of("sphere.covariances", theta));
        double third = 1.0 / 3;
        double[] probabilities = Of("levels.probabilities", theta);
        for (int l = 0; l < 3; l++)
        {
            // The level of feature 3 is not known; that of feature 0 is 2.
            Assert.Equal(third, probabilities[6 + l], 1e-15);
            Assert.Equal(third / 2 + (l == 2 ? 0.5 : 0), probabilities[9 + l], 1e-15);
        }
        Assert.Equal(Of("levels.probabilities", before)[..6], probabilities[..6]);

        double[] Of(string block, double[] vector) => layout[block].Of((ReadOnlySpan<double>)vector).ToArray();
    }

    [Fact]
    public void Health_OfParts_IsThatOfTheLeastOfThem()
    {
        var facts = new Dictionary<string, double>(StringComparer.Ordinal);
        Whole.Health(Theta(), facts);
        Assert.Equal(0.25, Assert.Single(facts).Value, 1e-12);
    }

    [Fact]
    public void Score_OfPartsThatSaySomething_StandsInTheirPlaces()
    {
        var parts = new Product(
            [
                new("two", new Levels(2, 2, 2, says: true), [2, 3]),
                new("mute", new DiagonalGaussian(2, 1, Ridge), [0]),
                new("one", new Levels(2, 1, 2, says: true), [1]),
            ],
            4);
        var model = new Mixture("test", parts);
        Assert.Equal(["responsibilities", "two.likely", "one.likely"], model.ScoreLayout.Blocks.Select(block => block.Name));
        double[] theta = [0.25, 0.75, 0.5, 0.5, 0.3, 0.7, 0.5, 0.5, 0.6, 0.4, 0, 0, 1, 1, 0.9, 0.1, 0.2, 0.8];
        Minibatch rows = new(4);
        for (int row = 0; row < 300; row++) rows.Add([0.5, row % 2, row % 3 == 0 ? double.NaN : 1, 0]);
        double[] scores = new double[300 * 5], logDensities = new double[300];
        EStep eStep = model.Prepare(theta);
        eStep.Score(rows, 0, 300, logDensities, scores, eStep.CreateWorkspace());
        for (int row = 0; row < 300; row++)
        {
            double[] score = scores[(5 * row)..(5 * row + 5)];
            double a = 0.25 * (row % 2 == 0 ? 0.9 : 0.1) * 0.3, b = 0.75 * (row % 2 == 0 ? 0.2 : 0.8) * 0.6;
            if (row % 3 != 0) (a, b) = (a * 0.5, b * 0.5);
            Assert.Equal(a / (a + b), score[0], 1e-12);
            Assert.Equal(row % 3 == 0 ? 0 : 0.5, score[2], 1e-12);
            Assert.Equal(score[0] * 0.3 + score[1] * 0.6, score[3], 1e-12);
            Assert.Equal(score[0] * (row % 2 == 0 ? 0.9 : 0.1) + score[1] * (row % 2 == 0 ? 0.2 : 0.8), score[4], 1e-12);
        }
    }

    private static double[] Theta() =>
    [
        0.2, 0.3, 0.5, 0.6, 0.3, 0.1, 0.7, 0.2, 0.1, 0.1, 0.1, 0.8,
        1, -2, 2, 3, 1.5, 0.2, 0.2, 2, 1, -0.1, -0.1, 0.5,
        0.5, -0.5, 0.25, 4, 1,
    ];

    private static Minibatch Rows(int count, double missing)
    {
        var chance = new SplitMix64(5);
        var rows = new Minibatch(5);
        for (int row = 0; row < count; row++)
        {
            double[] values = [chance.NextInt32(3), Gaussians.Normal(chance), Gaussians.Normal(chance), chance.NextInt32(3),
                3 * Gaussians.Normal(chance)];
            rows.Add([.. values.Select(value => chance.NextDouble() < missing ? double.NaN : value)]);
        }
        return rows;
    }

    private static double[] Responsibilities(int count)
    {
        var chance = new SplitMix64(6);
        double[] result = new double[Components * RowBlock.Stride];
        for (int row = 0; row < count; row++)
        {
            result[row] = chance.NextDouble();
            result[RowBlock.Stride + row] = 1 - result[row];
        }
        return result;
    }

    private static Minibatch Columns(Minibatch rows, int[] features)
    {
        var result = new Minibatch(features.Length);
        for (int row = 0; row < rows.Count; row++) result.Add([.. features.Select(feature => rows.Row(row)[feature])]);
        return result;
    }

    private static IEnumerable<double[]> Split(double[] vector, Func<Emission, int> length)
    {
        int at = 0;
        foreach (ProductPart part in Parts)
        {
            yield return vector[at..(at + length(part.Emission))];
            at += length(part.Emission);
        }
    }
}
