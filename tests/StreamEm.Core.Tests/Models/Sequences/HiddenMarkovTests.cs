using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Tests.Golden;

namespace StreamEm.Core.Tests.Models.Sequences;

public sealed class HiddenMarkovTests
{
    private static readonly CovarianceRegularization None = new([0], 1e-12);
    private static readonly double[] Theta = [0.6, 0.4, 0.7, 0.3, 0.2, 0.8, 0, 2, 1, 0.5];

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenSequences_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("hmm", new HiddenMarkov("test", new FullGaussian(2, 1, None), Prior.None))
        {
            Parameters =
                new Dictionary<string, string> { ["startprob"] = "pi", ["transmat"] = "A", ["means"] = "means", ["covariances"] = "var" },
            Statistics = new Dictionary<string, string>
            {
                ["initial"] = "init",
                ["transitions"] = "trans",
                ["masses"] = "N",
                ["first_moments"] = "S1",
                ["second_moments"] = "S2",
            },
            Rows = GoldenRows.Sequences,
            Responsibilities = null,
            RowsPerUnit = 3.5,
        }.Check(recursion, GetType());

    [Fact]
    public void Score_OfASequence_IsTheFilteredStateByEnumeration()
    {
        HiddenMarkov model = Model();
        double[] x = [0.3, 1.7, double.NaN, 2.2, -0.4], logDensities = new double[5], scores = new double[10];
        Minibatch rows = Rows(x);
        EStep eStep = model.Prepare(Theta);
        eStep.Score(rows, 0, 5, logDensities, scores, eStep.CreateWorkspace());
        double before = 1;
        for (int length = 1; length <= x.Length; length++)
        {
            double[] ending = new double[2];
            for (int path = 0; path < 1 << length; path++) ending[path >> (length - 1)] += Probability(x[..length], path);
            double total = ending[0] + ending[1];
            Assert.Equal(ending[0] / total, scores[2 * (length - 1)], 1e-13);
            if (double.IsNaN(x[length - 1])) Assert.True(double.IsNaN(logDensities[length - 1]));
            else Assert.Equal(Math.Log(total / before), logDensities[length - 1], 1e-12);
            before = total;
        }
    }

    [Fact]
    public void Accumulate_ASequenceInTwoMinibatches_PassesFromOneToTheOther()
    {
        HiddenMarkov model = Model();
        double[] x = [0.3, 1.7, 2.2, -0.4, 0.9, 2.5];
        EStep eStep = model.Prepare(Theta);
        StreamMemory memory = model.CreateMemory(1);
        double whole = 0, parts = 0;
        double[] logDensities = new double[6], statistics = new double[model.StatisticsLayout.Length];
        whole = eStep.Accumulate(Rows(x), 0, 6, new double[statistics.Length], logDensities, eStep.CreateWorkspace()).LogLikelihood;
        foreach (Range part in new[] { Range.EndAt(2), new Range(2, 3), Range.StartAt(3) })
        {
            Workspace space = eStep.CreateWorkspace();
            space.Pass = new Pass(memory, 1);
            double[] ofPart = x[part];
            parts += eStep.Accumulate(Rows(ofPart), 0, ofPart.Length, statistics, logDensities, space).LogLikelihood;
        }
        Assert.Equal(whole, parts, 1e-12);
        // One beginning, and a passage into every row but the first.
        Assert.Equal(1, model.StatisticsLayout["initial"].Of((ReadOnlySpan<double>)statistics).ToArray().Sum(), 1e-12);
        Assert.Equal(5, model.StatisticsLayout["transitions"].Of((ReadOnlySpan<double>)statistics).ToArray().Sum(), 1e-12);
        Assert.Equal(6, model.StatisticsLayout["masses"].Of((ReadOnlySpan<double>)statistics).ToArray().Sum(), 1e-12);
    }

    [Fact]
    public void Accumulate_KeyForgotten_BeginsAnew()
    {
        HiddenMarkov model = Model();
        EStep eStep = model.Prepare(Theta);
        StreamMemory memory = model.CreateMemory(1);
        double[] statistics = new double[model.StatisticsLayout.Length];
        for (int pass = 0; pass < 2; pass++)
        {
            Workspace space = eStep.CreateWorkspace();
            space.Pass = new Pass(memory, 1);
            eStep.Accumulate(Rows([0.3, 1.7]), 0, 2, statistics, new double[2], space);
            memory.Forget(0);
        }
        Assert.Equal(2, model.StatisticsLayout["initial"].Of((ReadOnlySpan<double>)statistics).ToArray().Sum(), 1e-12);
    }

    [Fact]
    public void Maximize_StateNeverLeft_KeepsItsRow()
    {
        HiddenMarkov model = Model();
        double[] statistics = new double[model.StatisticsLayout.Length], result = new double[Theta.Length];
        model.ImpliedStatistics(Theta, double.PositiveInfinity, statistics);
        model.StatisticsLayout["transitions"].Of(statistics.AsSpan())[..2].Clear();
        model.Maximize(statistics, 100.0, Theta, result, new ModelEvents());
        Assert.Equal(Theta[2..4], result[2..4]);
    }

    private static HiddenMarkov Model() => new("test", new FullGaussian(2, 1, None), Prior.None);

    private static Minibatch Rows(double[] values)
    {
        var rows = new Minibatch(1);
        rows.BeginSequence();
        foreach (double value in values) rows.Add([value], key: 0);
        return rows;
    }

    /// <summary>p(x, z) of one path, state t bit t of the number.</summary>
    private static double Probability(double[] x, int path)
    {
        double probability = 1;
        for (int t = 0, before = 0; t < x.Length; t++)
        {
            int z = (path >> t) & 1;
            probability *= t == 0 ? Theta[z] : Theta[2 + 2 * before + z];
            double mean = Theta[6 + z], variance = Theta[8 + z];
            if (!double.IsNaN(x[t]))
                probability *= Math.Exp(-(x[t] - mean) * (x[t] - mean) / (2 * variance)) / Math.Sqrt(2 * Math.PI * variance);
            before = z;
        }
        return probability;
    }
}
