using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Models.StateSpaces;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Endless sequences that are learned from a number of records behind: fixed-lag smoothing.</summary>
public sealed class LaggedLearnerTests
{
    private static readonly RecordSchema Schema = RecordSchema.OfNumbers(1) with { Key = "device", Timestamp = "time" };

    /// <summary>A lag beyond every sequence waits for the end of the data, and takes the step that whole sequences give.</summary>
    [Fact]
    public void Learner_LagBeyondEverySequence_TakesTheStepOfWholeOnes()
    {
        Minibatch records = Records(60, keys: 5);
        byte[][] parameters = [.. new[] { new SequenceOptions { End = SequenceEnd.Whole }, new() { Lag = 12 } }.Select(sequences =>
        {
            var learner = new Learner(
                Options(sequences), Schema, new LearningOptions { MinibatchSize = 60, Learn = LearnMode.Always }, From);
            Streams.Feed(learner, records, 0, 60);
            Assert.Equal(0, learner.Updates);
            while (learner.TryUpdate(flush: true)) { }
            Assert.Equal(1, learner.Updates);
            return System.Runtime.InteropServices.MemoryMarshal.AsBytes(Streams.Snapshot(learner).Parameters).ToArray();
        })];
        Assert.Equal(parameters[0], parameters[1]);
    }

    [Theory]
    [InlineData("hidden_markov", 3, 0, 100)]
    [InlineData("hidden_markov", 3, 7, 100)]
    [InlineData("hidden_markov", 2, 0, 40)]
    [InlineData("linear_gaussian_state_space", 2, 0, 40)]
    [InlineData("linear_gaussian_state_space", 4, 9, 100)]
    public void Learner_StoppedAtEveryRecord_GoesOnToTheSameBytes(string type, int lag, int longest, int keys)
    {
        Minibatch records = Records(300, keys: keys == 40 ? 70 : 5);
        var options = new LearningOptions { MinibatchSize = 20, Initialization = new() { Buffer = 60, NInit = 1 } };
        var sequences = new SequenceOptions
        {
            Lag = lag,
            MaxLength = longest > 0 ? longest : null,
            Gap = longest > 0 ? TimeSpan.FromSeconds(20) : null,
        };
        LatentModelOptions model = type == "hidden_markov"
            ? Options(sequences) with { Keys = keys }
            : StateSpace(sequences) with { Keys = keys };
        Learner whole = new(model, Schema, options), going = new(model, Schema, options);
        Streams.Feed(whole, records, 0, records.Count);
        while (whole.TryUpdate(flush: true)) { }
        byte[] expected = Streams.State(whole);
        Assert.Equal(300, whole.Records + whole.Unlearned);
        for (int stop = 0; stop < records.Count; stop += stop < 90 ? 1 : 29)
        {
            byte[] state = Streams.State(going);
            Learner resumed = new(model, Schema, options);
            resumed.Load(new BinaryReader(new MemoryStream(state)));
            Assert.Equal(state, Streams.State(resumed));
            Streams.Feed(resumed, records, stop, records.Count - stop);
            while (resumed.TryUpdate(flush: true)) { }
            Assert.Equal(expected, Streams.State(resumed));
            Streams.FeedOneByOne(going, records, stop, stop < 90 ? 1 : 29);
        }
    }

    /// <summary>
    /// Scores are filtered and lag behind nothing: of parameters that are held they are those of one pass over the stream, before a
    /// minibatch and after it, sequences that end and keys that are evicted included.
    /// </summary>
    [Theory]
    [InlineData(0, 100, 5)]
    [InlineData(6, 100, 5)]
    [InlineData(0, 20, 30)]
    public void Sessions_OfHeldParameters_ScoreAsOnePassDoes(int longest, int slots, int keys)
    {
        Minibatch records = Records(400, keys);
        LatentModelOptions model = Options(new SequenceOptions { Lag = 3, MaxLength = longest > 0 ? longest : null }) with
        {
            Keys = slots,
            Fixed = new BlockNames(["startprob", "transmat", "rates"]),
        };
        var learner = new Learner(model, Schema, new LearningOptions { MinibatchSize = 20, Learn = LearnMode.Always }, From);
        double[] expected = new double[400], found = new double[400];
        Array.Fill(found, double.NaN);
        var waiting = new List<int>();
        learner.BeforeUpdate = (rows, session) =>
        {
            double[] densities = new double[rows.Count];
            session.Score(rows, densities, new double[rows.Count * session.Scorer.Layout.Length], new double[rows.Count]);
            int[] origins = learner.Origins.ToArray();
            for (int row = 0; row < rows.Count; row++) found[waiting[origins[row]]] = densities[row];
            foreach (int origin in origins.OrderDescending()) waiting.RemoveAt(origin);
        };
        for (int row = 0; row < records.Count; row++)
        {
            waiting.Add(row);
            Streams.Feed(learner, records, row, 1);
            if (row % 37 != 36 || learner.Updates == 0) continue;
            ScoreSession session = learner.CreateScoreSession()!;
            if (longest == 0 && keys < slots) ScoresOnAsOnePass(session, records, row + 1);
        }
        while (learner.TryUpdate(flush: true)) { }
        var once = new ScoreSession(new Scorer(Streams.Snapshot(learner)));
        once.Score(records, expected, new double[400 * once.Scorer.Layout.Length], new double[400]);
        AllClose(expected, found);
    }

