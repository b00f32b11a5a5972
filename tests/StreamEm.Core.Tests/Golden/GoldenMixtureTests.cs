using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Golden;

/// <summary>
/// Two steps of both recursions against values computed independently (scikit-learn, mpmath, Fisher identity; see each file's "checks").
/// Relative 1e-10, absolute 1e-12 near zero.
/// </summary>
public sealed class GoldenMixtureTests
{
    public static TheoryData<string, Recursion> Cases()
    {
        var cases = new TheoryData<string, Recursion>();
        foreach (string file in (string[])["gmm_full", "gmm_diag", "gmm_spherical", "gmm_tied", "gmm_missing", "mvn_missing", "gmm_semisupervised"])
            foreach (Recursion recursion in Enum.GetValues<Recursion>()) cases.Add(file, recursion);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void StepwiseEm_GoldenMinibatches_GivesGoldenSteps(string file, Recursion recursion)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", file + ".json")));
        JsonElement root = document.RootElement, inputs = root.GetProperty("inputs");
        Mixture model = Model(file, inputs.GetProperty("theta0"));
        double[] theta0 = Theta(model, inputs.GetProperty("theta0"));
        var stepSize = new PowerLaw(new StepSizeOptions { Kappa = root.GetProperty("kappa").GetDouble() });
        var em = new StepwiseEm(model, recursion, stepSize, theta0);
        JsonElement expected = root.GetProperty("expected").GetProperty(recursion == Recursion.Parameters ? "parameter_space" : "statistics_space");
        for (int step = 0; step < 2; step++)
        {
            Minibatch batch = Batch(inputs.GetProperty("batches")[step], model.Dimension);
            JsonElement golden = expected[step];
            double[] logDensities = new double[batch.Count], before = (double[])em.Parameters.Clone();
            Evidence evidence = em.Update(batch, logDensities);

            Close(golden.GetProperty("g").GetDouble(), em.LastStepSize, "gamma");
            Close(golden.GetProperty("mean_loglik_batch_before").GetDouble(), evidence.MeanLogLikelihood, "mean log-likelihood");
            CheckStatistics(model, golden.GetProperty("stats"), MeanStatistics(model, before, batch), step);
            if (recursion == Recursion.Statistics) CheckStatistics(model, golden.GetProperty("s"), em.Statistics, step);
            double[] theta = Theta(model, golden.GetProperty("theta"));
            for (int at = 0; at < theta.Length; at++) Close(theta[at], em.Parameters[at], $"theta[{at}] of step {step + 1}");
            if (golden.TryGetProperty("responsibilities", out JsonElement responsibilities) && batch.Labels.IsEmpty)
                CheckResponsibilities(model, before, batch, responsibilities);
        }
    }

    [Fact]
    public void MissingValues_PosteriorCovarianceDropped_WouldGiveTheWrongCovariance()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "mvn_missing.json")));
        JsonElement expected = document.RootElement.GetProperty("expected");
        double wrong = expected.GetProperty("WRONG_cov_argmax_if_posterior_covariance_is_dropped")[0][0].GetDouble();
        double right = expected.GetProperty("parameter_space")[0].GetProperty("argmax").GetProperty("cov")[0][0].GetDouble();
        Assert.True(Math.Abs(wrong - right) > 0.01 * right, $"the golden file tells the two apart: {wrong} and {right}");
    }

    private static Mixture Model(string file, JsonElement theta0)
    {
        JsonElement means = theta0.TryGetProperty("means", out JsonElement several) ? several : theta0.GetProperty("mu");
        bool single = means[0].ValueKind == JsonValueKind.Number;
        int components = single ? 1 : means.GetArrayLength(), dimension = single ? means.GetArrayLength() : means[0].GetArrayLength();
        var none = new CovarianceRegularization(new double[dimension], 1e-12);
        return new Mixture("test", file switch
        {
            "gmm_diag" => new DiagonalGaussian(components, dimension, none),
            "gmm_spherical" => new SphericalGaussian(components, dimension, none),
            "gmm_tied" => new TiedGaussian(components, dimension, none),
            _ => new FullGaussian(components, dimension, none),
        });
    }

    private static double[] Theta(Mixture model, JsonElement theta)
    {
        double[] flat = new double[model.ParameterLayout.Length];
        model.Neutral(flat);
        if (theta.TryGetProperty("weights", out JsonElement weights)) Fill(model.ParameterLayout["weights"], weights, flat);
        Fill(model.ParameterLayout["means"], theta.TryGetProperty("means", out JsonElement means) ? means : theta.GetProperty("mu"), flat);
        Fill(model.ParameterLayout["covariances"], theta.GetProperty("cov"), flat);
        return flat;
    }

    private static void Fill(VectorBlock block, JsonElement values, double[] flat) => Flatten(values).ToArray().CopyTo(block.Of(flat.AsSpan()));

    private static Minibatch Batch(JsonElement batch, int dimension)
    {
        bool labelled = batch.ValueKind == JsonValueKind.Object;
        JsonElement rows = labelled ? batch.GetProperty("X") : batch;
        var result = new Minibatch(dimension);
        for (int row = 0; row < rows.GetArrayLength(); row++)
            result.Add(Flatten(rows[row]).ToArray(), label: labelled ? batch.GetProperty("labels")[row].GetInt32() : Minibatch.Unlabelled);
        return result;
    }

    private static double[] MeanStatistics(Mixture model, double[] theta, Minibatch batch)
    {
        double[] statistics = new double[model.StatisticsLayout.Length];
        EStep eStep = model.Prepare(theta);
        Evidence evidence = eStep.Accumulate(batch, 0, batch.Count, statistics, new double[batch.Count], eStep.CreateWorkspace());
        return Array.ConvertAll(statistics, value => value / evidence.Weight);
    }

    private static void CheckStatistics(Mixture model, JsonElement golden, double[] actual, int step)
    {
        int d = model.Dimension;
        if (golden.TryGetProperty("N", out JsonElement masses)) CheckBlock("masses", Flatten(masses));
        CheckBlock("first_moments", Flatten(golden.GetProperty("S1")));
        double[] second = Flatten(golden.GetProperty("S2")).ToArray();
        bool packed = model.StatisticsLayout["second_moments"].Length != second.Length;
        CheckBlock("second_moments", packed ? second.Where((_, at) => at % d <= at / d % d) : second);

        void CheckBlock(string name, IEnumerable<double> values)
        {
            VectorBlock block = model.StatisticsLayout[name];
            double[] expected = [.. values];
            Assert.Equal(block.Length, expected.Length);
            for (int at = 0; at < expected.Length; at++) Close(expected[at], actual[block.Offset + at], $"{name}[{at}] of step {step + 1}");
        }
    }

    private static void CheckResponsibilities(Mixture model, double[] theta, Minibatch batch, JsonElement golden)
    {
        EStep eStep = model.Prepare(theta);
        double[] responsibilities = new double[batch.Count * model.Components], logDensities = new double[batch.Count];
        eStep.Score(batch, 0, batch.Count, logDensities, responsibilities, eStep.CreateWorkspace());
        double[] expected = [.. Flatten(golden)];
        for (int at = 0; at < expected.Length; at++) Close(expected[at], responsibilities[at], $"responsibility {at}");
    }

    private static IEnumerable<double> Flatten(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Flatten),
        JsonValueKind.Null => [double.NaN],
        _ => [element.GetDouble()],
    };

    private static void Close(double expected, double actual, string what) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-10 * Math.Abs(expected) + 1e-12, $"{what}: expected {expected:R}, found {actual:R}");
}
