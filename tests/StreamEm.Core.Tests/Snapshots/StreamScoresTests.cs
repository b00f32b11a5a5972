using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Contracts;

namespace StreamEm.Core.Tests.Snapshots;

/// <summary>
/// Scores of a stream that is learned from: what comes together depends on the moment, what is said of a record does not.
/// </summary>
public sealed class StreamScoresTests
{
    private const int Dimension = 3, Rows = 300;

    public static TheoryData<string> Kinds => ["full", "diag", "tied", "spherical", "poisson", "hidden_markov"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Score_RowsTogetherOrOneByOne_AreTheSameToTheBit(string kind)
    {
        Learner learner = Learned(kind);
        Minibatch rows = Draw(kind, Rows, seed: 2);
        double[] together = Score(learner.CreateScoreSession()!, rows, Rows);

        foreach (int at in (int[])[1, 7, 64]) Assert.Equal(together, Score(learner.CreateScoreSession()!, rows, at));
    }

    [Theory]
    [InlineData("full")]
    [InlineData("poisson")]
    public void Score_WithoutBlocks_SaysTheSameOfTheRest(string kind)
    {
        ScoreSession session = Learned(kind).CreateScoreSession()!;
        Minibatch rows = Draw(kind, Rows, seed: 2);
        double[] all = new double[Rows * session.Scorer.Layout.Length];
        double[][] with = [new double[Rows], new double[Rows], new double[Rows]];
        double[][] without = [new double[Rows], new double[Rows], new double[Rows]];

        session.Score(rows, with[0], all, with[1], with[2]);
        session.Score(rows, without[0], default, without[1], without[2]);

        Assert.Equal(with, without);
    }

    [Fact]
    public void CreateScoreSession_TakenOverFromAnEarlierVersion_SaysTheSameAsANewOne()
    {
        Learner learner = Learned("full");
        Minibatch rows = Draw("full", Rows, seed: 3);
        ScoreSession old = learner.CreateScoreSession()!;
        Score(old, rows, Rows);
        learner.Add(rows, 0, 200);
        Assert.True(learner.TryUpdate());

        double[] fresh = Score(learner.CreateScoreSession()!, rows, Rows);

        Assert.Equal(fresh, Score(learner.CreateScoreSession(old)!, rows, Rows));
    }

    [Fact]
    public void CreateScoreSession_BeforeTheFirstVersion_IsNone()
    {
        Learner learner = New("full");
        learner.Add(Draw("full", 100, seed: 1), 0, 100);

        Assert.Null(learner.CreateScoreSession());
    }

    [Fact]
    public void Score_FarInTheTail_HasPValuesWhereTheScoreHasNoMoreDigits()
    {
        ScoreSession session = Learned("full").CreateScoreSession()!;
        var rows = new Minibatch(Dimension);
        foreach (double value in (double[])[0, 30, 300, 3000]) rows.Add([value, value, value]);
        double[] scores = new double[4], pValues = new double[4];
        session.Score(rows, new double[4], new double[4 * session.Scorer.Layout.Length], scores, pValues);

        // 1 - score has lost the digits below 2^-53.
        Assert.Equal(1 - scores[0], pValues[0], 1e-15);
        Assert.True(pValues[1] > pValues[2] && pValues[2] > pValues[3] && pValues[3] > 0, string.Join(' ', pValues));
    }

    /// <summary>Certain, and nothing less strange, of every family; alone and among others.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Score_ARecordWithoutAnyValue_IsCertainAndNotStrange(string kind)
    {
        ScoreSession session = Learned(kind).CreateScoreSession()!;
        Minibatch some = Draw(kind, 20, seed: 4), rows = new(Dimension, 21, some.Texts);
        int key = kind == "hidden_markov" ? some.Key(0) : Minibatch.NoKey;
        rows.Add([double.NaN, double.NaN, double.NaN], key: key);
        rows.Append(some, 0, 20);
        foreach (int count in (int[])[1, 21])
        {
            var part = new Minibatch(Dimension, count, rows.Texts);
            part.Append(rows, 0, count);
            double[] densities = new double[count], anomalies = new double[count], pValues = new double[count];
            session.Score(part, densities, new double[count * session.Scorer.Layout.Length], anomalies, pValues);
            Assert.Equal((0.0, 0.0, 1.0), (densities[0], anomalies[0], pValues[0]));
        }
    }

    private static double[] Score(ScoreSession session, Minibatch rows, int at)
    {
        int width = session.Scorer.Layout.Length;
        var result = new List<double>();
        for (int first = 0; first < rows.Count; first += at)
        {
            int count = Math.Min(at, rows.Count - first);
            var part = new Minibatch(Dimension, count, rows.Texts);
            part.Append(rows, first, count);
            double[] densities = new double[count], anomalies = new double[count], p = new double[count];
            double[] scores = new double[count * width];
            session.Score(part, densities, scores, anomalies, p);
            for (int row = 0; row < count; row++)
                result.AddRange([densities[row], anomalies[row], p[row], .. scores.AsSpan(row * width, width)]);
        }

        return [.. result];
    }

    private static Learner Learned(string kind)
    {
        Learner learner = New(kind);
        Minibatch rows = Draw(kind, 2000, seed: 1);
        for (int row = 0; row < rows.Count; row += 200)
        {
            learner.Add(rows, row, 200);
            while (learner.TryUpdate()) { }
        }

        return learner;
    }

    private static Learner New(string kind)
    {
        EmissionOptions emission = kind switch
        {
            "poisson" => ModelCatalog.Emissions.Single(family => family.Type == "poisson").CreateOptions(),
            "hidden_markov" => new GaussianOptions(),
            _ => new GaussianOptions { CovarianceType = Enum.Parse<CovarianceType>(kind, ignoreCase: true) },
        };
        LatentModelOptions model = kind == "hidden_markov"
            ? Hosts.HiddenMarkov(2, EmissionParts.Of(emission))
            : ModelCatalog.MixtureOf(emission, components: 3);
        return new Learner(
            model, new RecordSchema { Features = ["a", "b", "c"], Key = kind == "hidden_markov" ? "key" : null },
            new LearningOptions { MinibatchSize = 200, Initialization = new InitializationOptions { Buffer = 400, NInit = 1 } });
    }

    private static Minibatch Draw(string kind, int rows, int seed)
    {
        var random = new Random(seed);
        var texts = new TextTable();
        var batch = new Minibatch(Dimension, rows, texts);
        for (int row = 0; row < rows; row++)
        {
            double centre = 4 * random.Next(3);
            double Value() => kind == "poisson" ? Math.Round(centre + 3 * random.NextDouble())
                : random.Next(20) == 0 ? double.NaN : centre + random.NextDouble() + random.NextDouble();
            batch.Add([Value(), Value(), Value()], key: kind == "hidden_markov" ? texts.Number($"k{random.Next(5)}") : Minibatch.NoKey);
        }

        return batch;
    }
}
