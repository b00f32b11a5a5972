using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.RandomWalks;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.RandomWalks;

public sealed class PoissonRandomWalkTests
{
    /// <summary>
    /// The file is exact, by quadrature: with 200 000 particles the step is to four standard deviations of importance sampling with as many
    /// paths, .0004 of the rate and .0016 of the variance.
    /// </summary>
    [Fact]
    public void Step_OfTheGoldenFile_IsTakenWithinMonteCarloError()
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "poisson_random_walk.json")));
        JsonElement inputs = document.RootElement.GetProperty("inputs"), expected = document.RootElement.GetProperty("expected");
        double Of(JsonElement of, string name) => of.GetProperty(name).GetDouble();
        LatentModel model = Model(200_000);
        double[] theta = [Of(inputs, "lambda"), Of(inputs, "sigma2"), Of(inputs, "m0"), Of(inputs, "v0"), 1], next = new double[5],
            sums = new double[model.StatisticsLayout.Length];
        Minibatch rows = Rows([.. inputs.GetProperty("x").EnumerateArray().Select(x => x.GetDouble())]);
        EStep eStep = model.Prepare(theta);
        Evidence evidence = eStep.Accumulate(rows, 0, 3, sums, new double[3], eStep.CreateWorkspace());
        model.Maximize(sums, double.PositiveInfinity, theta, next, new ModelEvents());
        Assert.Equal(Of(expected, "loglik"), evidence.LogLikelihood, 0.01);
        Assert.Equal(Of(expected, "argmax_lambda"), next[0], 4 * 0.0004);
        Assert.Equal(Of(expected, "argmax_sigma2"), next[1], 4 * 0.0016);
        Assert.Equal(expected.GetProperty("E_z")[0].GetDouble(), next[2], 0.01);
        Assert.Equal(Of(inputs, "v0"), next[3]);
        Assert.InRange(next[4], 100_000, 200_000);
    }

    [Fact]
    public void Score_OfARow_SaysTheFilteredLevelAndWhatIsToCome()
    {
        LatentModel model = Model(20_000, forecast: 2);
        double[] scores = new double[3 * model.ScoreLayout.Length], logDensities = new double[3];
        EStep eStep = model.Prepare(new double[] { 1.5, 0.8, 5, 1, 1 });
        eStep.Score(Rows([6, double.NaN, 9]), 0, 3, logDensities, scores, eStep.CreateWorkspace());
        double Of(int row, string block, int at = 0) =>
            model.ScoreLayout[block].Of(scores.AsSpan(row * model.ScoreLayout.Length, model.ScoreLayout.Length))[at];
        // By quadrature of N(z; 5, 1) Poisson(6; 1.5 z) over z > 0.
        (double mean, double variance, double mass) = ByQuadrature(z => Density(z, 5, 1) * Poisson(6, 1.5 * z));
        Assert.Equal(Math.Log(mass), logDensities[0], 0.01);
        Assert.Equal(mean, Of(0, "latent"), 0.03);
        Assert.Equal(variance, Of(0, "latent_variance"), 0.03);
        Assert.InRange(Of(0, "latent_lower"), mean - 2.2 * Math.Sqrt(variance), mean - 1.7 * Math.Sqrt(variance));
        Assert.InRange(Of(0, "latent_upper"), mean + 1.7 * Math.Sqrt(variance), mean + 2.2 * Math.Sqrt(variance));
        Assert.Equal(1.5 * 5, Of(0, "prediction"), 0.05);
        Assert.Equal(1.5 * 5 + 1.5 * 1.5, Of(0, "prediction_variance"), 0.1);
        Assert.True(double.IsNaN(logDensities[1]));
        Assert.Equal(variance + 0.8, Of(1, "latent_variance"), 0.05);
        Assert.Equal(Of(2, "latent"), Of(2, "forecast_latent", 1), 0.05);
        Assert.Equal(1.5 * Of(2, "latent"), Of(2, "forecast_mean"), 0.1);
        Assert.True(Of(2, "forecast_lower") < Of(2, "forecast_mean") && Of(2, "forecast_mean") < Of(2, "forecast_upper"));
    }

    [Fact]
    public void Accumulate_CountsWithExposures_AreOneLevelSeenSeveralTimes()
    {
        // Two places, the second looked at twice as long by a feature that says so.
        PoissonRandomWalkOptions options = PoissonRandomWalkLaws.Few(20_000) with { Exposures = new NameList(["1", "hours"]) };
        var schema = new RecordSchema { Features = ["a", "b", "hours"] };
        LatentModel model = options.Create(options.Plan(schema));
        double[] theta = [2, 0.5, 4, 1, 1], sums = new double[model.StatisticsLayout.Length], logDensities = new double[3];
        var rows = new Minibatch(3);
        rows.BeginSequence();
        rows.Add([7, 15, 2], key: 0);
        rows.Add([9, double.NaN, 2], key: 0);
        rows.Add([9, 3, double.NaN], key: 0);
        EStep eStep = model.Prepare(theta);
        eStep.Accumulate(rows, 0, 3, sums, logDensities, eStep.CreateWorkspace());
        Assert.Equal(7 + 15 + 9 + 9, sums[0]);
        Assert.Equal(3, sums[6]);
        (_, _, double mass) = ByQuadrature(z => Density(z, 4, 1) * Poisson(7, 2 * z) * Poisson(15, 4 * z));
        Assert.Equal(Math.Log(mass), logDensities[0], 0.02);
        Assert.False(model.IsDensityOf(2));
    }

    [Fact]
    public void Learner_AStreamOfCounts_FindsWhatMovesThem()
    {
        var draws = new RandomDraws(4);
        var rows = new Minibatch(1, texts: new TextTable());
        for (int key = 0; key < 40; key++)
        {
            double level = 20 + 2 * draws.Normal();
            for (int t = 0; t < 50; t++)
            {
                if (t > 0) level = Math.Max(0.5, level + draws.Normal());
                rows.Add([draws.Poisson(3 * level)], key: rows.Texts!.Number($"k{key}"));
            }
        }
        var from = new InitialParameters(new Dictionary<string, double[]>
        {
            ["rate"] = [3],
            ["variance"] = [0.5],
            ["initial_mean"] = [15],
            ["initial_variance"] = [4],
        });
        PoissonRandomWalkOptions options = PoissonRandomWalkLaws.Few(300) with { Fixed = new BlockNames(["rate", "initial_variance"]) };
        Learner learner = Streams.Learn(
            options, new LearningOptions { MinibatchSize = 50, StepSize = new() { Kappa = 0.6 }, Learn = LearnMode.Always }, rows,
            from: from, schema: RecordSchema.OfNumbers(1) with { Key = "k" });
        LearnedModel learned = Streams.Snapshot(learner);
        Assert.Equal(3, learned.Parameters[0]);
        Assert.InRange(learned.Parameters[1], 0.6, 1.4);
        Assert.Equal(20, learned.Parameters[2], 1.5);
        Assert.InRange(learned.Parameters[4], 30, 300);
    }

    [Theory]
    [InlineData("[1, 2]", "there are 2 for 1 count(s)")]
    [InlineData("[effort]", "neither a number nor one of features")]
    public void Options_ExposuresThatDoNotFit_AreRefused(string exposures, string problem)
    {
        string json = exposures.Replace("effort", "\"effort\"", StringComparison.Ordinal);
        Assert.True(new ExposuresKind().TryParse(json, out NameList? names));
        PoissonRandomWalkOptions options = PoissonRandomWalkLaws.Few(10) with { Exposures = names };
        Assert.Contains(options.ProblemsWith(RecordSchema.OfNumbers(1)), found => found.Contains(problem, StringComparison.Ordinal));
    }

    private static LatentModel Model(int particles, int forecast = 0)
    {
        PoissonRandomWalkOptions options = PoissonRandomWalkLaws.Few(particles) with
        {
            Forecast = forecast,
            Fixed = new BlockNames(["initial_variance"]),
        };
        return options.Create(options.Plan(RecordSchema.OfNumbers(1)));
    }

    private static Minibatch Rows(double[] values)
    {
        var rows = new Minibatch(1);
        rows.BeginSequence();
        foreach (double value in values) rows.Add([value], key: 0);
        return rows;
    }

    private static (double Mean, double Variance, double Mass) ByQuadrature(Func<double, double> density)
    {
        const double width = 0.001;
        double mass = 0, mean = 0, square = 0;
        for (double z = width / 2; z < 30; z += width)
        {
            double p = density(z) * width;
            mass += p;
            mean += p * z;
            square += p * z * z;
        }
        return (mean / mass, square / mass - mean / mass * (mean / mass), mass);
    }

    private static double Density(double z, double mean, double variance) =>
        Math.Exp(-(z - mean) * (z - mean) / (2 * variance)) / Math.Sqrt(2 * Math.PI * variance);

    private static double Poisson(int n, double rate)
    {
        double mass = Math.Exp(-rate);
        for (int at = 1; at <= n; at++) mass *= rate / at;
        return mass;
    }
}
