using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Ratings;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Ratings;

/// <summary>The laws of single cells: a column's code and a value, whatever D the law is stated for.</summary>
public sealed class CellFactorsContract : ModelContract
{
    private const int Columns = 5;

    protected override bool FollowsUnits => false;

    protected override LatentModelOptions Options(int components, int dimension) => MatrixFactorizationTests.Cells with
    {
        Column = "x0",
        Factors = 2,
        MaxColumns = Columns,
        Keys = 400,
    };

    protected override LatentModel Create(int components, int dimension) =>
        new CellFactors("matrix_factorization", [.. Enumerable.Range(0, Columns).Select(j => $"c{j}")], 0, 2)
        { Centre = 0, Spread = 1, Regularization = 0 };

    protected override RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(2) with { Key = "user" };

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var cells = new Minibatch(2, count);
        for (int row = 0; row < count; row++)
            cells.Add([chance.NextDouble() < missing ? double.NaN : chance.NextInt32(Columns), 0], 0.5 + chance.NextDouble());
        Minibatch sequences = Contracts.Sequences.Of(cells, seed), result = new(2, count);
        double a = 0, b = 0;
        for (int row = 0; row < count; row++)
        {
            if (sequences.SequenceStarts.Contains(row))
            {
                result.BeginSequence();
                (a, b) = (Gaussians.Normal(chance), Gaussians.Normal(chance));
            }
            double column = sequences.Row(row)[0], value =
                0.2 * column + (1 - 0.4 * column) * a + (column % 2) * b + 0.5 * Gaussians.Normal(chance);
            result.Add([column, chance.NextDouble() < missing || double.IsNaN(column) ? double.NaN : value], sequences.Weight(row),
                key: sequences.Key(row));
        }
        return result;
    }

    protected override Minibatch Records(Minibatch rows)
    {
        Minibatch interleaved = Contracts.Sequences.Interleaved(rows), result = new(2, rows.Count, new TextTable(), [0]);
        for (int row = 0; row < rows.Count; row++)
        {
            double column = interleaved.Row(row)[0];
            result.Add(
                [double.IsNaN(column) ? double.NaN : result.Texts!.Number($"c{column}"), interleaved.Row(row)[1]], interleaved.Weight(row),
                key: result.Texts!.Number(interleaved.Texts![interleaved.Key(row)]));
        }
        return result;
    }
}

/// <summary>The laws of whole rows with missing cells: those of probabilistic PCA.</summary>
[ContractOf("matrix_factorization")]
public sealed class MatrixOfRowsContract : ModelContract
{
    protected override bool FollowsUnits => false;

    protected override LatentModelOptions Options(int components, int dimension) =>
        MatrixFactorizationTests.Options() with { Factors = Math.Min(1, dimension - 1) };

    protected override LatentModel Create(int components, int dimension) =>
        new StreamEm.Core.Models.Mixtures.SingleComponent("matrix_factorization",
            Factors.FactorTests.Analyser(1, dimension, Math.Min(2, dimension - 1), isIsotropic: true));

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0) =>
        new FullGaussians().Rows(dimension, count, seed, missing);

    protected override double[] ImpossibleRow(int dimension) => new FullGaussians().ImpossibleRow(dimension);
}

public sealed class MatrixFactorizationTests
{
    private const int Items = 8;

    private static readonly RecordSchema Ratings = new() { Features = ["item", "stars"], Key = "user" };

    internal static MatrixFactorizationOptions Cells => Options() with { Column = "item", Factors = 2 };

    internal static MatrixFactorizationOptions Options() =>
        (MatrixFactorizationOptions)ModelCatalog.Find("matrix_factorization")!.CreateOptions();

    [Fact]
    public void LogDensities_OfARowsCells_SumToThatOfTheirGaussian()
    {
        double[] theta = Truth(out CellFactors model), densities = new double[4];
        Minibatch cells = new(2);
        cells.BeginSequence();
        int[] items = [3, 0, 6, 2];
        double[] values = [1.2, -0.4, 0.7, 2.1];
        for (int at = 0; at < 4; at++) cells.Add([items[at], values[at]], key: 0);

        EStep eStep = model.Prepare(theta);
        eStep.Accumulate(cells, 0, 4, new double[model.StatisticsLayout.Length], densities, eStep.CreateWorkspace());

        Matrix<double> covariance = Covariance(theta, items);
        Vector<double> off = Vector<double>.Build.Dense(4, at => values[at] - theta[items[at]]);
        var cholesky = covariance.Cholesky();
        Assert.Equal(-0.5 * (cholesky.DeterminantLn + off * cholesky.Solve(off) + 4 * Math.Log(2 * Math.PI)), densities.Sum(), 1e-11);
    }

