using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models;

public sealed class ResponsibilityRuleTests
{
    [Fact]
    public void Hard_AnyLanes_TakesTheMostProbableAndTheLowestOfEquals()
    {
        double[][] lanes = [[-1, -2, -3], [-5, -4, -4], [-7, -7, -7], [double.NegativeInfinity, -900, -901], [-2, -1, -1]];
        double[] hard = Joint(lanes), soft = Joint(lanes), densities = new double[RowBlock.Stride],
            softDensities = new double[RowBlock.Stride];
        HardResponsibilities.Instance.Apply(hard, 3, densities, lanes.Length, default);
        SoftResponsibilities.Instance.Apply(soft, 3, softDensities, lanes.Length, default);
        Assert.Equal([0, 1, 0, 1, 1], [.. Enumerable.Range(0, 5).Select(i => Array.FindIndex(Of(hard, i), r => r == 1))]);
        for (int i = 0; i < lanes.Length; i++)
        {
            Assert.Equal(1, Of(hard, i).Sum());
            Assert.Equal(1, Of(soft, i).Sum(), 1e-14);
            // A rule changes how rows are shared out, not what they are worth.
            Assert.Equal(softDensities[i], densities[i]);
            double most = lanes[i].Max();
            Assert.Equal(most + Math.Log(lanes[i].Sum(value => Math.Exp(value - most))), densities[i], 1e-13 * Math.Abs(densities[i]));
        }
    }

    [Theory]
    [InlineData(1, 0.25)]
    [InlineData(3, 0.5)]
    [InlineData(5, 0.75)]
    [InlineData(7, 1)]
    [InlineData(900, 1)]
    [InlineData(0, 1)]
    public void Annealed_AnyUpdate_IsBayesRuleToThePowerOfItsBeta(long update, double beta)
    {
        double[][] lanes = [[-1, -2, -3], [-700, -4, -5]];
        double[] joint = Joint(lanes), densities = new double[RowBlock.Stride];
        new AnnealedResponsibilities(0.25, 6).Apply(joint, 3, densities, 2, new Pass(null, update));
        for (int i = 0; i < 2; i++)
        {
            double[] powers = [.. lanes[i].Select(value => Math.Exp(beta * (value - lanes[i].Max())))];
            for (int k = 0; k < 3; k++) Assert.Equal(powers[k] / powers.Sum(), Of(joint, i)[k], 1e-14);
            // What a row is worth has no temperature.
            Assert.Equal(lanes[i].Max() + Math.Log(lanes[i].Sum(value => Math.Exp(value - lanes[i].Max()))), densities[i], 1e-12);
        }
    }

    [Fact]
    public void Sparse_BetweenRefreshes_SharesRowsOutAmongTheMostProbable()
    {
        double[][] lanes = [[Math.Log(0.5), Math.Log(0.2), Math.Log(0.3)], [Math.Log(0.25), Math.Log(0.5), Math.Log(0.25)]];
        double[] sparse = Joint(lanes), full = Joint(lanes), densities = new double[RowBlock.Stride];
        var rule = new SparseResponsibilities(active: 2, refresh: 3);
        rule.Apply(sparse, 3, densities, 2, new Pass(null, 2));
        rule.Apply(full, 3, densities, 2, new Pass(null, 4));
        double[] shares = [0.625, 0, 0.375, 1.0 / 3, 2.0 / 3, 0];
        foreach ((double expected, double found) in shares.Zip([.. Of(sparse, 0), .. Of(sparse, 1)]))
            Assert.Equal(expected, found, 1e-14);
        Assert.Equal(0.2, Of(full, 0)[1], 1e-14);
    }

    [Fact]
    public void Hard_InAMixtureOfEqualSpheres_IsAStepOfKMeans()
    {
        Minibatch rows = Gaussians.Three.Draw(500, 3);
        var model =
            new Mixture("hard", new SphericalGaussian(3, 2, new CovarianceRegularization([0, 0], 1e-9)), HardResponsibilities.Instance);
        double third = 1.0 / 3;
        double[] theta = [third, third, 1 - 2 * third, 0.5, 0, 3, 1, 1, 3, 1, 1, 1, 1, 1];
        double[] sums = new double[model.StatisticsLayout.Length], logDensities = new double[500];
        EStep eStep = model.Prepare(theta);
        Evidence evidence = eStep.Accumulate(rows, 0, 500, sums, logDensities, eStep.CreateWorkspace());
        double[] counts = new double[3], means = new double[6];
        for (int row = 0; row < 500; row++)
        {
            int nearest = Enumerable.Range(0, 3)
                .MinBy(k => Math.Pow(rows.Row(row)[0] - theta[3 + 2 * k], 2) + Math.Pow(rows.Row(row)[1] - theta[4 + 2 * k], 2));
            counts[nearest]++;
            for (int d = 0; d < 2; d++) means[2 * nearest + d] += rows.Row(row)[d];
        }
        Assert.Equal(counts, sums[..3]);
        for (int at = 0; at < 6; at++)
            Assert.Equal(means[at], model.StatisticsLayout["first_moments"].Of((ReadOnlySpan<double>)sums)[at], 1e-9);
        Assert.Equal(500, evidence.Weight);
        Assert.Equal(logDensities.Sum(), evidence.LogLikelihood, 1e-9);
    }

    [Fact]
    public void Hard_RowsLabelledOrWithoutUse_AreTakenAsUnderTheSoftRule()
    {
        var model = new Mixture("hard", new DiagonalGaussian(2, 1, new CovarianceRegularization([0], 1e-9)), HardResponsibilities.Instance);
        double[] theta = [0.5, 0.5, -1, 1, 1, 1], sums = new double[model.StatisticsLayout.Length], logDensities = new double[4];
        var rows = new Minibatch(1);
        rows.Add([0.9], label: 0, weight: 3);
        rows.Add([double.NaN]);
        rows.Add([1e100]);
        rows.Add([0.9]);
        EStep eStep = model.Prepare(theta);
        Evidence evidence = eStep.Accumulate(rows, 0, 4, sums, logDensities, eStep.CreateWorkspace());
        Assert.Equal([3, 1], sums[..2]);
        Assert.Equal(4, evidence.Weight);
        Assert.True(double.IsNaN(logDensities[1]) && double.IsNegativeInfinity(logDensities[2]));
        double[] scores = new double[8];
        eStep.Score(rows, 0, 4, logDensities, scores, eStep.CreateWorkspace());
        Assert.Equal([0, 1], scores[6..]);
    }

    private static double[] Joint(double[][] lanes)
    {
        double[] joint = new double[3 * RowBlock.Stride];
        for (int i = 0; i < lanes.Length; i++)
            for (int k = 0; k < 3; k++) joint[k * RowBlock.Stride + i] = lanes[i][k];
        return joint;
    }

    private static double[] Of(double[] joint, int lane) => [.. Enumerable.Range(0, 3).Select(k => joint[k * RowBlock.Stride + lane])];
}
