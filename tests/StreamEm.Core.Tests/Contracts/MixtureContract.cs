using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Models;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>The laws every mixture obeys, whatever its components. A new family inherits them.</summary>
public abstract class MixtureContract
{
    /// <summary>The model under test over D features, features of unit variance.</summary>
    protected abstract LatentModel Create(int components, int dimension);

    /// <summary>Rows the model can learn from.</summary>
    protected virtual Minibatch Rows(int dimension, int count, ulong seed, double missing) => Draw(dimension, count, seed, missing);

    private static Minibatch Draw(int dimension, int count, ulong seed, double missing)
    {
        var chance = new SplitMix64(seed);
        var batch = new Minibatch(dimension, count);
        double[] row = new double[dimension];
        for (int n = 0; n < count; n++)
        {
            int k = chance.NextInt32(3);
            for (int d = 0; d < dimension; d++)
                row[d] = chance.NextDouble() < missing ? double.NaN : (k == d % 3 ? 2.5 : -0.5) + Gaussians.Normal(chance) * (0.5 + 0.2 * k) + (d > 0 && !double.IsNaN(row[d - 1]) ? 0.3 * row[d - 1] : 0);
            batch.Add(row, weight: 0.5 + chance.NextDouble());
        }
        return batch;
    }

    private double[] Theta(LatentModel model, Minibatch rows)
    {
        var options = new InitializationOptions { NInit = 1, Seed = 3 };
        return new Initialization.Initializer(model, options, 1).Run(rows);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(5, 0.2)]
    public void Responsibilities_AnyRow_SumToOne(int dimension, double missing)
    {
        LatentModel model = Create(3, dimension);
        Minibatch rows = Rows(dimension, 700, 1, missing);
        EStep eStep = model.Prepare(Theta(model, rows));
        double[] responsibilities = new double[rows.Count * 3];
        eStep.Score(rows, 0, rows.Count, new double[rows.Count], responsibilities, eStep.CreateWorkspace());
        for (int row = 0; row < rows.Count; row++)
        {
            double sum = responsibilities[3 * row] + responsibilities[3 * row + 1] + responsibilities[3 * row + 2];
            // Three roundings of numbers at most 1.
            Assert.True(Math.Abs(sum - 1) < 1e-14, $"row {row}: {sum:R}");
        }
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(3, 0.25)]
    public void BatchEm_EveryIteration_NeverLowersTheLogLikelihood(int dimension, double missing)
    {
        LatentModel model = Create(3, dimension);
        Minibatch rows = Rows(dimension, 900, 2, missing);
        BatchEmResult result = BatchEm.Run(model, rows, Theta(model, rows), new BatchEmOptions { Tolerance = -1, MaxIterations = 60 });
        Assert.True(result.LargestFall <= 1e-10 * Math.Abs(result.LogLikelihoods[^1]), $"fell by {result.LargestFall:R}");
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(4, 0.2)]
    public void Statistics_AnySplitOfTheRows_AddUp(int dimension, double missing)
    {
        LatentModel model = Create(3, dimension);
        Minibatch rows = Rows(dimension, 611, 4, missing);
        EStep eStep = model.Prepare(Theta(model, rows));
        double[] whole = Sums(eStep, model, rows, 0, rows.Count);
        double[] parts = Sums(eStep, model, rows, 0, 101).Zip(Sums(eStep, model, rows, 101, 510), (a, b) => a + b).ToArray();
        for (int at = 0; at < whole.Length; at++) Near(whole[at], parts[at], 1e-11);
    }

    [Fact]
    public void Statistics_RowsInAnotherOrder_AreTheSame()
    {
        LatentModel model = Create(3, 3);
        Minibatch rows = Rows(3, 500, 5, 0.1), shuffled = CsvData.Shuffle(rows, 8);
        EStep eStep = model.Prepare(Theta(model, rows));
        double[] a = Sums(eStep, model, rows, 0, 500), b = Sums(eStep, model, shuffled, 0, 500);
        for (int at = 0; at < a.Length; at++) Near(a[at], b[at], 1e-11);
    }

