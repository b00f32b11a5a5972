using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Regression;
using StreamEm.Core.Tests.Golden;

namespace StreamEm.Core.Tests.Models.Regression;

/// <summary>Regressions against values computed independently of this code.</summary>
public sealed class RegressionGoldenTests
{
    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_ProbitMinibatches_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("probit", new ProbitRegression("probit_regression", 2, true, 0, hasCovariance: false))
        {
            Parameters = new Dictionary<string, string> { ["coefficients"] = "w" },
            Statistics = new Dictionary<string, string> { ["design"] = "Sxx", ["products"] = "Sxz" },
            Responsibilities = null,
            Rows = batch => Rows(batch, hasOnes: true),
        }.Check(recursion, GetType());

    [Fact]
    public void Probit_BatchEm_ReachesTheGoldenMaximum()
    {
        JsonElement root = Read("probit");
        var model = new ProbitRegression("probit_regression", 2, true, 0, hasCovariance: false);
        Minibatch rows = Rows(root.GetProperty("inputs").GetProperty("batches")[0], hasOnes: true);
        double[] found = BatchEm.Run(model, rows, [0.1, 0.4], new BatchEmOptions { Tolerance = 0, MaxIterations = 4000 }).Parameters;
        // The file's own maximum is by BFGS, to 7e-9.
        Near(Numbers(root.GetProperty("expected").GetProperty("batch_EM_fixed_point_on_batch1")), found, 1e-7);
    }

    [Fact]
    public void BayesianRegression_OneStepOfEm_IsTheGoldenOne()
    {
        JsonElement expected = Read("bayes_linear_hyper").GetProperty("expected");
        EvidenceSpectrum spectrum = Hyper();
        double[] mean = new double[2], covariance = new double[4];
        spectrum.Posterior(4, 0.5, mean, covariance);
        Near(Numbers(expected.GetProperty("posterior_mean")), mean, 1e-10);
        Near(Numbers(expected.GetProperty("posterior_cov")), covariance, 1e-10);
        (double alpha, double lambda) = spectrum.Step(PrecisionUpdate.Em, 0, 0, 4, 0.5);
        Near(Numbers(expected.GetProperty("argmax_lambda_beta")), [lambda, alpha], 1e-10);
        Near([expected.GetProperty("log_evidence_theta0").GetDouble()], [6 * spectrum.MeanLogEvidence(4, 0.5)], 1e-10);
        Near([expected.GetProperty("log_evidence_argmax").GetDouble()], [6 * spectrum.MeanLogEvidence(alpha, lambda)], 1e-10);
    }

    [Theory]
    [InlineData(nameof(PrecisionUpdate.Em))]
    [InlineData(nameof(PrecisionUpdate.Mackay))]
    public void BayesianRegression_EitherRule_ReachesTheGoldenOptimum(string update)
    {
        JsonElement expected = Read("bayes_linear_hyper").GetProperty("expected");
        double alpha = 4, lambda = 0.5;
        Hyper().Iterate(Enum.Parse<PrecisionUpdate>(update), true, true, 0, 0, ref alpha, ref lambda);
        Near(Numbers(expected.GetProperty("fixed_point_lambda_beta")), [lambda, alpha], 1e-9);
    }

    [Fact]
    public void SparseRegression_TwoStepsOfEm_AreTheGoldenOnes()
    {
        JsonElement root = Read("lasso_em"), expected = root.GetProperty("expected");
        (SparseCoefficients inner, double[] w, double noise) = Lasso(root);
        inner.Step(noise, w);
        Near(Numbers(expected.GetProperty("w1")), w, 1e-10);
        inner.Step(noise, w);
        Near(Numbers(expected.GetProperty("w2")), w, 1e-10);
    }

    [Fact]
    public void SparseRegression_FixedPoint_IsTheLasso()
    {
        JsonElement root = Read("lasso_em");
        (SparseCoefficients inner, double[] w, double noise) = Lasso(root);
        inner.Solve(noise, w);
        Near(Numbers(root.GetProperty("expected").GetProperty("fixed_point")), w, 1e-12);
        Assert.Equal(0, w[2]);
    }

    private static (SparseCoefficients Inner, double[] W, double Noise) Lasso(JsonElement root)
    {
        JsonElement inputs = root.GetProperty("inputs");
        var model = new SparseRegression("sparse_regression", 4, false, SparsePrior.Laplace, inputs.GetProperty("gam").GetDouble());
        Minibatch rows = Rows(inputs, hasOnes: false);
        SparseCoefficients inner = model.Inner(Averages(model, rows), rows.Count, out _);
        return (inner, Numbers(inputs.GetProperty("w0")), inputs.GetProperty("s2").GetDouble());
    }

    private static EvidenceSpectrum Hyper()
    {
        var model = new BayesianRegression("bayesian_linear_regression", 2, true, PrecisionUpdate.Em, Prior.None);
        Minibatch rows = Rows(Read("bayes_linear_hyper").GetProperty("inputs"), hasOnes: true);
        return model.Spectrum(Averages(model, rows), rows.Count);
    }

    private static double[] Averages(LatentModel model, Minibatch rows)
    {
        double[] theta = new double[model.ParameterLayout.Length], averages = new double[model.StatisticsLayout.Length];
        model.Neutral(theta);
        new ShardedEStep(model, 1).Average(model.Prepare(theta), theta, rows, averages, new double[rows.Count]);
        return averages;
    }

    /// <summary>Features and target; a first column of ones is the intercept, and left out.</summary>
    private static Minibatch Rows(JsonElement of, bool hasOnes)
    {
        double[][] features = [.. of.GetProperty("X").EnumerateArray().Select(row => Numbers(row)[(hasOnes ? 1 : 0)..])];
        double[] targets = Numbers(of.GetProperty("y"));
        var rows = new Minibatch(features[0].Length + 1);
        for (int row = 0; row < targets.Length; row++) rows.Add([.. features[row], targets[row]]);
        return rows;
    }

    private static JsonElement Read(string file)
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", file + ".json")));
        return document.RootElement.Clone();
    }

    private static double[] Numbers(JsonElement of) => [.. GoldenPath.Flatten(of)];

    private static void Near(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int at = 0; at < expected.Length; at++)
            Assert.True(Math.Abs(expected[at] - actual[at]) <= tolerance * Math.Max(1, Math.Abs(expected[at])),
                $"entry {at}: expected {expected[at]:R}, found {actual[at]:R}");
    }
}
