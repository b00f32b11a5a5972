using System.Buffers;
using System.Text;
using System.Text.Json;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Hierarchies;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Golden;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Hierarchies;

/// <summary>The laws of the hierarchy whose records are groups: an estimate and its standard error, whatever D the law is stated for.
/// </summary>
[ContractOf("hierarchical_normal")]
public sealed class HierarchicalNormalContract : ModelContract
{
    protected override bool CanBeDrawn => false;

    protected override bool FollowsUnits => false;

    protected override LatentModelOptions Options(int components, int dimension) =>
        HierarchicalNormalTests.Options() with { Prior = GroupVariancePrior.BoundaryAvoiding };

    protected override LatentModel Create(int components, int dimension) => HierarchicalNormalTests.Model();

    protected override RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(2);

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(2, count);
        for (int row = 0; row < count; row++)
        {
            double error = 0.5 + 2 * chance.NextDouble(), estimate = 2 + 1.5 * Gaussians.Normal(chance) + error * Gaussians.Normal(chance);
            rows.Add([chance.NextDouble() < missing ? double.NaN : estimate, chance.NextDouble() < missing ? double.NaN : error],
                0.5 + chance.NextDouble());
        }
        return rows;
    }
}

public sealed class HierarchicalNormalTests
{
    private static readonly double[] Schools = [28, 8, -3, 7, -1, 1, 18, 12], Errors = [15, 10, 16, 11, 9, 11, 10, 18];

    internal static HierarchicalNormalOptions Options() =>
        (HierarchicalNormalOptions)ModelCatalog.Find("hierarchical_normal")!.CreateOptions();

