using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Records whose values are texts.</summary>
public sealed class LevelLearnerTests
{
    private static readonly MixtureOptions Model = LevelsOptions.Mixture(3, maxLevels: 5, prior: 0.1);
    private static readonly RecordSchema Schema = new() { Features = ["colour", "size", "shape"] };
    private static readonly LearningOptions Options =
        new() { MinibatchSize = 100, Recursion = Recursion.Statistics, Initialization = new() { Buffer = 400 } };

    [Fact]
    public void Learn_Texts_NumbersThemAsTheyComeAndFindsTheComponents()
    {
        Minibatch codes = LevelRecords.Codes(3, 4000, 1);
        LearnedModel learned = Streams.Snapshot(Learned(LevelRecords.Texts(codes)));
        for (int d = 0; d < 3; d++)
        {
            string[] expected = [.. Enumerable.Range(0, codes.Count).Select(row => "abc"[(int)codes.Row(row)[d]].ToString()).Distinct()];
            Assert.Equal(expected, learned.Space.Features[d].Levels);
        }
        Assert.Equal("3, 3, 3", string.Join(", ", learned.Layout["probabilities"].Shape));
        // Every component prefers one level of every feature: 0.7 + 0.3 / 3 of its rows have it.
        double[] probabilities = learned.Layout["probabilities"].Of((ReadOnlySpan<double>)learned.Parameters).ToArray();
        for (int first = 0; first < probabilities.Length; first += 3) Assert.InRange(probabilities[first..(first + 3)].Max(), 0.7, 0.9);
        IEnumerable<int> likeliest = Enumerable.Range(0, 3)
            .Select(k => Enumerable.Range(0, 3).MaxBy(level => probabilities[9 * k + level]));
        Assert.Equal(3, likeliest.Distinct().Count());
    }

    [Fact]
    public void Learn_TheSameTextsNumberedOtherwise_GivesTheSameBytes()
    {
        Minibatch records = LevelRecords.Texts(LevelRecords.Codes(3, 900, 2, 0.1));
        var other = new TextTable();
        foreach (string text in (string[])["of another record", "c", "b"]) other.Number(text);
        var renumbered = new Minibatch(3, texts: other, textFeatures: [0, 1, 2]);
        renumbered.Append(records, 0, records.Count);
        Assert.NotEqual(records.Values.ToArray(), renumbered.Values.ToArray());
        Assert.Equal(Streams.State(Learned(records)), Streams.State(Learned(renumbered)));
    }

