using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>What the laws are stated with.</summary>
public abstract partial class ModelContract
{
    /// <summary>The statistics' sums of a range of rows.</summary>
    private protected static double[] Sums(LatentModel model, double[] theta, Minibatch rows, int first, int count) =>
        Sums(model, theta, rows, first, count, new double[count], out _);

    /// <summary>The statistics' sums, log-densities and evidence of a range of rows.</summary>
    private protected static double[] Sums(
        LatentModel model, double[] theta, Minibatch rows, int first, int count, double[] logDensities, out Evidence evidence)
    {
        double[] statistics = new double[model.StatisticsLayout.Length];
        EStep eStep = model.Prepare(theta);
        evidence = eStep.Accumulate(rows, first, count, statistics, logDensities, eStep.CreateWorkspace());
        return statistics;
    }

    /// <summary>The averages the M-step takes, of all rows.</summary>
    private protected static double[] Averages(LatentModel model, double[] theta, Minibatch rows, out Evidence evidence)
    {
        double[] averages = new double[model.StatisticsLayout.Length];
        evidence = new ShardedEStep(model, 1).Average(model.Prepare(theta), theta, rows, averages, new double[rows.Count]);
        return averages;
    }

    /// <summary>Asserts |expected - actual| &lt;= tolerance max(1, |expected|) entry by entry.</summary>
    private protected static void Near(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int at = 0; at < expected.Length; at++)
            Assert.True(
                Math.Abs(expected[at] - actual[at]) <= tolerance * Math.Max(1, Math.Abs(expected[at])),
                $"entry {at}: expected {expected[at]:R}, found {actual[at]:R}");
    }

    /// <summary>Asserts that the M-step finds theta again in its implied statistics, from neutral parameters.</summary>
    private static void AssertImplies(LatentModel model, double[] theta, double effectiveRows, RowsWorth rows)
    {
        double[] statistics = new double[model.StatisticsLayout.Length], neutral = new double[theta.Length],
            result = new double[theta.Length];
        model.ImpliedStatistics(theta, effectiveRows, statistics);
        model.Neutral(neutral);
        var events = new ModelEvents();
        model.Maximize(statistics, rows, neutral, result, events);
        Near(theta, result, 1e-10);
        Assert.Empty(events.All);
    }

    /// <summary>Asserts that a row alone adds neither to the statistics nor to the evidence, and what its log-density is.</summary>
    private void AssertAddsNothing(LatentModel model, double[] row, Predicate<double> logDensity)
    {
        double[] theta = Theta(model, Rows(2, 200, 9));
        var rows = new Minibatch(2);
        rows.BeginSequence();
        rows.Add(row, key: 0);
        double[] logDensities = new double[1], sums = Sums(model, theta, rows, 0, 1, logDensities, out Evidence evidence);
        Assert.Equal(default, evidence);
        foreach (VectorBlock block in StatisticsOfRows(model))
            Assert.All(block.Of((ReadOnlySpan<double>)sums).ToArray(), value => Assert.Equal(0, value));
        Assert.True(logDensity(logDensities[0]), $"log density {logDensities[0]:R}");
    }
}