    [Fact]
    public void Statistics_WeightTwo_EqualsTheRowTwice()
    {
        LatentModel model = Create(2, 2);
        Minibatch rows = Rows(2, 40, 6, 0.1), twice = new(2), doubled = new(2);
        double[] theta = Theta(model, rows);
        for (int row = 0; row < rows.Count; row++)
        {
            doubled.Add(rows.Row(row), weight: 2);
            twice.Add(rows.Row(row));
            twice.Add(rows.Row(row));
        }
        EStep eStep = model.Prepare(theta);
        double[] a = Sums(eStep, model, doubled, 0, 40), b = Sums(eStep, model, twice, 0, 80);
        for (int at = 0; at < a.Length; at++) Near(a[at], b[at], 1e-12);
    }

    [Fact]
    public void Maximize_ImpliedStatistics_GivesTheParametersBack()
    {
        LatentModel model = Create(3, 4);
        double[] theta = Theta(model, Rows(4, 800, 7, 0));
        double[] statistics = new double[model.StatisticsLayout.Length], result = new double[theta.Length];
        model.ImpliedStatistics(theta, statistics);
        var events = new ModelEvents();
        model.Maximize(statistics, 1000, theta, result, events);
        for (int at = 0; at < theta.Length; at++) Near(theta[at], result[at], 1e-10);
        Assert.Empty(events.All);
    }

    [Fact]
    public void Maximize_ComponentWithoutEvidence_KeepsItsParameters()
    {
        LatentModel model = Create(2, 2);
        Minibatch rows = Rows(2, 300, 8, 0);
        double[] theta = Theta(model, rows), statistics = new double[model.StatisticsLayout.Length], result = new double[theta.Length];
        for (int row = 0; row < rows.Count; row++) rows.SetLabel(row, 1);
        EStep eStep = model.Prepare(theta);
        Evidence evidence = eStep.Accumulate(rows, 0, rows.Count, statistics, new double[rows.Count], eStep.CreateWorkspace());
        for (int at = 0; at < statistics.Length; at++) statistics[at] /= evidence.Weight;
        var events = new ModelEvents();
        model.Maximize(statistics, rows.Count, theta, result, events);
        Assert.Contains(events.All, item => item is { Kind: ModelEventKind.NoEvidence, Component: 0 });
        Assert.Equal(0, result[0]);
        Assert.Equal(theta.AsSpan(2, 2), result.AsSpan(2, 2));
        Assert.All(result, value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void Accumulate_RowsThatSayNothing_AddNothing()
    {
        LatentModel model = Create(2, 2);
        double[] theta = Theta(model, Rows(2, 200, 9, 0));
        var rows = new Minibatch(2);
        rows.Add([double.NaN, double.NaN]);
        rows.Add([1e100, -1e100]);
        double[] statistics = new double[model.StatisticsLayout.Length], logDensities = new double[2];
        EStep eStep = model.Prepare(theta);
        Evidence evidence = eStep.Accumulate(rows, 0, 2, statistics, logDensities, eStep.CreateWorkspace());
        Assert.Equal(default, evidence);
        Assert.All(statistics, value => Assert.Equal(0, value));
        Assert.True(double.IsNaN(logDensities[0]) && double.IsNegativeInfinity(logDensities[1]));
    }

    [Fact]
    public void UserUnits_ThereAndBack_GiveTheParameters()
    {
        LatentModel model = Create(3, 2);
        double[] theta = Theta(model, Rows(2, 500, 10, 0)), user = new double[theta.Length], back = new double[theta.Length];
        var units = new Standardization([1e6, -3], [1e-6, 250]);
        model.ToUserUnits(theta, units, user);
        model.FromUserUnits(user, units, back);
        // Offsets of 1e6 with a scale of 1e-6 leave 4 digits of a mean.
        for (int at = 0; at < theta.Length; at++) Near(theta[at], back[at], 2e-4);
    }

    private static double[] Sums(EStep eStep, LatentModel model, Minibatch rows, int first, int count)
    {
        double[] statistics = new double[model.StatisticsLayout.Length];
        eStep.Accumulate(rows, first, count, statistics, new double[count], eStep.CreateWorkspace());
        return statistics;
    }

    private static void Near(double expected, double actual, double tolerance) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Max(1, Math.Abs(expected)), $"expected {expected:R}, found {actual:R}");
}
