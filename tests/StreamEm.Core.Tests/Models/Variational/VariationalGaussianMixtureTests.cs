using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Variational;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Models.Variational;

/// <summary>The laws of every model, over the clouds of the Gaussian families; batch iterations never lower the bound.</summary>
[ContractOf("variational_gaussian_mixture")]
public sealed class VariationalGaussianMixtureContract : ModelContract
{
    private static readonly FullGaussians Clouds = new();

    protected override LatentModelOptions Options(int components, int dimension) =>
        VariationalGaussianMixtureTests.Options() with { Components = components };

    protected override LatentModel Create(int components, int dimension) => VariationalGaussianMixtureTests.Model(components, dimension);

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0) =>
        Clouds.Rows(dimension, count, seed, missing);

    protected override double[] ImpossibleRow(int dimension) => Clouds.ImpossibleRow(dimension);

    protected override IEnumerable<VectorBlock> TellableParameters(LatentModel model) =>
        model.ParameterLayout.Blocks.Where(block => block.Name is "weights" or "means" or "covariances");

    private protected override double EntropyOf(LatentModel model, double[] theta, Minibatch rows) => double.NaN;
}

public sealed class VariationalGaussianMixtureTests
{
    internal static VariationalGaussianMixtureOptions Options() =>
        (VariationalGaussianMixtureOptions)ModelCatalog.Find("variational_gaussian_mixture")!.CreateOptions();

    internal static VariationalGaussianMixture Model(int components, int dimension) => new(
        "variational_gaussian_mixture", components,
        new VariationalPrior(1.0 / components, 1, dimension, new double[dimension], [.. Enumerable.Repeat(1.0, dimension)]));

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    public void Learn_EightComponentsOfThreeClouds_EmptiesFive(ulong seed)
    {
        double[] centres = [0, 0, 6, 0, 0, 6], shares = [0.5, 0.3, 0.2];
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(2, 8000);
        for (int row = 0; row < 8000; row++)
        {
            double at = chance.NextDouble();
            int k = at < 0.5 ? 0 : at < 0.8 ? 1 : 2;
            rows.Add([centres[2 * k] + Gaussians.Normal(chance), centres[2 * k + 1] + Gaussians.Normal(chance)]);
        }
        var learning = new LearningOptions
        {
            MinibatchSize = 200,
            StepSize = new() { Kappa = 0.8 },
            Initialization = new() { Buffer = 1000 },
        };
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Options(), learning, rows));
        double[] weights = learned.Layout["weights"].Of(learned.Parameters.ToArray().AsSpan()).ToArray(),
            means = learned.Layout["means"].Of(learned.Parameters.ToArray().AsSpan()).ToArray(),
            std = learned.Layout["means_std"].Of(learned.Parameters.ToArray().AsSpan()).ToArray();

        int[] used = [.. Enumerable.Range(0, 8).Where(k => weights[k] > 0.02).OrderByDescending(k => weights[k])];
        Assert.Equal(3, used.Length);
        for (int at = 0; at < 3; at++)
        {
            Assert.Equal(shares[at], weights[used[at]], 0.03);
            for (int d = 0; d < 2; d++)
                Assert.True(Math.Abs(means[used[at] * 2 + d] - centres[at * 2 + d]) < 5 * std[used[at] * 2 + d] + 0.02,
                    $"{means[used[at] * 2 + d]} for {centres[at * 2 + d]}, std {std[used[at] * 2 + d]}");
        }
    }

    [Fact]
    public void Posterior_OfOneComponent_IsThatOfNormalTheory()
    {
        // n records of one Gaussian: the mean's posterior standard deviation is that of the mean of n records, but for the prior's record.
        var chance = new SplitMix64(5);
        var rows = new Minibatch(1, 4000);
        double sum = 0, square = 0;
        for (int row = 0; row < 4000; row++)
        {
            double value = 1 + 2 * Gaussians.Normal(chance);
            rows.Add([value]);
            (sum, square) = (sum + value / 4000, square + value * value / 4000);
        }
        VariationalGaussianMixture model = Model(1, 1);
        double[] neutral = new double[model.ParameterLayout.Length];
        model.Neutral(neutral);
        double[] theta = BatchEm.Run(model, rows, neutral, new BatchEmOptions()).Parameters;

        double Of(string block) => theta[model.ParameterLayout[block].Offset];
        Assert.Equal(1, Of("weights"));
        Assert.Equal(4001, Of("weight_concentration"), 1e-9);
        Assert.Equal(4001, Of("mean_precision"), 1e-9);
        Assert.Equal(4001, Of("degrees_of_freedom"), 1e-9);
        Assert.Equal(4000 * sum / 4001, Of("means"), 1e-12);
        Assert.Equal((1 + 4000 * square - 4001 * Of("means") * Of("means")) / 4001, Of("covariances"), 1e-12);
        Assert.Equal(Math.Sqrt((square - sum * sum) / 4000), Of("means_std"), 1e-4);
    }

    [Fact]
    public void Bound_OfOneComponent_IsTheEvidence()
    {
        // Of one component the posterior is exact, and so the bound: log p(x_1 .. x_n) by the chain of Student t predictives, D = 1.
        double[] values = [0.3, -1.2, 2.5, 0.9];
        var rows = new Minibatch(1, 4);
        foreach (double value in values) rows.Add([value]);
        VariationalGaussianMixture model = Model(1, 1);
        double[] neutral = new double[model.ParameterLayout.Length];
        model.Neutral(neutral);
        BatchEmResult result = BatchEm.Run(model, rows, neutral, new BatchEmOptions());

        double logEvidence = 0, mean = 0, precision = 1, degrees = 1, scatter = 1;
        foreach (double value in values)
        {
            double scale = scatter * (precision + 1) / (precision * degrees), off = value - mean;
            logEvidence += StreamEm.Core.LinearAlgebra.ScalarMath.LogGamma((degrees + 1) / 2)
                - StreamEm.Core.LinearAlgebra.ScalarMath.LogGamma(degrees / 2) - 0.5 * Math.Log(degrees * Math.PI * scale)
                - (degrees + 1) / 2 * Math.Log(1 + off * off / (degrees * scale));
            scatter += precision / (precision + 1) * off * off;
            mean = (precision * mean + value) / (precision + 1);
            (precision, degrees) = (precision + 1, degrees + 1);
        }
        Assert.Equal(logEvidence / 4, result.LogLikelihoods[^1], 1e-9);
    }

    [Fact]
    public void Learn_StreamOfStepsOfOneOverT_IsWorthAsManyRecordsAsItHas()
    {
        Minibatch rows = new FullGaussians().Rows(2, 3000, 9, 0);
        var plain = new Minibatch(2, 3000);
        for (int row = 0; row < 3000; row++) plain.Add(rows.Row(row));
        var learning = new LearningOptions
        {
            MinibatchSize = 100,
            Learn = LearnMode.Always,
            StepSize = new() { Kappa = 1, T0 = 0 },
            Initialization = new() { Buffer = 500, NInit = 1 },
        };
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Options() with { Components = 4 }, learning, plain));
        double alphas = learned.Layout["weight_concentration"].Of(learned.Parameters.ToArray().AsSpan()).ToArray().Sum();
        Assert.Equal(3001, alphas, 1e-6);
        Assert.True(learned.Model.IsBound);
    }

    [Fact]
    public void Problems_TooFewDegreesOfFreedom_AreTold() => Assert.Equal(
        ["degrees_of_freedom_prior: 1.5 with 3 features; it must be above 2"],
        (Options() with { DegreesOfFreedom = 1.5 }).ProblemsWith(RecordSchema.OfNumbers(3)));
}
