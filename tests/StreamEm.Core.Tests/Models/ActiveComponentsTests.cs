using System.Security.Cryptography;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models;

/// <summary>
/// Sparse responsibilities compute the densities of few components and give what is documented: the densities of all, of which the most
/// probable have a share.
/// </summary>
public sealed class ActiveComponentsTests
{
    private const int Components = 48, Dimension = 16;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TryJoint_ComponentsFarApart_ComputesFewAndLeavesOutNoneThatHasAShare(bool tied)
    {
        Gaussians truth = Truth(apart: 9);
        Minibatch rows = truth.Draw(1000, 3);
        (EmissionEStep emission, double[] logWeights) = Emission(truth, tied);
        var space = new BlockWorkspace(Dimension, Components);
        double least = Math.Log(ActiveComponents.Negligible);
        long computed = 0;
        for (int first = 0; first < rows.Count; first += RowBlock.Capacity)
        {
            int count = Math.Min(RowBlock.Capacity, rows.Count - first), left = 0;
            space.Block.Fill(rows, first, count);
            int found = ActiveComponents.TryJoint(emission, space.Block, logWeights, space);
            Assert.InRange(found, count, count * Components / 4);
            double[] all = All(emission, space.Block, logWeights);
            for (int i = 0; i < count; i++)
            {
                double best = Enumerable.Range(0, Components).Max(k => all[k * RowBlock.Stride + i]);
                for (int k = 0; k < Components; k++)
                {
                    double value = space.LogJoint[k * RowBlock.Stride + i];
                    if (double.IsNegativeInfinity(value))
                    {
                        left++;
                        Assert.InRange(all[k * RowBlock.Stride + i] - best, double.NegativeInfinity, least);
                    }
                    else
                    {
                        Assert.Equal(all[k * RowBlock.Stride + i], value);
                    }
                }
            }
            Assert.Equal(count * Components - left, found);
            computed += found;
        }
        Assert.InRange(computed, rows.Count, rows.Count * Components / 8);
    }

    [Fact]
    public void TryJoint_WhereItDoesNotPay_SaysSo()
    {
        Gaussians near = Truth(apart: 0.5);
        Minibatch rows = near.Draw(300, 3), incomplete = Truth(apart: 9).Draw(300, 3, missing: 0.01);
        (EmissionEStep emission, double[] logWeights) = Emission(near, tied: false);
        var space = new BlockWorkspace(Dimension, Components);
        space.Block.Fill(rows, 0, 256);
        Assert.Equal(-1, ActiveComponents.TryJoint(emission, space.Block, logWeights, space));
        space.Block.Fill(incomplete, 0, 256);
        Assert.Equal(-1, ActiveComponents.TryJoint(emission, space.Block, logWeights, space));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(3)]
    [InlineData(0.5)]
    public void Accumulate_BetweenRefreshes_GivesTheStatisticsOfTheMostProbableOfAll(double apart)
    {
        const int active = 2;
        Gaussians truth = Truth(apart);
        Minibatch rows = truth.Draw(700, 5);
        Mixture model = Gaussians.Model(Components, Dimension);
        double[] theta = [.. truth.Weights, .. truth.Means.SelectMany(mean => mean), .. truth.Covariances.SelectMany(matrix => matrix)];
        (double[] sums, double[] logDensities, Evidence evidence) =
            Statistics(model, theta, rows, new SparseResponsibilities(active, 20), 2);
        (_, double[] expectedLogDensities, Evidence soft) = Statistics(model, theta, rows, SoftResponsibilities.Instance, 2);

        (EmissionEStep emission, double[] logWeights) = Emission(truth, tied: false);
        double[] masses = new double[Components], first = new double[Components * Dimension];
        var block = new RowBlock(Dimension);
        for (int from = 0; from < rows.Count; from += RowBlock.Capacity)
        {
            int count = Math.Min(RowBlock.Capacity, rows.Count - from);
            block.Fill(rows, from, count);
            double[] all = All(emission, block, logWeights);
            for (int i = 0; i < count; i++)
            {
                int[] most = [.. Enumerable.Range(0, Components).OrderByDescending(k => all[k * RowBlock.Stride + i]).Take(active)];
                double total = most.Sum(k => Math.Exp(all[k * RowBlock.Stride + i] - all[most[0] * RowBlock.Stride + i]));
                foreach (int k in most)
                {
                    double share = Math.Exp(all[k * RowBlock.Stride + i] - all[most[0] * RowBlock.Stride + i]) / total;
                    masses[k] += share;
                    for (int d = 0; d < Dimension; d++) first[k * Dimension + d] += share * rows.Row(from + i)[d];
                }
            }
        }
        for (int k = 0; k < Components; k++) Assert.Equal(masses[k], sums[k], 1e-8);
        ReadOnlySpan<double> moments = model.StatisticsLayout["first_moments"].Of((ReadOnlySpan<double>)sums);
        for (int at = 0; at < first.Length; at++) Assert.Equal(first[at], moments[at], 1e-6);
        // What a record is worth is that of all components.
        for (int row = 0; row < rows.Count; row++) Assert.Equal(expectedLogDensities[row], logDensities[row], 1e-10);
        Assert.Equal(soft.LogLikelihood, evidence.LogLikelihood, 1e-7);
        Assert.InRange(evidence.Divergence, -1e-6, double.PositiveInfinity);
    }

