using System.Text.Json;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Topics;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Golden;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Topics;

public sealed class TopicTests
{
    private static readonly RecordSchema Text = new() { Features = ["text"] };

    private static readonly string[][] Words =
    [
        ["rain", "wind", "snow", "cloud", "storm", "sun"],
        ["bread", "salt", "oven", "flour", "water", "butter"],
        ["goal", "team", "ball", "match", "score", "referee"],
    ];

    internal static TopicOptions Options() => (TopicOptions)ModelCatalog.Find("latent_dirichlet_allocation")!.CreateOptions();

    /// <summary>H(q) of a text, from its definition: of Dirichlet(gamma), and of the topics of its tokens.</summary>
    [Fact]
    public void Accumulate_OneText_SaysTheEntropyOfItsPosterior()
    {
        LatentModel model = (Options() with { Components = 2, DocumentPrior = 0.5, TopicPrior = 0.3, Tolerance = 0, MaxIterations = 5000 })
            .Create(Options().Plan(RecordSchema.OfNumbers(3)));
        double[] lambda = [2, 1, 0.5, 0.4, 0.9, 1.8], counts = [3, 1, 2], sums = new double[6], bounds = new double[1];
        var text = new Minibatch(3);
        text.Add(counts, 2);
        EStep eStep = model.Prepare(lambda);
        Evidence evidence = eStep.Accumulate(text, 0, 1, sums, bounds, eStep.CreateWorkspace());

        double[] gamma = [0.5 + (sums[0] + sums[1] + sums[2]) / 2, 0.5 + (sums[3] + sums[4] + sums[5]) / 2];
        double total = gamma[0] + gamma[1];
        double entropy = Core.LinearAlgebra.ScalarMath.LogGamma(gamma[0]) + Core.LinearAlgebra.ScalarMath.LogGamma(gamma[1])
            - Core.LinearAlgebra.ScalarMath.LogGamma(total) + (total - 2) * Core.LinearAlgebra.ScalarMath.Digamma(total);
        foreach (double value in gamma) entropy -= (value - 1) * Core.LinearAlgebra.ScalarMath.Digamma(value);
        for (int w = 0; w < 3; w++)
            for (int k = 0; k < 2; k++)
            {
                double phi = sums[k * 3 + w] / (2 * counts[w]);
                entropy -= counts[w] * phi * Math.Log(phi);
            }
        Assert.Equal(2 * entropy, evidence.Entropy, 1e-9);
        Assert.Equal(2 * bounds[0], evidence.LogLikelihood, 1e-9);
    }

