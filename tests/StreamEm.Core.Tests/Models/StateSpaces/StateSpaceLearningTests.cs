using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.StateSpaces;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.StateSpaces;

/// <summary>What is learned of series: published ones, and made ones whose truth is known.</summary>
public sealed class StateSpaceLearningTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LearnedForm_OfATrendWithSeason_GoesOnAsTheSeriesDoes(bool hasSeason)
    {
        var rows = new Minibatch(1);
        var chance = new SplitMix64(2);
        double Value(int t) => 10 + 0.5 * t + (hasSeason ? 4 * (t % 4 == 0 ? 1 : t % 4 == 2 ? -1 : 0) : 0);
        for (int t = 0; t < 160; t++) rows.Add([Value(t) + 0.3 * Gaussians.Normal(chance)]);
        LatentModelOptions options = (LinearGaussianStateSpaceOptions)ModelCatalog.Find("linear_gaussian_state_space")!.CreateOptions() with
        {
            Form = hasSeason ? StateSpaceForm.LocalTrendSeason : StateSpaceForm.LocalTrend,
            Season = 4,
            Forecast = 4,
        };
        BatchFit fit = BatchFit.Run(
            options, RecordSchema.OfNumbers(1), new LearningOptions { Learn = LearnMode.Always }, rows,
            new BatchEmOptions { MaxIterations = 200 });
        int width = fit.Learned.Model.ScoreLayout.Length;
        double[] scores = new double[160 * width];
        new Scorer(fit.Learned).Score(rows, new double[160], scores, new double[160]);
        ReadOnlySpan<double> ahead = fit.Learned.Model.ScoreLayout["forecast_mean"].Of(scores.AsSpan(159 * width, width));
        for (int step = 0; step < 4; step++) Assert.Equal(Value(160 + step), ahead[step], 0.6);
    }

    /// <summary>
    /// Volume of the Nile at Aswan, 1871 to 1970 (Cobb 1978; R's Nile): R 4.2.2 StructTS(Nile, "level") has variances 1469.147 and 15098.58
    /// (its optimiser stops 2e-5 from the maximum) and the log-likelihood -643.2009875, begun at the first value with 10^4 times the
    /// series' variance.
    /// </summary>
    [Fact]
    public void BatchEm_NileAsALocalLevel_ReachesTheReference()
    {
        Minibatch rows = CsvData.Load("nile.csv", "flow");
        LatentModelOptions options = (LinearGaussianStateSpaceOptions)ModelCatalog.Find("linear_gaussian_state_space")!.CreateOptions() with
        {
            Form = StateSpaceForm.LocalLevel,
            RegCovar = 0,
        };
        BatchFit fit = BatchFit.Run(
            options, RecordSchema.OfNumbers(1), new LearningOptions { Learn = LearnMode.Always }, rows, new BatchEmOptions());
        ReadOnlySpan<double> theta = fit.Learned.Parameters;
        Assert.True(fit.Converged);
        Assert.Equal(1469.146631, theta[3], 1469.146631 * 3e-5);
        Assert.Equal(15098.577105, theta[5], 15098.577105 * 1e-5);
        Assert.Equal(-643.2009875 / 100, fit.MeanLogLikelihoods[^1], 1e-7);
    }

    /// <summary>
    /// Ten passes of a stream over the same series, each a sequence of its own, from one level for all years: 99 % of the way to the
    /// maximum of the likelihood.
    /// </summary>
    [Fact]
    public void Learner_TenPassesOfTheNile_RecoverNinetyNinePercentOfTheGain()
    {
        Minibatch nile = CsvData.Load("nile.csv", "flow"), rows = new(1, texts: new TextTable());
        for (int pass = 0; pass < 10; pass++)
            for (int row = 0; row < nile.Count; row++)
                rows.Add(nile.Row(row), key: rows.Texts!.Number(FormattableString.Invariant($"pass {pass}")));
        var options = (LinearGaussianStateSpaceOptions)ModelCatalog.Find("linear_gaussian_state_space")!.CreateOptions() with
        {
            Form = StateSpaceForm.LocalLevel,
            RegCovar = 0,
        };
        var learning = new LearningOptions
        {
            Learn = LearnMode.Always,
            MinibatchSize = 10,
            StepSize = new() { Kappa = 0.6 },
            Initialization = new() { Buffer = nile.Count },
        };
        LearnedModel learned = Streams.Snapshot(
            Streams.Learn(options, learning, rows, schema: RecordSchema.OfNumbers(1) with { Key = "pass" }));
        double mean = 0, variance = 0;
        for (int row = 0; row < nile.Count; row++) mean += nile.Row(row)[0] / nile.Count;
        for (int row = 0; row < nile.Count; row++) variance += (nile.Row(row)[0] - mean) * (nile.Row(row)[0] - mean) / nile.Count;
        double one = -0.5 * nile.Count * (Math.Log(2 * Math.PI * variance) + 1), reference = -643.2009875,
            total = nile.Count * Streams.MeanLogDensity(learned, nile), share = (total - one) / (reference - one);
        output.WriteLine($"{one:F4} to {total:F4}, {share:P2}; {string.Join(' ', learned.Parameters.ToArray())}");
        Assert.True(share >= 0.99, $"{share:P2}");
    }

    /// <summary>theory: a = .9, q = .3, r = .5 with c held at 1, 2000 sequences of 20 steps.</summary>
    [Fact]
    public void Learner_AStreamOfSequences_FindsItsParameters()
    {
        var rows = new Minibatch(1, texts: new TextTable());
        var chance = new SplitMix64(5);
        for (int sequence = 0; sequence < 2000; sequence++)
        {
            double z = Gaussians.Normal(chance);
            for (int t = 0; t < 20; t++)
            {
                if (t > 0) z = 0.9 * z + Math.Sqrt(0.3) * Gaussians.Normal(chance);
                rows.Add([z + Math.Sqrt(0.5) * Gaussians.Normal(chance)], key: rows.Texts!.Number($"s{sequence}"));
            }
        }
        LatentModelOptions options = (LinearGaussianStateSpaceOptions)ModelCatalog.Find("linear_gaussian_state_space")!.CreateOptions() with
        {
            Fixed = new BlockNames(["observation_matrix"]),
            SequencesMade = new SequenceOptions { End = SequenceEnd.Whole, MaxLength = 20 },
        };
        var from = new InitialParameters(new Dictionary<string, double[]>
        {
            ["initial_state_mean"] = [0],
            ["initial_state_covariance"] = [1],
            ["transition_matrix"] = [0.5],
            ["transition_covariance"] = [1],
            ["observation_matrix"] = [1],
            ["observation_covariance"] = [1],
        });
        Learner learner = Streams.Learn(
            options, new LearningOptions { MinibatchSize = 200, StepSize = new() { Kappa = 0.6 }, Learn = LearnMode.Always }, rows,
            from: from, schema: RecordSchema.OfNumbers(1) with { Key = "s" });
        ReadOnlySpan<double> theta = Streams.Snapshot(learner).Parameters;
        Assert.Equal(0.9, theta[2], 0.05);
        Assert.Equal(0.3, theta[3], 0.13);
        Assert.Equal(0.5, theta[5], 0.10);
    }
}
