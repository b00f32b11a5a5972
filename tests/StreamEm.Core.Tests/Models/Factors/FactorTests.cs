using System.Text.Json;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Factors;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Golden;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Factors;

public sealed class FactorTests
{
    internal static FactorAnalyser Analyser(int components, int dimension, int factors, bool isIsotropic, bool isExpanded = false) =>
        new(components, dimension, factors, isIsotropic, isAlone: true, new CovarianceRegularization(new double[dimension], 1e-12))
        {
            IsExpanded = isExpanded,
        };

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenPpca_GivesGoldenSteps(Recursion recursion) =>
        Golden("ppca", 1, 3, isIsotropic: true, "sigma2").Check(recursion, GetType());

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenFactorAnalysis_GivesGoldenSteps(Recursion recursion) =>
        Golden("factor_analysis", 1, 3, isIsotropic: false, "psi").Check(recursion, GetType());

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenMixture_GivesGoldenSteps(Recursion recursion) =>
        Golden("mixture_factor_analysers", 2, 4, isIsotropic: false, "psi").Check(recursion, GetType());

    [Fact]
    public void BatchStep_GoldenRowsWithMissingValues_GivesTheGoldenParameters()
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "pmf_missing_ppca.json")));
        JsonElement inputs = document.RootElement.GetProperty("inputs"), expected = document.RootElement.GetProperty("expected");
        var model = new SingleComponent("ppca", Analyser(1, 4, 1, isIsotropic: true));
        double[] theta = [.. GoldenPath.Values(inputs, "b"), .. GoldenPath.Values(inputs, "V"), .. GoldenPath.Values(inputs, "s2")];
        Minibatch rows = new(4);
        foreach (JsonElement row in inputs.GetProperty("rows").EnumerateArray()) rows.Add([.. GoldenPath.Flatten(row)]);

        (double[] averages, double before) = Average(model, theta, rows);
        double[] next = new double[theta.Length];
        model.Maximize(averages, rows.Count, theta, next, new ModelEvents());

        JsonElement argmax = expected.GetProperty("argmax");
        double[] golden = [.. GoldenPath.Values(argmax, "b"), .. GoldenPath.Values(argmax, "V"), .. GoldenPath.Values(argmax, "s2")];
        for (int at = 0; at < golden.Length; at++) Assert.Equal(golden[at], next[at], 1e-12);
        Assert.Equal(expected.GetProperty("mean_loglik_theta0").GetDouble(), before, 1e-12);
        Assert.Equal(expected.GetProperty("mean_loglik_argmax").GetDouble(), Average(model, next, rows).LogLikelihood, 1e-12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void LogDensities_OfAnyRow_AreThoseOfTheGaussianWithCovarianceWWPlusPsi(double missing)
    {
        var chance = new SplitMix64(4);
        FactorAnalyser factors = Analyser(2, 5, 2, isIsotropic: false);
        var full = new FullGaussian(2, 5, new CovarianceRegularization(new double[5], 1e-12));
        double[] theta = [.. Enumerable.Range(0, factors.ParameterLayout.Length).Select(_ => 2 * chance.NextDouble() - 1)];
        Span<double> noise = factors.ParameterLayout["noise_variances"].Of(theta.AsSpan());
        foreach (ref double variance in noise) variance = 0.2 + variance * variance;
        double[] gaussian = [.. theta.Take(10), .. Covariances(theta, noise, 2, 5, 2)];
        Minibatch rows = new FullGaussians().Rows(5, 100, 5, missing);

        Assert.Equal(
            Scores(new Mixture("full", full), [0.3, 0.7, .. gaussian], rows),
            Scores(new Mixture("factors", factors), [0.3, 0.7, .. theta], rows),
            (a, b) => Math.Abs(a - b) < 1e-11);
    }

    [Fact]
    public void BatchEm_Ppca_EndsAtTheEigenvaluesOfTheCovariance()
    {
        // Tipping & Bishop 1999, section 3.2: sigma^2 is the mean of the eigenvalues that are left, W W' + sigma^2 I has the others.
        Minibatch rows = Draw(400, 3);
        var model = new SingleComponent("ppca", Analyser(1, 5, 2, isIsotropic: true));
        double[] theta = new double[model.ParameterLayout.Length], next = new double[theta.Length];
        model.Neutral(theta);
        for (int iteration = 0; iteration < 3000; iteration++, (theta, next) = (next, theta))
            model.Maximize(Average(model, theta, rows).Statistics, rows.Count, theta, next, new ModelEvents());

        double[] found = Eigenvalues(Covariances(theta.AsSpan(), [.. Enumerable.Repeat(theta[^1], 5)], 1, 5, 2)),
            sample = Eigenvalues(SampleCovariance(rows));
        Assert.Equal(sample[..3].Average(), theta[^1], 1e-9);
        Assert.Equal(sample[3..], found[3..], (a, b) => Math.Abs(a - b) < 1e-8);
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Statistics_OfAStream_FindLoadingsAndNoise(ulong seed)
    {
        Minibatch rows = Draw(40_000, seed);
        var model = new SingleComponent("ppca", Analyser(1, 5, 2, isIsotropic: true));
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 0.6 }), 1);
        double[] theta = new double[model.ParameterLayout.Length], sum = new double[theta.Length];
        model.Neutral(theta);
        var state = new StepwiseState(model, theta);
        for (int first = 0; first < rows.Count; first += 20)
        {
            var minibatch = new Minibatch(5, 20);
            minibatch.Append(rows, first, 20);
            em.Update(state, minibatch, new double[20]);
            for (int at = 0; at < sum.Length && first >= rows.Count / 2; at++) sum[at] += state.Parameters[at] / (rows.Count / 40.0);
        }

        double error = 0, size = 0;
        double[] expected = Covariances([.. new double[5], .. TrueLoadings], new double[5], 1, 5, 2),
            found = Covariances(sum.AsSpan(), new double[5], 1, 5, 2);
        for (int at = 0; at < expected.Length; at++)
        {
            error += (expected[at] - found[at]) * (expected[at] - found[at]);
            size += expected[at] * expected[at];
        }
        Assert.True(Math.Sqrt(error / size) < 0.05, $"W W' is {Math.Sqrt(error / size):F4} from the truth");
        Assert.Equal(0.5, sum[^1], 0.02);
    }

    [Fact]
    public void Score_RowWithMissingValues_GivesCodeAndImputation()
    {
        var model = new SingleComponent("ppca", Analyser(1, 5, 2, isIsotropic: true));
        double[] theta = [1, 2, 3, 4, 5, .. TrueLoadings, 0.5];
        Minibatch rows = new(5);
        rows.Add([1.5, double.NaN, 2, 4.5, double.NaN]);
        double[] scores = new double[model.ScoreLayout.Length];
        EStep eStep = model.Prepare(theta);
        eStep.Score(rows, 0, 1, new double[1], scores, eStep.CreateWorkspace());

        // The conditional mean and variance of a Gaussian, by its whole covariance.
        double[] covariance = Covariances(theta, [.. Enumerable.Repeat(0.5, 5)], 1, 5, 2);
        int[] observed = [0, 2, 3];
        double[] inverse = Inverse([.. observed.SelectMany(i => observed.Select(j => covariance[i * 5 + j]))], 3), off = [0.5, -1, 0.5];
        foreach (int d in (int[])[1, 4])
        {
            double mean = theta[d], variance = covariance[d * 6];
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++)
                {
                    mean += covariance[d * 5 + observed[i]] * inverse[i * 3 + j] * off[j];
                    variance -= covariance[d * 5 + observed[i]] * inverse[i * 3 + j] * covariance[d * 5 + observed[j]];
                }
            Assert.Equal(mean, model.ScoreLayout["reconstruction"].Of(scores.AsSpan())[d], 1e-12);
            Assert.Equal(variance, model.ScoreLayout["reconstruction_variance"].Of(scores.AsSpan())[d], 1e-12);
        }
    }

    [Fact]
    public void Maximize_CodesObserved_IsRegression()
    {
        var chance = new SplitMix64(8);
        var regression = new FactorRegression(2, meanIsFixed: false, loadingsAreFixed: false);
        double[] moments = new double[3], means = new double[2], products = new double[3];
        double square = 0;
        for (int n = 0; n < 200; n++)
        {
            double[] z = [Gaussians.Normal(chance), Gaussians.Normal(chance), 1];
            double x = 2 * z[0] - z[1] + 0.5;
            for (int j = 0; j < 3; j++) products[j] += x * z[j] / 200;
            for (int j = 0; j < 2; j++) means[j] += z[j] / 200;
            (moments[0], moments[1], moments[2]) =
                (moments[0] + z[0] * z[0] / 200, moments[1] + z[0] * z[1] / 200, moments[2] + z[1] * z[1] / 200);
            square += x * x / 200;
        }
        regression.Begin(moments, means, 1);
        products.CopyTo(regression.Products, 0);
        double[] loadings = new double[2];
        double mean = 0;

        Assert.True(regression.TrySolve(new double[6], loadings, ref mean));
        Assert.Equal([2, -1, 0.5], [loadings[0], loadings[1], mean], (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(0, regression.Residual(square, loadings, mean), 1e-12);
    }

    [Fact]
    public void Problems_AsManyFactorsAsFeatures_AreTold()
    {
        var options = (FactorOptions)ModelCatalog.Find("ppca")!.CreateOptions() with { Factors = 3 };
        Assert.Equal(
            ["factors: 3 factors of 3 features; there must be fewer factors than features"],
            options.ProblemsWith(StreamEm.Core.Features.RecordSchema.OfNumbers(3)));
    }

    private static readonly double[] TrueLoadings = [1.2, 0, 0.9, 0.4, -0.7, 0.8, 0.3, -1.1, 0, 0.6];

    private static GoldenFile Golden(string file, int components, int dimension, bool isIsotropic, string noise)
    {
        FactorAnalyser family = Analyser(components, dimension, 1, isIsotropic);
        string of = components == 1 ? "*" : "*.*";
        var parameters = new Dictionary<string, string>
        {
            ["means"] = "mu",
            ["loadings"] = "W",
            [isIsotropic ? "noise_variance" : "noise_variances"] = noise,
        };
        var statistics = new Dictionary<string, string>
        {
            ["first_moments"] = $"Sxz.{of}.1",
            ["latent_products"] = $"Sxz.{of}.0",
            ["latent_moments"] = components == 1 ? "Szz.0.0" : "Szz.*.0.0",
            ["latent_means"] = components == 1 ? "Szz.1.0" : "Szz.*.1.0",
        };
        if (!isIsotropic) statistics.Add("squares", "Sxx");
        if (components > 1)
        {
            parameters.Add("weights", "weights");
            statistics.Add("masses", "N");
        }
        return new GoldenFile(file, components == 1 ? new SingleComponent("test", family) : new Mixture("test", family))
        {
            Parameters = parameters,
            Statistics = statistics,
            Responsibilities = components == 1 ? null : "responsibilities",
        };
    }

    private static Minibatch Draw(int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(5, count);
        for (int n = 0; n < count; n++)
        {
            double a = Gaussians.Normal(chance), b = Gaussians.Normal(chance);
            for (int d = 0; d < 5; d++)
                rows.NextRow[d] = TrueLoadings[2 * d] * a + TrueLoadings[2 * d + 1] * b + Math.Sqrt(0.5) * Gaussians.Normal(chance);
            rows.Commit();
        }
        return rows;
    }

    private static (double[] Statistics, double LogLikelihood) Average(LatentModel model, double[] theta, Minibatch rows)
    {
        double[] averages = new double[model.StatisticsLayout.Length], densities = new double[rows.Count];
        new ShardedEStep(model, 1).Average(model.Prepare(theta), theta, rows, averages, densities, new Pass(null, 1));
        return (averages, densities.Average());
    }

    private static double[] Scores(LatentModel model, double[] theta, Minibatch rows)
    {
        double[] densities = new double[rows.Count], statistics = new double[model.StatisticsLayout.Length];
        new ShardedEStep(model, 1).Accumulate(model.Prepare(theta), rows, statistics, densities);
        return densities;
    }

    /// <summary>W W' + Psi of every component, from parameters that begin with means and loadings.</summary>
    private static double[] Covariances(ReadOnlySpan<double> theta, ReadOnlySpan<double> noise, int components, int dimension, int factors)
    {
        double[] result = new double[components * dimension * dimension];
        ReadOnlySpan<double> loadings = theta[(components * dimension)..];
        for (int at = 0; at < result.Length; at++)
        {
            int j = at % dimension, cell = at / dimension, i = cell % dimension, other = cell - i + j;
            result[at] = i == j ? noise[cell] : 0;
            for (int f = 0; f < factors; f++) result[at] += loadings[cell * factors + f] * loadings[other * factors + f];
        }
        return result;
    }

    private static double[] SampleCovariance(Minibatch rows)
    {
        double[] mean = new double[5], result = new double[25];
        for (int n = 0; n < rows.Count; n++)
            for (int d = 0; d < 5; d++) mean[d] += rows.Row(n)[d] / rows.Count;
        for (int n = 0; n < rows.Count; n++)
            for (int at = 0; at < 25; at++)
                result[at] += (rows.Row(n)[at / 5] - mean[at / 5]) * (rows.Row(n)[at % 5] - mean[at % 5]) / rows.Count;
        return result;
    }

    private static double[] Eigenvalues(double[] matrix) =>
        [.. MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.Dense(5, 5, matrix).Evd().EigenValues.Select(value => value.Real).Order()];

    private static double[] Inverse(double[] matrix, int size) =>
        MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.Dense(size, size, matrix).Inverse().ToRowMajorArray();
}