    internal static HierarchicalNormal Model() => new("hierarchical_normal", new Feature("y"), GroupVariancePrior.None);

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenSchools_GivesGoldenSteps(Recursion recursion)
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "hierarchical_normal.json")));
        JsonElement inputs = document.RootElement.GetProperty("inputs"), steps = document.RootElement.GetProperty("expected")
            .GetProperty(recursion == Recursion.Parameters ? "parameter_space" : "statistics_space");
        HierarchicalNormal model = Model();
        var state = new StepwiseState(model, GoldenPath.Values(inputs, "theta0_mu_tau2"));
        Assert.Equal([5.0, 75.0], state.Statistics);
        var em = new StepwiseEm(model, recursion, new PowerLaw(new StepSizeOptions { Kappa = 0.7 }));
        for (int step = 0; step < 2; step++)
        {
            JsonElement batch = inputs.GetProperty($"batch{step + 1}");
            Minibatch rows = Rows(GoldenPath.Values(batch, "y"), GoldenPath.Values(batch, "sigma"));
            double[] before = [.. state.Parameters], scores = new double[8];
            EStep eStep = model.Prepare(before);
            eStep.Score(rows, 0, 4, new double[4], scores, eStep.CreateWorkspace());
            em.Update(state, rows, new double[4]);

            if (recursion == Recursion.Parameters)
            {
                double[] means = GoldenPath.Values(steps[step], "posterior_mean"),
                    variances = GoldenPath.Values(steps[step], "posterior_var");
                AssertNear([.. means.Zip(variances, (mean, variance) => (double[])[mean, variance]).SelectMany(pair => pair)], scores);
            }
            else AssertNear([.. GoldenPath.Values(steps[step], "s.S1"), .. GoldenPath.Values(steps[step], "s.S2")], state.Statistics);
            AssertNear(
                GoldenPath.Values(steps[step], steps[step].TryGetProperty("theta_mu_tau2", out _) ? "theta_mu_tau2" : "theta"),
                state.Parameters);
        }
    }

    [Theory]
    [InlineData(1, 5.783614899019739, 42.03618195414384, -30.312221107486597)]
    [InlineData(100, 7.7172642077081415, 2.8736946537603743, -29.710357500063374)]
    [InlineData(1000, 7.6899028368130065, 0.3148775672095354, -29.678183429383136)]
    public void BatchEm_EightSchools_CrawlsToNoVariance(int iterations, double mean, double variance, double logLikelihood)
    {
        HierarchicalNormal model = Model();
        Minibatch rows = Rows(Schools, Errors);
        double[] theta = BatchEm.Run(model, rows, [5, 50], new BatchEmOptions { Tolerance = -1, MaxIterations = iterations }).Parameters;
        AssertNear([mean, variance], theta);
        double[] densities = new double[8];
        model.Prepare(theta).Accumulate(rows, 0, 8, new double[2], densities, model.Prepare(theta).CreateWorkspace());
        Assert.Equal(logLikelihood, densities.Sum(), 1e-9);
    }

    /// <summary>Snapshots of before had two numbers without a shape.</summary>
    [Theory]
    [InlineData("[1]")]
    [InlineData("[]")]
    public void Read_OneNumberInEitherShape_IsTheParameter(string shape)
    {
        var rows = new Minibatch(2);
        for (int row = 0; row < 40; row++) rows.Add([row % 7, 1 + row % 3]);
        LatentModelOptions options = ModelCatalog.Find("hierarchical_normal")!.CreateOptions();
        LearnedModel learned = Streams.Snapshot(Streams.Learn(options, new LearningOptions { MinibatchSize = 20 }, rows));
        var written = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(new ModelSnapshot(learned, new SnapshotOrigin("m", "run", "hash", DateTimeOffset.UnixEpoch)), written);
        string json = Encoding.UTF8.GetString(written.WrittenSpan);
        Assert.Contains("\"mean\":{\"shape\":[1],", json, StringComparison.Ordinal);
        json = json.Replace("\"shape\":[1]", $"\"shape\":{shape}", StringComparison.Ordinal);
        Assert.Equal(learned.Parameters, SnapshotReader.Read(Encoding.UTF8.GetBytes(json)).Parameters);
    }

    [Fact]
    public void BatchEm_BoundaryAvoiding_StaysAboveZeroAtThePosteriorsMode()
    {
        // The mode of tau p(y given mu, tau) over mu and tau, looked for on a grid.
        var model = new HierarchicalNormal("hierarchical_normal", new Feature("y"), GroupVariancePrior.BoundaryAvoiding);
        Minibatch rows = Rows(Schools, Errors);
        double[] theta = BatchEm.Run(model, rows, [5, 50], new BatchEmOptions { Tolerance = -1, MaxIterations = 3000 }).Parameters;

        double Objective(double mean, double variance) => 0.5 * Math.Log(variance)
            + Enumerable.Range(0, 8).Sum(j => HierarchicalNormal.LogNormal(Schools[j] - mean, variance + Errors[j] * Errors[j]));

        foreach ((double mean, double variance) in ((double, double)[])[(1.001, 1), (0.999, 1), (1, 1.01), (1, 0.99)])
            Assert.True(Objective(theta[0], theta[1]) > Objective(theta[0] * mean, theta[1] * variance));
        Assert.InRange(theta[1], 1, 400);
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    public void Statistics_OfAStream_FindMeanAndVariance(ulong seed)
    {
        // Errors of at most .048 and .086 in the runs the tolerances are from; a dropped V takes the variance to 0.
        var chance = new SplitMix64(seed);
        HierarchicalNormal model = Model();
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 0.7 }), 1);
        var state = new StepwiseState(model, [0, 1]);
        double mean = 0, variance = 0;
        for (int update = 0; update < 400; update++)
        {
            var rows = new Minibatch(2, 50);
            for (int row = 0; row < 50; row++)
            {
                double error = 0.5 + 2.5 * chance.NextDouble();
                rows.Add([2 + 1.5 * Gaussians.Normal(chance) + error * Gaussians.Normal(chance), error]);
            }
            em.Update(state, rows, new double[50]);
            if (update >= 200) (mean, variance) = (mean + state.Parameters[0] / 200, variance + state.Parameters[1] / 200);
        }
        Assert.Equal(2, mean, 0.08);
        Assert.Equal(2.25, variance, 0.2);
    }

    [Fact]
    public void Problems_OfFeatures_AreTold()
    {
        RecordSchema schema = new() { Features = ["share", "se", "state"] };
        Assert.Equal(["features: 3 beside group and effects; expected two, the estimate and its standard error"],
            Options().ProblemsWith(schema));
        Assert.Empty((Options() with { Group = "state" }).ProblemsWith(schema));
        Assert.Equal(["'house' is named as group or effects and is none of the features"],
            (Options() with { Group = "state", House = "house" }).ProblemsWith(schema));
        Assert.Contains("needs group", Assert.Single((Options() with { SharedDeviation = 1 }).ProblemsWith(RecordSchema.OfNumbers(2))),
            StringComparison.Ordinal);
        RecordSchema turned = new() { Features = ["se", "share"] };
        Assert.Empty((Options() with { Estimate = "share", StandardError = "se" }).ProblemsWith(turned));
        Assert.Equal(["estimate: 'y' is not one of se and share"], (Options() with { Estimate = "y" }).ProblemsWith(turned));
        Assert.Equal(["standard_error: it is the same feature as estimate"],
            (Options() with { Estimate = "se", StandardError = "se" }).ProblemsWith(turned));
        Assert.Null(Options().ParameterRecursionProblem);
        Assert.Contains("statistics recursion", (Options() with { Group = "state" }).ParameterRecursionProblem!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("share", null)]
    [InlineData(null, "se")]
    [InlineData("share", "se")]
    public void Features_InAnotherOrder_GoByName(string? estimate, string? error)
    {
        HierarchicalNormalOptions named = Options() with { Estimate = estimate, StandardError = error };
        LatentModel there = Options().Create(Options().Plan(new RecordSchema { Features = ["share", "se"] }));
        LatentModel turned = named.Create(named.Plan(new RecordSchema { Features = ["se", "share"] }));
        double[] theta = [1, 4], densities = new double[2], scores = new double[4];
        Minibatch rows = new(2), other = new(2);
        rows.Add([3, 0.5]);
        other.Add([0.5, 3]);
        there.Prepare(theta).Score(rows, 0, 1, densities.AsSpan(0, 1), scores.AsSpan(0, 2), there.Prepare(theta).CreateWorkspace());
        turned.Prepare(theta).Score(other, 0, 1, densities.AsSpan(1), scores.AsSpan(2), turned.Prepare(theta).CreateWorkspace());
        Assert.Equal(densities[0], densities[1]);
        Assert.Equal(scores[..2], scores[2..]);
        Assert.True(turned.IsDensityOf(1));
    }

    private static Minibatch Rows(double[] estimates, double[] errors)
    {
        var rows = new Minibatch(2, estimates.Length);
        for (int row = 0; row < estimates.Length; row++) rows.Add([estimates[row], errors[row]]);
        return rows;
    }

    private static void AssertNear(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], actual[at], 1e-10 * Math.Max(1, Math.Abs(expected[at])));
    }
}