    /// <summary>What waits is bounded by the keys remembered, whatever keys come; so are the texts kept of them.</summary>
    [Fact]
    public void Learner_KeysThatNeverComeAgain_KeepsABoundedNumberOfRows()
    {
        const int keys = 50, lag = 4, size = 20;
        var learner = new Learner(
            Options(new SequenceOptions { Lag = lag }) with { Keys = keys }, Schema, new LearningOptions { MinibatchSize = size }, From);
        var texts = new TextTable();
        int most = 0;
        for (int row = 0; row < 150_000; row++)
        {
            var one = new Minibatch(1, 1, texts);
            one.Add([row % 7], key: texts.Number($"k{row}"));
            if (texts.Count > 1000) texts = new TextTable();
            Streams.Feed(learner, one, 0, 1);
            most = Math.Max(most, learner.Pending);
        }
        Assert.InRange(most, keys, keys * lag + size);
        Assert.InRange(learner.PendingTexts, 1, (1 << 16) + size);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(9)]
    public void ChangeModel_OtherLag_LearnsFromEveryRecordOnce(int lag)
    {
        Minibatch records = Records(400, keys: 5);
        var options = new LearningOptions { MinibatchSize = 20, Learn = LearnMode.Always };
        var learner = new Learner(Options(new SequenceOptions { Lag = 5 }), Schema, options, From);
        Streams.Feed(learner, records, 0, 203);
        learner = learner.ChangeModel(Options(new SequenceOptions { Lag = lag }), Schema, options);
        Streams.Feed(learner, records, 203, 197);
        while (learner.TryUpdate(flush: true)) { }
        Assert.Equal(400, learner.Records + learner.Unlearned);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void GoBackTo_AStateThatRemembersKeys_GoesOnWithThoseOfThePresent(int lag)
    {
        Minibatch records = Records(400, keys: 5);
        var options = new LearningOptions { MinibatchSize = 20, Learn = LearnMode.Always };
        Learner Fresh() => new(Options(new SequenceOptions { Lag = lag }), Schema, options, From);
        Learner learner = Fresh(), earlier = Fresh();
        Streams.Feed(learner, records, 0, 150);
        earlier.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
        Streams.Feed(learner, records, 150, 150);
        learner = learner.GoBackTo(earlier);
        Streams.Feed(learner, records, 300, 100);
        while (learner.TryUpdate(flush: true)) { }
        Assert.Equal(400, learner.Records + learner.Unlearned);
    }

    [Fact]
    public void Setting_OfALag_IsReadAndRefusedWhereItMeansNothing()
    {
        var kind = new SequenceOptionsKind();
        Assert.True(kind.TryParse("{\"lag\":7}", out SequenceOptions? value));
        Assert.Equal((7, SequenceEnd.Endless), (value.Lag, value.End));
        Assert.Equal("{\"end\":\"endless\",\"lag\":7}", kind.Format(value));
        Assert.True(kind.TryParse("{\"lag\":null}", out value));
        Assert.Equal(0, value.Lag);
        Assert.Contains("a whole one is learned from in the light of all its records", kind.Problem("{\"end\":\"whole\",\"lag\":7}")!,
            StringComparison.Ordinal);
        Assert.Contains("lag is '-1'", kind.Problem("{\"lag\":-1}")!, StringComparison.Ordinal);
    }

    /// <summary>A session made at a record scores those after it as one pass over all of them does.</summary>
    private static void ScoresOnAsOnePass(ScoreSession session, Minibatch records, int from)
    {
        int width = session.Scorer.Layout.Length, count = Math.Min(10, records.Count - from);
        Minibatch all = new(1, texts: records.Texts), next = new(1, texts: records.Texts);
        all.Append(records, 0, from + count);
        next.Append(records, from, count);
        double[] expected = new double[all.Count], found = new double[count];
        new ScoreSession(session.Scorer).Score(all, expected, new double[all.Count * width], new double[all.Count]);
        session.Score(next, found, new double[count * width], new double[count]);
        AllClose(expected[from..], found);
    }

    private static InitialParameters From => new(new Dictionary<string, double[]>
    {
        ["startprob"] = [0.6, 0.4],
        ["transmat"] = [0.7, 0.3, 0.2, 0.8],
        ["rates"] = [1, 6],
    });

    private static HiddenMarkovOptions Options(SequenceOptions sequences) =>
        (HiddenMarkovOptions)Hosts.HiddenMarkov(2, EmissionParts.Of(new PoissonOptions())) with
        {
            SequencesMade = sequences,
            Keys = 100,
            Prior = Prior.None,
        };

    private static LinearGaussianStateSpaceOptions StateSpace(SequenceOptions sequences) =>
        (LinearGaussianStateSpaceOptions)ModelCatalog.Find("linear_gaussian_state_space")!.CreateOptions() with
        {
            SequencesMade = sequences,
        };

    /// <summary>Values of keys in turn, or at random where there are many, a record a second; a value less its key is a multiple of
    /// 3.</summary>
    internal static Minibatch Records(int count, int keys)
    {
        var chance = new SplitMix64(3);
        var records = new Minibatch(1, texts: new TextTable());
        for (int key = 0; key < keys; key++) records.Texts!.Number($"k{key}");
        for (int row = 0; row < count; row++)
        {
            int key = keys > 5 ? chance.NextInt32(keys) : row % keys;
            int level = (row / 20 + key) % 2 == 0 ? chance.NextInt32(2) : 2 + chance.NextInt32(3);
            records.Add([3 * level + key % 3], key: key, timestamp: 1000L * row);
        }
        return records;
    }

    internal static void AllClose(double[] expected, double[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int at = 0; at < expected.Length; at++)
            Assert.True(
                Math.Abs(expected[at] - found[at]) <= 1e-9 * Math.Max(1, Math.Abs(expected[at])), $"{at}: {expected[at]:R}, {found[at]:R}");
    }
}