    [Fact]
    public void Step_GoldenTexts_GivesGoldenCountsTopicsAndBounds()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "lda.json")));
        JsonElement inputs = document.RootElement.GetProperty("inputs"), expected = document.RootElement.GetProperty("expected");
        double alpha = inputs.GetProperty("alpha").GetDouble();
        LatentModel model = (Options() with
        {
            Components = 2,
            DocumentPrior = alpha,
            TopicPrior = inputs.GetProperty("eta").GetDouble(),
            TotalSamples = inputs.GetProperty("D_total").GetDouble(),
            Tolerance = 0,
            MaxIterations = 2000,
        }).Create(Options().Plan(RecordSchema.OfNumbers(4)));
        Minibatch texts = new(4);
        foreach (JsonElement row in inputs.GetProperty("docs_counts").EnumerateArray()) texts.Add([.. GoldenPath.Flatten(row)]);
        double[] lambda = GoldenPath.Values(inputs, "lambda0"), bounds = new double[2], sums = new double[8];
        EStep eStep = model.Prepare(lambda);

        eStep.Accumulate(texts, 0, 2, sums, bounds, eStep.CreateWorkspace());
        AssertNear(GoldenPath.Values(expected, "expected_counts_n_kv"), sums);
        // The file leaves out the normaliser of the prior, which is the same for all texts: with alpha = 1/2 and K = 2, 1 / pi.
        AssertNear([.. GoldenPath.Values(expected, "elbo_doc_terms").Select(bound => bound - Math.Log(Math.PI))], bounds);
        double[] gamma = GoldenPath.Values(expected, "gamma"), scores = new double[8];
        eStep.Score(texts, 0, 2, bounds, scores, eStep.CreateWorkspace());
        AssertNear([gamma[0] / (gamma[0] + gamma[1]), gamma[2] / (gamma[2] + gamma[3])], [scores[0], scores[4]]);
        Assert.Equal([6, 7], [scores[2], scores[6]]);
        Assert.Equal(Math.Exp(-bounds[0] / 6), scores[3], 1e-12);

        foreach (Recursion recursion in Enum.GetValues<Recursion>())
        {
            var state = new StepwiseState(model, lambda);
            new StepwiseEm(model, recursion, new PowerLaw(new StepSizeOptions { Kappa = 0.7 })).Update(state, texts, new double[2]);
            AssertNear(GoldenPath.Values(expected, "lambda1"), state.Parameters);
        }
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Learn_StreamOfTexts_FindsTheirTopics(ulong seed)
    {
        // 30 terms, 3 topics of ten times their prior, 3000 texts of 40 terms. The largest total variation between a topic and the nearest
        // truth was 0.068 in the worst of the runs this tolerance is from.
        const int vocabulary = 30;
        var chance = new SplitMix64(seed);
        double[][] truth = [.. Enumerable.Range(0, 3).Select(topic => Normal(
            [.. Enumerable.Range(0, vocabulary).Select(term => (term % 3 == topic ? 10 : 0.5) * (0.2 + chance.NextDouble()))]))];
        var rows = new Minibatch(vocabulary, 3000);
        for (int text = 0; text < 3000; text++)
        {
            double[] mixed = Normal([.. Enumerable.Range(0, 3).Select(_ => Math.Pow(chance.NextDouble(), 4))]);
            rows.NextRow.Clear();
            for (int token = 0; token < 40; token++) rows.NextRow[Draw(truth[Draw(mixed, chance)], chance)]++;
            rows.Commit();
        }
        var options = new LearningOptions
        {
            MinibatchSize = 20,
            StepSize = new StepSizeOptions { Kappa = 0.6 },
            Initialization = new() { Buffer = 200, NInit = 3 },
        };
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Options() with { Components = 3 }, options, rows));

        double[][] found =
            [.. Enumerable.Range(0, 3).Select(k => Normal([.. learned.Parameters.Skip(k * vocabulary).Take(vocabulary)]))];
        foreach (double[] topic in truth)
            Assert.True(found.Min(other => Distance(topic, other)) < 0.1, $"{found.Min(other => Distance(topic, other)):F3}");
    }

    [Fact]
    public void SaveAndLoad_TextsAtAnyRecord_ContinueToTheSameBytes()
    {
        Minibatch texts = Texts(500, 3);
        var options = new LearningOptions { MinibatchSize = 64, Initialization = new() { Buffer = 150, NInit = 2 } };
        TopicOptions model = Options() with { Components = 3, MaxTerms = 17 };
        byte[] uninterrupted = [];
        foreach (int stop in (int[])[0, 1, 149, 150, 151, 300, 499])
        {
            Learner learner = new(model, Text, options), resumed = new(model, Text, options);
            Streams.Feed(learner, texts, 0, stop);
            resumed.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
            Assert.Equal(Streams.State(learner), Streams.State(resumed));
            Streams.Feed(resumed, texts, stop, texts.Count - stop);
            while (resumed.TryUpdate(flush: true)) { }
            if (stop == 0) uninterrupted = Streams.State(resumed);
            Assert.Equal(uninterrupted, Streams.State(resumed));
        }
    }

    [Fact]
    public void Learn_AnyThreadsAndSplits_GivesTheSameBytes()
    {
        Minibatch texts = Texts(1500, 4);
        var options = new LearningOptions { MinibatchSize = 600, Initialization = new() { Buffer = 400, NInit = 1 } };
        TopicOptions model = Options() with { Components = 3 };
        Learner one = new(model, Text, options, threads: 1), many = new(model, Text, options, threads: 3);
        Streams.Feed(one, texts, 0, texts.Count);
        Streams.FeedOneByOne(many, texts, 0, texts.Count);
        Assert.Equal(Streams.State(one), Streams.State(many));
    }

    [Fact]
    public void Average_RowsInferredByManyThreads_IsThatOfOneToTheBit()
    {
        // Few texts are one shard, whose rows the threads share out before the statistics are added.
        Minibatch counts = new TopicsOverCounts().Counts(6, 200);
        LatentModel model = (Options() with { Components = 4 }).Create(Options().Plan(RecordSchema.OfNumbers(6)));
        double[] theta = [.. Enumerable.Range(0, 24).Select(at => 0.5 + at * 7 % 11)];
        double[][] found = [.. ((int[])[1, 2, 5]).Select(threads =>
        {
            double[] averages = new double[24], bounds = new double[200];
            var executor = new ShardedEStep(model, threads);
            EStep? eStep = null;
            // The second time with memory that has been used.
            for (int time = 0; time < 2; time++)
                executor.Average(eStep = model.Prepare(theta, eStep), theta, counts, averages, bounds);
            return (double[])[.. averages, .. bounds];
        })];
        Assert.Equal(found[0], found[1]);
        Assert.Equal(found[0], found[2]);
    }

    [Fact]
    public void Learn_TextsAndTheirCounts_AreTheSame()
    {
        Minibatch texts = Texts(400, 5), counts = new(1, 400, new TextTable(), [0]);
        for (int row = 0; row < 400; row++)
        {
            var terms = new Dictionary<string, int>();
            foreach (string term in texts.Texts![(int)texts.Row(row)[0]].Split(' '))
                terms[term] = terms.GetValueOrDefault(term) + 1;
            counts.Add([counts.Texts!.Number(JsonSerializer.Serialize(terms))]);
        }
        var options = new LearningOptions { MinibatchSize = 50, Initialization = new() { Buffer = 100, NInit = 1 } };
        LearnedModel ofTexts = Streams.Snapshot(Streams.Learn(Options(), options, texts, schema: Text)),
            ofCounts = Streams.Snapshot(Streams.Learn(Options(), options, counts, schema: Text));

        Assert.Equal(ofTexts.Space.Features[0].Levels, ofCounts.Space.Features[0].Levels);
        Assert.Equal(ofTexts.Parameters, ofCounts.Parameters);
    }

    [Fact]
    public void Learn_VocabularyFull_KeepsTheFirstTermsInTheirOrder()
    {
        Minibatch texts = new(1, 8, new TextTable(), [0]);
        foreach (string text in (string[])["The Rain, the rain", "snow; the wind!", "Sun rain", "wind storm's well-known"])
            texts.Add([texts.Texts!.Number(text)]);
        var options = new LearningOptions { MinibatchSize = 4, Initialization = new() { Buffer = 4, NInit = 1 } };

        IReadOnlyList<string> Terms(TopicOptions model) =>
            Streams.Snapshot(Streams.Learn(model with { Components = 2 }, options, texts, schema: Text)).Space.Features[0].Levels;

        Assert.Equal(["the", "rain", "snow", "wind", "sun", "storm's", "well-known"], Terms(Options()));
        Assert.Equal(["rain", "snow", "wind"], Terms(Options() with { MaxTerms = 3, StopWords = new NameList(["the"]) }));
        Assert.Equal(["sun", "rain"], Terms(Options() with { Vocabulary = new NameList(["sun", "rain"]) }));
    }

    [Fact]
    public void Score_TextWithoutAKnownTerm_HasThePriorsProportions()
    {
        Minibatch texts = Texts(300, 6);
        var options = new LearningOptions { MinibatchSize = 50, Initialization = new() { Buffer = 100, NInit = 1 } };
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Options() with { Components = 3 }, options, texts, schema: Text));
        Minibatch strange = new(1, 4, new TextTable(), [0]);
        foreach (string text in (string[])["xylophone", "", "rain wind rain"]) strange.Add([strange.Texts!.Number(text)]);
        int width = learned.Model.ScoreLayout.Length;
        double[] bounds = new double[3], scores = new double[3 * width];

        new Scorer(learned).Score(strange, bounds, scores, new double[3]);

        Assert.Equal([0, 0], bounds[..2].Select(bound => Math.Round(bound, 9)));
        Assert.All(scores[..3], share => Assert.Equal(1.0 / 3, share, 1e-12));
        Assert.Equal(3, scores[2 * width + 3]);
        Assert.True(scores[(2 * width)..(2 * width + 3)].Max() > 0.8);
    }

    [Theory]
    [InlineData("""{"a": 1, "b": 2.5}""", true)]
    [InlineData("{}", true)]
    [InlineData("""{"a": -1}""", false)]
    [InlineData("""{"a": "x"}""", false)]
    [InlineData("""{"a": 1e400}""", false)]
    [InlineData("""{"a": {"b": 1}}""", false)]
    [InlineData("""{"a": 1""", false)]
    public void Counts_OfAText_AreNumbersOfAtLeastZero(string text, bool are) =>
        Assert.Equal(are, TermReader.AreCounts(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>Texts of two of the three kinds of words each, most of them of one.</summary>
    private static Minibatch Texts(int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var texts = new Minibatch(1, count, new TextTable(), [0]);
        for (int row = 0; row < count; row++)
        {
            int topic = chance.NextInt32(3), other = chance.NextInt32(3);
            IEnumerable<string> words = Enumerable.Range(0, 5 + chance.NextInt32(20)).Select(_ =>
                Words[chance.NextDouble() < 0.85 ? topic : other][chance.NextInt32(6)]);
            texts.Add([texts.Texts!.Number(string.Join(' ', words))]);
        }
        return texts;
    }

    private static int Draw(double[] shares, SplitMix64 chance)
    {
        double at = chance.NextDouble();
        for (int k = 0; k < shares.Length - 1; k++)
            if ((at -= shares[k]) < 0) return k;
        return shares.Length - 1;
    }

    private static double[] Normal(double[] values) => [.. values.Select(value => value / values.Sum())];

    private static double Distance(double[] a, double[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Sum() / 2;

    /// <summary>As the golden files of theory say: to 1e-9 relative.</summary>
    private static void AssertNear(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], actual[at], 1e-9 * Math.Max(1, Math.Abs(expected[at])));
    }
}
