using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;

namespace StreamEm.Core.Tests.Models.Sequences;

/// <summary>Forward-backward, the most likely path and the forecast of tiny chains, against all paths there are.</summary>
public sealed class PathTests
{
    private const int States = 3;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void EveryPath_OfATinyChain_GivesWhatTheRecursionsDo(ulong seed)
    {
        var chance = new SplitMix64(seed);
        HiddenMarkov model = Model();
        double[] theta = Random(model, chance);
        double[] x = [.. Enumerable.Range(0, 5).Select(_ => chance.NextDouble() < 0.2 ? double.NaN : chance.NextInt32(8))];
        Minibatch rows = Rows(x);
        EStep eStep = model.Prepare(theta);
        double[] statistics = new double[model.StatisticsLayout.Length], logDensities = new double[x.Length],
            passages = new double[States * States], starts = new double[States], masses = new double[States];
        Evidence evidence = eStep.Accumulate(rows, 0, x.Length, statistics, logDensities, eStep.CreateWorkspace());

        double total = 0, best = -1;
        int[] bestPath = [];
        var paths = Paths(x.Length).Select(path => (Path: path, P: Probability(theta, x, path))).ToList();
        foreach ((int[] path, double probability) in paths)
        {
            total += probability;
            if (probability > best) (best, bestPath) = (probability, path);
        }
        foreach ((int[] path, double probability) in paths)
        {
            starts[path[0]] += probability / total;
            for (int t = 0; t < x.Length; t++)
            {
                if (t > 0) passages[path[t - 1] * States + path[t]] += probability / total;
                if (!double.IsNaN(x[t])) masses[path[t]] += probability / total;
            }
        }
        Assert.Equal(Math.Log(total), evidence.LogLikelihood, 1e-12);
        Close(starts, Of(model, "initial", statistics));
        Close(passages, Of(model, "transitions", statistics));
        Close(masses, Of(model, "masses", statistics));

        int[] found = new int[x.Length];
        Assert.True(eStep.TryMostLikelyPaths(rows, found, eStep.CreateWorkspace()));
        Assert.Equal(best, Probability(theta, x, found), 1e-12 * best);
        Assert.Equal(bestPath, found);
    }

    [Fact]
    public void MostLikelyPaths_SeveralSequences_AreFoundOneByOne()
    {
        HiddenMarkov model = Model();
        double[] theta = [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 5, 9];
        var rows = new Minibatch(1);
        foreach (int key in (int[])[0, 1])
        {
            rows.BeginSequence();
            for (int t = 0; t < 4; t++) rows.Add([5], key: key);
        }
        int[] found = new int[8];
        EStep eStep = model.Prepare(theta);
        eStep.TryMostLikelyPaths(rows, found, eStep.CreateWorkspace());
        Assert.Equal([0, 1, 2, 0, 0, 1, 2, 0], found);
    }

    [Fact]
    public void Forecast_OfAMixtureOfCounts_IsItsDistributionBySummation()
    {
        var chance = new SplitMix64(11);
        const int steps = 3;
        var model = new HiddenMarkov("test", new Poisson(States, [0], Prior.None), Prior.None) { Forecast = steps };
        double[] theta = Random(model, chance), x = [2, 7, 0], scores = new double[3 * model.ScoreLayout.Length];
        EStep eStep = model.Prepare(theta);
        eStep.Score(Rows(x), 0, 3, new double[3], scores, eStep.CreateWorkspace());
        ReadOnlySpan<double> last = scores.AsSpan(2 * model.ScoreLayout.Length);
        double[] state = last[..States].ToArray();
        for (int step = 0; step < steps; step++)
        {
            double[] next = new double[States], probabilities = new double[80];
            for (int i = 0; i < States; i++)
                for (int j = 0; j < States; j++) next[j] += state[i] * theta[States + i * States + j];
            for (int n = 0; n < probabilities.Length; n++)
                for (int k = 0; k < States; k++) probabilities[n] += next[k] * Mass(n, theta[States * (States + 1) + k]);
            state = next;
            double mean = probabilities.Select((p, n) => p * n).Sum(), square = probabilities.Select((p, n) => p * n * n).Sum();
            Close(next, model.ScoreLayout["forecast_state_probabilities"].Of(last).Slice(step * States, States));
            Assert.Equal(mean, model.ScoreLayout["forecast_mean"].Of(last)[step], 1e-9);
            Assert.Equal(square - mean * mean, model.ScoreLayout["forecast_variance"].Of(last)[step], 1e-8);
            Assert.Equal(Quantile(probabilities, 0.025), model.ScoreLayout["forecast_lower"].Of(last)[step]);
            Assert.Equal(Quantile(probabilities, 0.975), model.ScoreLayout["forecast_upper"].Of(last)[step]);
        }
    }

