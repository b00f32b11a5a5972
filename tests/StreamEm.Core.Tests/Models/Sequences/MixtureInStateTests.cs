using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Sequences;

/// <summary>
/// States whose records are mixtures: the same as a chain whose states are the components, A[(k, m), (l, n)] = transmat[k, l] w[l, n].
/// </summary>
public sealed class MixtureInStateTests
{
    private const int States = 2, Each = 2;

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void EStep_OfMixturesInStates_IsThatOfTheChainOfTheirComponents(double missing)
    {
        HiddenMarkov nested = Nested(), flat = new("flat", Family(States * Each), Prior.None);
        double[] start = [0.7, 0.3], transitions = [0.8, 0.2, 0.4, 0.6], weights = [0.9, 0.1, 0.35, 0.65],
            means = [-3, 1, 0, 2, 4, -1, 7, 0], variances = [1, 0.5, 2, 1, 0.7, 1.5, 1, 1];
        double[] theta = [.. start, .. transitions, .. weights, .. means, .. variances], there = new double[flat.ParameterLayout.Length];
        for (int to = 0; to < 4; to++)
        {
            there[to] = start[to / 2] * weights[to];
            for (int from = 0; from < 4; from++) there[4 + 4 * from + to] = transitions[from / 2 * 2 + to / 2] * weights[to];
        }
        means.CopyTo(there, 20);
        variances.CopyTo(there, 28);
        Minibatch rows = Rows(200, missing);
        double[] sums = Sums(nested, theta, rows, out Evidence evidence), expected = Sums(flat, there, rows, out Evidence whole);
        Assert.Equal(whole.LogLikelihood, evidence.LogLikelihood, 1e-9);
        Near(Block(flat, "masses", expected), Block(nested, "mixture_masses", sums));
        foreach (string block in (string[])["first_moments", "second_moments"])
            Near(Block(flat, block, expected), Block(nested, block, sums));
        ReadOnlySpan<double> passages = Block(flat, "transitions", expected);
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++)
            {
                double sum = 0;
                for (int m = 0; m < 2; m++)
                    for (int n = 0; n < 2; n++) sum += passages[(2 * i + m) * 4 + 2 * j + n];
                Assert.Equal(sum, Block(nested, "transitions", sums)[2 * i + j], 1e-9);
            }
    }

    [Fact]
    public void Maximize_ImpliedStatistics_GivesTheParametersBack()
    {
        HiddenMarkov model = Nested(MixtureEmission.Imaginary);
        double[] theta = [0.7, 0.3, 0.8, 0.2, 0.4, 0.6, 0.9, 0.1, 0.35, 0.65, -3, 1, 0, 2, 4, -1, 7, 0, 1, 0.5, 2, 1, 0.7, 1.5, 1, 1];
        double[] statistics = new double[model.StatisticsLayout.Length], neutral = new double[theta.Length],
            result = new double[theta.Length];
        model.ImpliedStatistics(theta, 500, statistics);
        model.Neutral(neutral);
        model.Maximize(statistics, 500, neutral, result, new ModelEvents());
        Near(theta, result);
        Assert.Equal([States, Each], model.ParameterLayout["weights"].Shape.ToArray());
        Assert.Equal([States, Each, 2], model.ParameterLayout["means"].Shape.ToArray());
    }

    [Fact]
    public void BatchFit_FromYaml_FindsTheKindsWithinAState()
    {
        const string text = """{"mixture":{"components":2,"emission":{"gaussian":{"covariance_type":"diag"}}}}""";
        ModelEntry entry = ModelCatalog.Find("hidden_markov")!;
        LatentModelOptions options = entry.Read(new Dictionary<string, string> { ["emission"] = text, ["states"] = "2" });
        Assert.Equal(options.Settings["emission"], entry.Read(options.Settings).Settings["emission"]);
        Minibatch rows = Rows(3000, 0);
        BatchFit fit = BatchFit.Run(
            options, RecordSchema.OfNumbers(2), new LearningOptions { Learn = LearnMode.Always }, rows, new BatchEmOptions());
        double[] firsts = [.. Enumerable.Range(0, 4).Select(k => fit.Learned.Parameters[fit.Learned.Layout["means"].Offset + 2 * k])];
        Array.Sort(firsts);
        double[] expected = [-3, 0, 4, 7];
        for (int k = 0; k < 4; k++) Assert.Equal(expected[k], firsts[k], 0.3);
        Assert.True(fit.LargestFall < 1e-6);
    }

    /// <summary>Two states that last, each of two clusters: at -3 and 0, and at 4 and 7.</summary>
    private static Minibatch Rows(int count, double missing)
    {
        var chance = new SplitMix64(17);
        var rows = new Minibatch(2, count);
        rows.BeginSequence();
        int state = 0;
        for (int row = 0; row < count; row++)
        {
            if (chance.NextDouble() < 0.1) state = 1 - state;
            double centre = (state == 0 ? -3 : 4) + (chance.NextDouble() < 0.4 ? 3 : 0);
            double[] values = [centre + 0.5 * Gaussians.Normal(chance), Gaussians.Normal(chance)];
            rows.Add([.. values.Select(value => chance.NextDouble() < missing ? double.NaN : value)], key: 0);
        }
        return rows;
    }

    private static HiddenMarkov Nested(double imaginary = 0) => new(
        "nested", new MixtureEmission(Family(States * Each), Family(States * Each + 1), States, Each, imaginary),
        imaginary > 0 ? Prior.Conjugate : Prior.None);

    private static DiagonalGaussian Family(int components) => new(components, 2, new CovarianceRegularization([0, 0], 1e-12));

    private static double[] Sums(HiddenMarkov model, double[] theta, Minibatch rows, out Evidence evidence)
    {
        double[] sums = new double[model.StatisticsLayout.Length];
        evidence = new ShardedEStep(model, 1).Accumulate(model.Prepare(theta), rows, sums, new double[rows.Count]);
        return sums;
    }

    private static ReadOnlySpan<double> Block(HiddenMarkov model, string name, double[] sums) =>
        model.StatisticsLayout[name].Of((ReadOnlySpan<double>)sums);

    private static void Near(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], actual[at], 1e-9 * Math.Max(1, Math.Abs(expected[at])));
    }
}
