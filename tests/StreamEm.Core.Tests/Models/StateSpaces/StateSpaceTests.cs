using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.StateSpaces;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Models.StateSpaces;

public sealed class StateSpaceTests
{
    internal static LinearGaussianStateSpace Free(int states, int dimension)
    {
        double[] variances = new double[dimension];
        Array.Fill(variances, 1);
        var model = new LinearGaussianStateSpace(
            "linear_gaussian_state_space", states, variances, null, new CovarianceRegularization(new double[dimension], 1e-12));
        model.Hold(BlockNames.None);
        return model;
    }

    [Fact]
    public void Steps_OfTheGoldenFile_AreTaken()
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "lgssm.json")));
        JsonElement inputs = document.RootElement.GetProperty("inputs"), expected = document.RootElement.GetProperty("expected");
        LinearGaussianStateSpace model = Free(1, 1);
        double[] theta = Theta(inputs.GetProperty("theta0")), gains = [.. Numbers(document.RootElement.GetProperty("g"))];
        for (int step = 0; step < 2; step++)
        {
            double[] x = [.. Numbers(inputs.GetProperty($"batch{step + 1}"))], sums = Sums(model, theta, Rows(x), out double logLikelihood);
            if (step == 0)
            {
                Close(expected.GetProperty("loglik").GetDouble(), logLikelihood, "log-likelihood");
                string[] names = ["Ez1", "Ez1z1", "Tm1", "Szz_prev", "Szz_next", "Szz_cross", "T", "Szz_all", "Sxz", "Sxx"];
                for (int at = 0; at < names.Length; at++)
                    Close(expected.GetProperty("stats_sum_over_sequence").GetProperty(names[at]).GetDouble(), sums[at + 1], names[at]);
            }
            double[] argmax = new double[6];
            model.Maximize(sums, double.PositiveInfinity, theta, argmax, new ModelEvents());
            CloseAll(Theta(expected.GetProperty($"argmax{step + 1}")), argmax, $"argmax {step + 1}");
            Interpolation.Toward(theta, argmax, gains[step]);
            CloseAll(Theta(expected.GetProperty($"theta{step + 1}_parameter_space")), theta, $"theta {step + 1}");
        }
    }

    /// <summary>Filter, smoother and likelihood of tiny chains are those of the joint normal distribution of all that is in them.</summary>
    [Theory]
    [InlineData(1, 1, 4, 0, 1)]
    [InlineData(2, 1, 5, 0, 2)]
    [InlineData(1, 3, 4, 0.3, 3)]
    [InlineData(2, 2, 5, 0.4, 4)]
    [InlineData(3, 2, 6, 0.3, 5)]
    [InlineData(3, 4, 4, 0.5, 6)]
    public void FilterAndSmoother_OfATinyChain_AreConditioningOfTheJointNormal(
        int states, int dimension, int length, double missing, ulong seed)
    {
        var chance = new SplitMix64(seed);
        LinearGaussianStateSpace model = Free(states, dimension);
        double[] theta = Random(model, chance);
        var rows = new Minibatch(dimension);
        rows.BeginSequence();
        for (int t = 0; t < length; t++)
            rows.Add(
                [.. Enumerable.Range(0, dimension).Select(_ => chance.NextDouble() < missing ? double.NaN : 2 * Gaussians.Normal(chance))],
                key: 0);
        var joint = new JointNormal(model, theta, length);

        double[] sums = Sums(model, theta, rows, out double logLikelihood);
        Close(joint.LogDensity(rows, length), logLikelihood, "log-likelihood");
        CloseAll(joint.Statistics(model, rows), sums, "statistics");

        double[] logDensities = new double[length], scores = new double[length * model.ScoreLayout.Length];
        EStep eStep = model.Prepare(theta);
        eStep.Score(rows, 0, length, logDensities, scores, eStep.CreateWorkspace());
        double before = 0;
        for (int t = 0; t < length; t++)
        {
            ReadOnlySpan<double> score = scores.AsSpan(t * model.ScoreLayout.Length, model.ScoreLayout.Length);
            (double[] mean, double[] covariance) = joint.State(rows, t, upTo: t + 1);
            CloseAll(mean, model.ScoreLayout["latent"].Of(score), "filtered mean");
            CloseAll(covariance, model.ScoreLayout["latent_covariance"].Of(score), "filtered covariance");
            double all = joint.LogDensity(rows, t + 1);
            if (double.IsNaN(logDensities[t])) Close(0, all - before, "step without a value");
            else Close(all - before, logDensities[t], "predictive density");
            before = all;
        }
    }

    [Fact]
    public void Accumulate_ASequenceInParts_PassesFromOneToTheOther()
    {
        LinearGaussianStateSpace model = Free(2, 2);
        double[] theta = Random(model, new SplitMix64(9));
        var chance = new SplitMix64(10);
        double[][] x = [.. Enumerable.Range(0, 7).Select(_ => new[] { Gaussians.Normal(chance), Gaussians.Normal(chance) })];
        EStep eStep = model.Prepare(theta);
        StreamMemory memory = model.CreateMemory(1);
        double[] statistics = new double[model.StatisticsLayout.Length];
        double whole = eStep.Accumulate(Of(x), 0, 7, new double[statistics.Length], new double[7], eStep.CreateWorkspace()).LogLikelihood;
        double parts = 0;
        foreach (Range part in new[] { Range.EndAt(3), new Range(3, 4), Range.StartAt(4) })
        {
            Workspace space = eStep.CreateWorkspace();
            space.Pass = new Pass(memory, 1);
            parts += eStep.Accumulate(Of(x[part]), 0, x[part].Length, statistics, new double[7], space).LogLikelihood;
        }
        Assert.Equal(whole, parts, 1e-11);
        Assert.Equal(1, model.StatisticsLayout["initial"].Of((ReadOnlySpan<double>)statistics)[0]);
        Assert.Equal(6, model.StatisticsLayout["passages"].Of((ReadOnlySpan<double>)statistics)[0]);
        Assert.Equal(7, model.StatisticsLayout["observations"].Of((ReadOnlySpan<double>)statistics)[0]);
    }

    [Theory]
    [InlineData("transition_matrix")]
    [InlineData("observation_matrix")]
    [InlineData("transition_covariance")]
    [InlineData("observation_covariance")]
    [InlineData("initial_state_mean")]
    public void Maximize_AHeldBlock_IsTheMaximumOverTheOthers(string held)
    {
        LinearGaussianStateSpace model = Free(2, 2);
        model.Hold(new BlockNames([held]));
        Minibatch rows = SomeRows(2, 300, 4);
        double[] theta = Random(model, new SplitMix64(3)), next = new double[theta.Length];
        double last = double.NegativeInfinity;
        for (int step = 0; step < 30; step++)
        {
            double[] sums = Sums(model, theta, rows, out double logLikelihood);
            Assert.True(logLikelihood >= last - 1e-9 * Math.Abs(last), $"fell from {last:R} to {logLikelihood:R}");
            last = logLikelihood;
            model.Maximize(sums, double.PositiveInfinity, theta, next, new ModelEvents());
            VectorBlock block = model.ParameterLayout[held];
            Assert.Equal(block.Of((ReadOnlySpan<double>)theta).ToArray(), block.Of((ReadOnlySpan<double>)next).ToArray());
            (theta, next) = (next, theta);
        }
    }

    [Fact]
    public void Forecast_OfALocalLevel_IsTheLevelWithGrowingVariance()
    {
        var model = new LinearGaussianStateSpace(
            "test", 1, [1], new StructuralModel(StateSpaceForm.LocalLevel, 0, 1), new CovarianceRegularization([0], 1e-12))
        { Forecast = 3 };
        model.Hold(BlockNames.None);
        double[] scores = new double[model.ScoreLayout.Length];
        EStep eStep = model.Prepare(new double[] { 0, 1e8, 1, 0.5, 1, 2 });
        eStep.Score(Rows([4]), 0, 1, new double[1], scores, eStep.CreateWorkspace());
        ReadOnlySpan<double> score = scores;
        double level = model.ScoreLayout["latent"].Of(score)[0], variance = model.ScoreLayout["latent_covariance"].Of(score)[0];
        Assert.Equal(4, level, 1e-6);
        for (int step = 1; step <= 3; step++)
        {
            Assert.Equal(level, model.ScoreLayout["forecast_mean"].Of(score)[step - 1], 1e-12);
            double expected = variance + step * 0.5 + 2;
            Assert.Equal(expected, model.ScoreLayout["forecast_variance"].Of(score)[step - 1], 1e-12);
            Assert.Equal(level + 1.959963984540054 * Math.Sqrt(expected), model.ScoreLayout["forecast_upper"].Of(score)[step - 1], 1e-9);
        }
    }

    private static Minibatch SomeRows(int dimension, int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(dimension);
        double z = 0;
        for (int t = 0; t < count; t++)
        {
            if (t % 30 == 0) rows.BeginSequence();
            z = 0.9 * z + Gaussians.Normal(chance);
            rows.Add([.. Enumerable.Range(0, dimension).Select(d => z * (1 - 0.4 * d) + Gaussians.Normal(chance))], key: t / 30);
        }
        return rows;
    }

    private static double[] Random(LinearGaussianStateSpace model, SplitMix64 chance)
    {
        double[] theta = new double[model.ParameterLayout.Length];
        foreach (VectorBlock block in model.ParameterLayout.Blocks)
        {
            Span<double> values = block.Of(theta.AsSpan());
            for (int i = 0; i < values.Length; i++) values[i] = 0.6 * Gaussians.Normal(chance);
            if (block.Domain != Domain.PositiveDefinite) continue;
            int size = block.Shape[0];
            double[] root = values.ToArray();
            DenseMatrix.MultiplyTransposed(root, root, values, size, size, size);
            for (int i = 0; i < size; i++) values[i * (size + 1)] += 0.3;
        }
        return theta;
    }

    private static double[] Sums(LinearGaussianStateSpace model, double[] theta, Minibatch rows, out double logLikelihood)
    {
        double[] sums = new double[model.StatisticsLayout.Length];
        EStep eStep = model.Prepare(theta);
        logLikelihood = eStep.Accumulate(rows, 0, rows.Count, sums, new double[rows.Count], eStep.CreateWorkspace()).LogLikelihood;
        return sums;
    }

    private static double[] Theta(JsonElement theta) =>
        [.. new[] { "m0", "v0", "a", "q", "c", "r" }.Select(name => theta.GetProperty(name).GetDouble())];

    private static IEnumerable<double> Numbers(JsonElement array) => array.EnumerateArray().Select(item => item.GetDouble());

    private static Minibatch Rows(double[] values) => Of([.. values.Select(value => new[] { value })]);

    private static Minibatch Of(double[][] values)
    {
        var rows = new Minibatch(values[0].Length);
        rows.BeginSequence();
        foreach (double[] value in values) rows.Add(value, key: 0);
        return rows;
    }

    internal static void CloseAll(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int at = 0; at < expected.Length; at++) Close(expected[at], actual[at], $"{what}[{at}]");
    }

    private static void Close(double expected, double actual, string what) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-10 * Math.Max(1, Math.Abs(expected)), $"{what}: {expected:R}, found {actual:R}");
}