    [Fact]
    public void Score_Cell_IsPredictedByThoseBeforeItWithTheVarianceOfASimulation()
    {
        double[] theta = Truth(out CellFactors model), scores = new double[6];
        Minibatch cells = new(2);
        cells.BeginSequence();
        foreach ((int item, double value) in ((int, double)[])[(3, 1.2), (0, -0.4), (5, double.NaN)]) cells.Add([item, value], key: 0);
        EStep eStep = model.Prepare(theta);
        eStep.Score(cells, 0, 3, new double[3], scores, eStep.CreateWorkspace());

        // Factors drawn from the prior, weighted by how likely they make the two cells: mean of variances plus variance of means.
        var chance = new SplitMix64(4);
        double total = 0, mean = 0, square = 0;
        for (int draw = 0; draw < 400_000; draw++)
        {
            double a = Gaussians.Normal(chance), b = Gaussians.Normal(chance);
            double Mean(int item) => theta[item] + theta[Items + 2 * item] * a + theta[Items + 2 * item + 1] * b;
            double weight = Math.Exp(-((1.2 - Mean(3)) * (1.2 - Mean(3)) + (-0.4 - Mean(0)) * (-0.4 - Mean(0))) / (2 * theta[^1]));
            (total, mean, square) = (total + weight, mean + weight * Mean(5), square + weight * Mean(5) * Mean(5));
        }
        (mean, square) = (mean / total, square / total);
        Assert.Equal(mean, scores[4], 0.01);
        Assert.Equal(theta[^1] + square - mean * mean, scores[5], 0.01);
        Assert.Equal([theta[3], theta[^1] + theta[Items + 6] * theta[Items + 6] + theta[Items + 7] * theta[Items + 7]], scores[..2],
            (x, y) => Math.Abs(x - y) < 1e-12);
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Learn_SingleRatings_PredictsAsWellAsTheTruth(ulong seed)
    {
        Minibatch ratings = Draw(60_000, 600, seed);
        var learning = new LearningOptions
        {
            MinibatchSize = 300,
            StepSize = new() { Kappa = 0.7 },
            Initialization = new() { Buffer = 6000, NInit = 2 },
        };
        var learner = new Learner(Cells with { Keys = 1000 }, Ratings, learning, threads: 1);
        Streams.Feed(learner, ratings, 0, 54_000);
        ScoreSession session = learner.CreateScoreSession()!;
        Minibatch rest = new(2, 6000, ratings.Texts, [0]);
        rest.Append(ratings, 54_000, 6000);
        double[] scores = new double[12_000], densities = new double[6000];
        session.Score(rest, densities, scores, new double[6000]);

        double error = 0, standard = 0, total = 0;
        for (int row = 0; row < 6000; row++)
        {
            double off = rest.Row(row)[1] - scores[2 * row];
            (error, standard) = (error + off * off / 6000, standard + off * off / scores[2 * row + 1] / 6000);
            total += rest.Row(row)[1] * rest.Row(row)[1] / 6000;
        }
        // sigma^2 = 0.25, and a user's factors are known by some 100 cells: 0.25 (1 + 2 / 100).
        Assert.InRange(error, 0.23, 0.29);
        Assert.InRange(standard, 0.85, 1.15);
        Assert.True(total > 1, $"{total}");
    }

    [Fact]
    public void Learn_MoreUsersThanAreRemembered_GoesOnAndSaysSo()
    {
        Minibatch ratings = Draw(6000, 900, 3);
        var learning = new LearningOptions { MinibatchSize = 100, Initialization = new() { Buffer = 600, NInit = 1 } };
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Cells with { Keys = 100 }, learning, ratings, schema: Ratings, threads: 1));
        Assert.Contains(learned.Training.Warnings, warning => warning.Text.Contains("key(s) were forgotten", StringComparison.Ordinal));
    }

    [Fact]
    public void Problems_OfFields_AreTold()
    {
        string problem = Assert.Single(Options().ProblemsWith(RecordSchema.OfNumbers(2)));
        Assert.Contains("Where a record is a single cell, set column", problem, StringComparison.Ordinal);
        Assert.Empty(Cells.ProblemsWith(Ratings));
        Assert.Equal(["matrix_factorization learns a sequence per key: set key to the field that tells sequences apart"],
            Cells.ProblemsWith(Ratings with { Key = null }));
        Assert.Equal(["column: 'item' is none of the features"], Cells.ProblemsWith(Ratings with { Features = ["a", "b"] }));
    }

    private static double[] Truth(out CellFactors model)
    {
        model = new CellFactors("test", [.. Enumerable.Range(0, Items).Select(j => $"i{j}")], 0, 2)
        { Centre = 0, Spread = 1, Regularization = 0 };
        var chance = new SplitMix64(2);
        return [.. Enumerable.Range(0, 3 * Items).Select(at => at < Items ? 0.3 * (at - 3) : 2 * chance.NextDouble() - 1), 0.25];
    }

    private static Matrix<double> Covariance(double[] theta, int[] items) => Matrix<double>.Build.Dense(
        items.Length, items.Length, (i, j) => theta[Items + 2 * items[i]] * theta[Items + 2 * items[j]]
            + theta[Items + 2 * items[i] + 1] * theta[Items + 2 * items[j] + 1]
            + (i == j ? theta[^1] : 0));

    /// <summary>Ratings of users, each of a random item, in a random order.</summary>
    private static Minibatch Draw(int count, int users, ulong seed)
    {
        double[] theta = Truth(out _);
        var chance = new SplitMix64(seed);
        double[] latent = [.. Enumerable.Range(0, 2 * users).Select(_ => Gaussians.Normal(chance))];
        var rows = new Minibatch(2, count, new TextTable(), [0]);
        for (int row = 0; row < count; row++)
        {
            int user = chance.NextInt32(users), item = chance.NextInt32(Items);
            double value = 3 * theta[item] + theta[Items + 2 * item] * latent[2 * user] + theta[Items + 2 * item + 1] * latent[2 * user + 1]
                + 0.5 * Gaussians.Normal(chance);
            rows.Add([rows.Texts!.Number($"i{item}"), value], key: rows.Texts.Number($"user {user}"));
        }
        return rows;
    }
}