    [Fact]
    public void Forecast_OfGaussians_HasTheQuantilesOfTheirMixture()
    {
        var model = new HiddenMarkov("test", new FullGaussian(2, 1, new CovarianceRegularization([0], 1e-12)), Prior.None) { Forecast = 1 };
        double[] scores = new double[model.ScoreLayout.Length];
        // After one step half of each: N(-3, 1) and N(3, 4).
        EStep eStep = model.Prepare(new double[] { 1, 0, 0.5, 0.5, 0.5, 0.5, -3, 3, 1, 4 });
        eStep.Score(Rows([-3]), 0, 1, new double[1], scores, eStep.CreateWorkspace());
        Assert.Equal(0, model.ScoreLayout["forecast_mean"].Of((ReadOnlySpan<double>)scores)[0], 1e-12);
        Assert.Equal(11.5, model.ScoreLayout["forecast_variance"].Of((ReadOnlySpan<double>)scores)[0], 1e-12);
        // R: uniroot(function(x) .5*pnorm(x,-3,1)+.5*pnorm(x,3,2)-p): both tails from the near component but for 1e-3.
        double lower = model.ScoreLayout["forecast_lower"].Of((ReadOnlySpan<double>)scores)[0];
        double upper = model.ScoreLayout["forecast_upper"].Of((ReadOnlySpan<double>)scores)[0];
        Assert.Equal(0.025, 0.5 * Normal(lower + 3) + 0.5 * Normal((lower - 3) / 2), 1e-9);
        Assert.Equal(0.975, 0.5 * Normal(upper + 3) + 0.5 * Normal((upper - 3) / 2), 1e-9);
    }

    [Fact]
    public void Sticky_ImaginaryStays_MakeStatesLastLonger()
    {
        double Stay(double sticky)
        {
            var model = new HiddenMarkov("test", new Poisson(2, [0], Prior.None)) { Sticky = sticky };
            double[] theta = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 5], statistics = new double[model.StatisticsLayout.Length],
                result = new double[theta.Length];
            model.ImpliedStatistics(theta, double.PositiveInfinity, statistics);
            model.Maximize(statistics, 100.0, theta, result, new ModelEvents());
            return result[2];
        }
        // From state 0 there are 100 x 3/8 passages, half of them to it.
        Assert.Equal((18.75 + 0.1) / (37.5 + 0.2), Stay(0), 1e-12);
        Assert.Equal((18.75 + 0.1 + 20) / (37.5 + 0.2 + 20), Stay(20), 1e-12);
    }

    private static HiddenMarkov Model() => new("test", new Poisson(States, [0], Prior.None), Prior.None);

    private static double[] Random(HiddenMarkov model, SplitMix64 chance)
    {
        double[] theta = new double[model.ParameterLayout.Length];
        for (int row = 0; row <= States; row++)
        {
            double[] weights = [.. Enumerable.Range(0, States).Select(_ => 0.05 + chance.NextDouble())];
            for (int k = 0; k < States; k++) theta[row * States + k] = weights[k] / weights.Sum();
        }
        for (int k = 0; k < States; k++) theta[States * (States + 1) + k] = 0.5 + 6 * chance.NextDouble();
        return theta;
    }

    private static IEnumerable<int[]> Paths(int length)
    {
        int count = (int)Math.Round(Math.Pow(States, length));
        // In the order in which ties go to the smaller state from the end.
        for (int number = 0; number < count; number++)
        {
            int[] path = new int[length];
            for (int t = 0, left = number; t < length; t++, left /= States) path[t] = left % States;
            yield return path;
        }
    }

    private static double Probability(double[] theta, double[] x, int[] path)
    {
        double probability = theta[path[0]];
        for (int t = 0; t < x.Length; t++)
        {
            if (t > 0) probability *= theta[States + path[t - 1] * States + path[t]];
            if (!double.IsNaN(x[t])) probability *= Mass((int)x[t], theta[States * (States + 1) + path[t]]);
        }
        return probability;
    }

    private static double Mass(int n, double rate)
    {
        double mass = Math.Exp(-rate);
        for (int at = 1; at <= n; at++) mass *= rate / at;
        return mass;
    }

    private static double Quantile(double[] probabilities, double p)
    {
        double sum = 0;
        for (int n = 0; ; n++)
            if ((sum += probabilities[n]) >= p) return n;
    }

    private static double Normal(double z)
    {
        // By Simpson's rule from far below.
        const int steps = 20_000;
        double low = -12, width = (z - low) / steps, sum = 0;
        for (int at = 0; at <= steps; at++)
            sum += (at is 0 or steps ? 1 : at % 2 == 1 ? 4 : 2) * Math.Exp(-0.5 * (low + at * width) * (low + at * width));
        return sum * width / 3 / Math.Sqrt(2 * Math.PI);
    }

    private static ReadOnlySpan<double> Of(HiddenMarkov model, string block, double[] statistics) =>
        model.StatisticsLayout[block].Of((ReadOnlySpan<double>)statistics);

    private static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual)
    {
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], actual[at], 1e-12);
    }

    private static Minibatch Rows(double[] values)
    {
        var rows = new Minibatch(1);
        rows.BeginSequence();
        foreach (double value in values) rows.Add([value], key: 0);
        return rows;
    }
}