    [Fact]
    public void Learn_EveryPathAndNumberOfThreads_GivesTheSameState()
    {
        string Of(KernelPath path, int threads) =>
            OtherPath.Run(path, typeof(ActiveComponentsTests), nameof(BytesOf), threads);

        string expected = Of(KernelPath.Avx2, 1);
        Assert.Equal(expected, Of(KernelPath.Avx512, 3));
        Assert.Equal(expected, Of(KernelPath.Portable, 7));
    }

    [Fact]
    public void Learn_ThatIsStopped_GoesOnToTheSameBytes()
    {
        Minibatch rows = Truth(apart: 9).Draw(6000, 3);
        Learner whole = Learner(1), first = Learner(1), second = Learner(1);
        Streams.Feed(whole, rows, 0, rows.Count);
        Streams.Feed(first, rows, 0, 3777);
        using var reader = new BinaryReader(new MemoryStream(Streams.State(first)));
        second.Load(reader);
        Streams.Feed(second, rows, 3777, rows.Count - 3777);
        Assert.Equal(Streams.State(whole), Streams.State(second));
    }

    /// <summary>SHA-256 of the state after a stream; called under every kernel path.</summary>
    public static string BytesOf(int threads)
    {
        Learner learner = Learner(threads);
        Minibatch rows = Truth(apart: 9).Draw(6000, 3);
        Streams.Feed(learner, rows, 0, rows.Count);
        return Convert.ToHexString(SHA256.HashData(Streams.State(learner)));
    }

    private static Learner Learner(int threads) => new(
        Gaussians.Mixture(Components), RecordSchema.OfNumbers(Dimension), new LearningOptions
        {
            MinibatchSize = 500,
            Initialization = new() { Buffer = 2000, NInit = 1 },
            Responsibilities = new() { Kind = ResponsibilityKind.Sparse, Active = 2, Refresh = 3 },
        }, threads: threads);

    private static (double[] Sums, double[] LogDensities, Evidence Evidence) Statistics(
        Mixture model, double[] theta, Minibatch rows, ResponsibilityRule rule, long update)
    {
        double[] sums = new double[model.StatisticsLayout.Length], logDensities = new double[rows.Count];
        EStep eStep = model.Prepare(theta);
        Workspace workspace = eStep.CreateWorkspace();
        workspace.Pass = new Pass(null, update) { Rule = rule };
        Evidence evidence = eStep.Accumulate(rows, 0, rows.Count, sums, logDensities, workspace);
        return (sums, logDensities, evidence);
    }

    private static (EmissionEStep Emission, double[] LogWeights) Emission(Gaussians truth, bool tied)
    {
        var regularization = new CovarianceRegularization(new double[Dimension], 1e-9);
        Emission family = tied
            ? new TiedGaussian(Components, Dimension, regularization)
            : new FullGaussian(Components, Dimension, regularization);
        double[] parameters =
            [.. truth.Means.SelectMany(mean => mean), .. truth.Covariances.Take(tied ? 1 : Components).SelectMany(matrix => matrix)];
        return (family.Prepare(parameters), [.. truth.Weights.Select(weight => ScalarMath.Log(weight))]);
    }

    private static double[] All(EmissionEStep emission, RowBlock block, double[] logWeights)
    {
        double[] all = new double[Components * RowBlock.Stride];
        for (int k = 0; k < Components; k++) all.AsSpan(k * RowBlock.Stride, RowBlock.Stride).Fill(logWeights[k]);
        emission.LogDensities(block, all);
        return all;
    }

    /// <summary>Means so many standard deviations apart in most features, covariances that are not diagonal.</summary>
    private static Gaussians Truth(double apart)
    {
        var chance = new SplitMix64(11);
        double[] covariance = new double[Dimension * Dimension];
        for (int at = 0; at < covariance.Length; at++) covariance[at] = at / Dimension == at % Dimension ? 1.2 : 0.2;
        return new Gaussians([.. Enumerable.Repeat(1.0 / Components, Components)],
            [.. Enumerable.Range(0, Components).Select(_ =>
                Enumerable.Range(0, Dimension).Select(_ => apart * Gaussians.Normal(chance)).ToArray())],
            [.. Enumerable.Repeat(covariance, Components)]);
    }
}