    [Fact]
    public void Learn_NumbersAsLevels_AreThoseOfTheirTexts()
    {
        Minibatch codes = LevelRecords.Codes(3, 900, 3), numbers = new(3), texts = new(3, texts: new TextTable(), textFeatures: [0, 1, 2]);
        for (int row = 0; row < codes.Count; row++)
        {
            numbers.Add([.. codes.Row(row).ToArray().Select(code => 1.5 * code)]);
            texts.Add(
                [.. codes.Row(row).ToArray()
                    .Select(code => texts.Texts!.Number((1.5 * code).ToString("R", CultureInfo.InvariantCulture)))]);
        }
        Assert.Equal(Streams.State(Learned(texts)), Streams.State(Learned(numbers)));
        Assert.Equal(["0", "1.5", "3"], Streams.Snapshot(Learned(numbers)).Space.Features[0].Levels.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Learn_LevelsAfterTheStart_AreCountedAndCountAsMissing()
    {
        Minibatch records = LevelRecords.Texts(LevelRecords.Codes(3, 400, 4)), late = LevelRecords.Texts(LevelRecords.Codes(3, 100, 5));
        Learner learner = Learned(records), same = Learned(records);
        var gaps = new Minibatch(3, texts: late.Texts, textFeatures: [0, 1, 2]);
        var unknown = new Minibatch(3, texts: late.Texts, textFeatures: [0, 1, 2]);
        for (int row = 0; row < 100; row++)
        {
            double first = row % 4 == 0 ? double.NaN : late.Row(row)[0];
            gaps.Add([first, late.Row(row)[1], late.Row(row)[2]], late.Weight(row));
            unknown.Add([row % 4 == 0 ? late.Texts!.Number("violet") : first, late.Row(row)[1], late.Row(row)[2]], late.Weight(row));
        }
        Streams.Feed(learner, unknown, 0, 100);
        Streams.Feed(same, gaps, 0, 100);
        LearnedModel learned = Streams.Snapshot(learner);
        Assert.Equal(Streams.Snapshot(same).Parameters, learned.Parameters);
        ModelWarning warning = Assert.Single(learned.Training.Warnings);
        Assert.Equal(ModelWarningKind.UnknownLevels, warning.Kind);
        Assert.Equal(
            "feature 'colour' held 25 value(s) that are none of its 3 levels; they count as missing. Use a larger initialization.buffer or "
                + "max_levels.", warning.Text);
        Assert.Equal(3, learned.Space.Features[0].Levels.Count);
    }

    [Fact]
    public void Learn_MoreLevelsThanThereMayBe_KeepsTheFirst()
    {
        Minibatch records = LevelRecords.Texts(LevelRecords.Codes(3, 500, 6));
        LearnedModel learned =
            Streams.Snapshot(Streams.Learn(LevelsOptions.Mixture(2, maxLevels: 2, prior: 0.1), Options, records, schema: Schema));
        Assert.All(learned.Space.Features, feature => Assert.Equal(2, feature.Levels.Count));
        Assert.All(learned.Training.Warnings, warning => Assert.Equal(ModelWarningKind.UnknownLevels, warning.Kind));
        Assert.Equal(3, learned.Training.Warnings.Count);
    }

    [Fact]
    public void Score_TextsOfAnotherSource_AreReadByTheModelsLevels()
    {
        LearnedModel learned = Streams.Snapshot(Learned(LevelRecords.Texts(LevelRecords.Codes(3, 900, 7))));
        var table = new TextTable();
        foreach (string text in (string[])["zzz", "c", "a", "b"]) table.Number(text);
        Minibatch records = new(3, texts: table, textFeatures: [0, 1, 2]), shorter = new(3, texts: table, textFeatures: [0, 1, 2]);
        records.Add([table.Number("a"), table.Number("b"), table.Number("c")]);
        records.Add([table.Number("zzz"), table.Number("b"), table.Number("c")]);
        shorter.Add([double.NaN, table.Number("b"), table.Number("c")]);
        double[] densities = new double[2], one = new double[1];
        new Scorer(learned).Score(records, densities, new double[6], new double[2]);
        new Scorer(learned).Score(shorter, one, new double[3], new double[1]);
        Assert.Equal(one[0], densities[1]);
        // log sum_k w_k prod_d p: from the parameters and the levels' places.
        double sum = 0;
        for (int k = 0; k < 3; k++)
        {
            double product = learned.Parameters[k];
            for (int d = 0; d < 3; d++)
            {
                int level = learned.Space.Features[d].Levels.ToList().IndexOf("abc"[d].ToString());
                product *= learned.Layout["probabilities"].Of((ReadOnlySpan<double>)learned.Parameters)[(k * 3 + d) * 3 + level];
            }
            sum += product;
        }
        Assert.Equal(Math.Log(sum), densities[0], 1e-12);
    }

    [Fact]
    public void Learn_BeforeAnUpdate_ShowsTheRecordsAsTheyCame()
    {
        Minibatch records = LevelRecords.Texts(LevelRecords.Codes(3, 600, 8, 0.1));
        var learner = new Learner(Model, Schema, Options);
        int at = 0;
        learner.BeforeUpdate = (rows, session) =>
        {
            for (int row = 0; row < rows.Count; row++, at++)
                for (int d = 0; d < 3; d++)
                {
                    double came = records.Row(at)[d], shown = rows.Row(row)[d];
                    Assert.Equal(double.IsNaN(came) ? null : records.Texts![(int)came],
                        double.IsNaN(shown) ? null : rows.Texts![(int)shown]);
                }
            double[] densities = new double[rows.Count];
            session.Score(rows, densities, new double[3 * rows.Count], new double[rows.Count]);
            Assert.All(densities, density => Assert.True(double.IsFinite(density)));
        };
        Streams.Feed(learner, records, 0, 600);
        Assert.Equal(600, at);
    }

    [Fact]
    public void From_ParametersWithTheirLevels_StartsExactlyThere()
    {
        LearnedModel learned = Streams.Snapshot(Learned(LevelRecords.Texts(LevelRecords.Codes(3, 900, 9))));
        var blocks = learned.Layout.Blocks
            .ToDictionary(block => block.Name, block => block.Of((ReadOnlySpan<double>)learned.Parameters).ToArray(),
                StringComparer.Ordinal);
        var from = new InitialParameters(blocks)
        { Levels = learned.Space.Features.ToDictionary(feature => feature.Name, feature => feature.Levels, StringComparer.Ordinal) };
        Minibatch records = LevelRecords.Texts(LevelRecords.Codes(3, 100, 10));
        double expected = 0, weight = 0;
        double[] densities = new double[100];
        new Scorer(learned).Score(records, densities, new double[300], new double[100]);
        for (int row = 0; row < 100; row++)
            (expected, weight) = (expected + records.Weight(row) * densities[row], weight + records.Weight(row));
        LearnedModel started = Streams.Snapshot(Streams.Learn(Model, Options, records, from: from, schema: Schema));
        Assert.Equal(expected / weight, started.Training.MeanLogLikelihood, 1e-10);
        Assert.Equal(learned.Space.Features.Select(feature => string.Join(",", feature.Levels)),
            started.Space.Features.Select(feature => string.Join(",", feature.Levels)));

        ArgumentException exception =
            Assert.Throws<ArgumentException>(() => new Learner(Model, Schema, Options, new InitialParameters(blocks)));
        Assert.Equal(
            "Initial parameters lack the levels of feature 'colour'; add \"levels\": {\"colour\": [...]} in the order of its "
                + "probabilities.", exception.Message);
    }

    [Fact]
    public void Batch_OverTexts_IsBatchEmOverTheirCodes()
    {
        Minibatch records = LevelRecords.Texts(LevelRecords.Codes(3, 900, 11));
        BatchFit fit = BatchFit.Run(Model, Schema, Options, records, new BatchEmOptions { Tolerance = 1e-7 });
        Assert.True(fit.Converged);
        Assert.Equal(3, fit.Learned.Space.Features[2].Levels.Count);
        double[] densities = new double[900];
        new Scorer(fit.Learned).Score(records, densities, new double[2700], new double[900]);
        double mean = Enumerable.Range(0, 900).Sum(row => records.Weight(row) * densities[row]) / records.TotalWeight;
        Assert.Equal(fit.MeanLogLikelihoods[^1], mean, 1e-10);
    }

    private static Learner Learned(Minibatch records) => Streams.Learn(Model, Options, records, schema: Schema);
}
