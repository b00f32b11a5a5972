using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Sequences that end: which rows make one, when it is learned from, and what is kept meanwhile.</summary>
public sealed class WholeSequencesTests
{
    private static readonly SequenceOptions Whole = new() { End = SequenceEnd.Whole };

    [Fact]
    public void Next_NothingEndsASequence_WaitsForTheEndOfTheData()
    {
        var cut = new WholeCut(3, 100, Whole);
        Minibatch pending = Pending("abab");
        Assert.Null(cut.Next(pending, CutMoment.Full, out _));
        Assert.Null(cut.Next(pending, CutMoment.Waited, out _));
        Minibatch rows = cut.Next(pending, CutMoment.Ended, out int count)!;
        Assert.Equal((4, 4), (count, rows.Count));
        Assert.Equal([0, 2, 1, 3.0], rows.Values.ToArray());
        Assert.Equal([0, 2], rows.SequenceStarts.ToArray());
    }

    [Fact]
    public void Next_AtALength_TakesWhatIsOverAndLeavesTheRest()
    {
        var cut = new WholeCut(3, 100, Whole with { MaxLength = 2 });
        Minibatch pending = Pending("acbabc");
        Minibatch rows = cut.Next(pending, CutMoment.Full, out int count)!;
        // a was over first, then b: together enough. c, whose first row came before, is left, in its order.
        Assert.Equal(4, count);
        Assert.Equal([0, 3, 2, 4.0], rows.Values.ToArray());
        Assert.Equal([0, 2, 3, 4, 1, 5.0], pending.Values.ToArray());
        pending.RemoveFirst(count);
        Assert.Null(cut.Next(pending, CutMoment.Full, out _));
        rows = cut.Next(pending, CutMoment.Waited, out count)!;
        Assert.Equal([1, 5.0], rows.Values.ToArray());
    }

    [Fact]
    public void Next_ARowThatSaysItIsTheLast_EndsItsSequence()
    {
        var cut = new WholeCut(2, 100, Whole with { EndMarker = "last == true" });
        Minibatch pending = Pending("ab");
        pending.EndSequence();
        pending.Add([2], key: pending.Texts!.Number("a"));
        pending.Add([3], key: pending.Texts!.Number("b"));
        pending.EndSequence();
        Minibatch rows = cut.Next(pending, CutMoment.Full, out int count)!;
        Assert.Equal([1, 3.0], rows.Values.ToArray());
        Assert.Equal([0, 1], rows.SequenceStarts.ToArray());
        pending.RemoveFirst(count);
        Assert.Equal([0, 2.0], pending.Values.ToArray());
        Assert.False(pending.IsLast(0) || pending.IsLast(1));
    }

    /// <summary>A mark on every third record of a key makes the sequences that a length of 3 makes, by whatever the model learns.</summary>
    [Theory]
    [InlineData(SequenceEnd.Whole, 0)]
    [InlineData(SequenceEnd.Endless, 0)]
    [InlineData(SequenceEnd.Endless, 2)]
    public void Learner_MarkedRecords_AreWhatALengthMakesOfThem(SequenceEnd end, int lag)
    {
        Minibatch plain = Records(400), marked = new(1, texts: plain.Texts);
        int[] rows = new int[5];
        for (int row = 0; row < plain.Count; row++)
        {
            marked.Append(plain, row, 1);
            if (++rows[plain.Key(row)] % 3 == 0) marked.EndSequence();
        }
        var learning = new LearningOptions { MinibatchSize = 40, Learn = LearnMode.Always, Initialization = new() { Buffer = 80 } };
        LatentModelOptions byLength = Options(new SequenceOptions { End = end, Lag = lag, MaxLength = 3 }),
            byMark = Options(new SequenceOptions { End = end, Lag = lag, EndMarker = "last == true" });
        Learner expected = Streams.Learn(byLength, learning, plain, schema: Schema);
        foreach (int stop in (int[])[0, 1, 79, 123, 250])
        {
            Learner first = new(byMark, Schema, learning), second = new(byMark, Schema, learning);
            Streams.Feed(first, marked, 0, stop);
            second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
            Assert.Equal(Streams.State(first), Streams.State(second));
            Streams.Feed(second, marked, stop, marked.Count - stop);
            while (second.TryUpdate(flush: true)) { }
            Assert.Equal(Streams.Snapshot(expected).Parameters.ToArray(), Streams.Snapshot(second).Parameters.ToArray());
        }
        var session = new ScoreSession(new Scorer(Streams.Snapshot(expected)));
        double[] one = new double[400], other = new double[400];
        session.Score(plain, one, new double[400 * session.Scorer.Layout.Length], new double[400]);
        LearnedModel learned = Streams.Snapshot(Streams.Learn(byMark, learning, marked, schema: Schema));
        session = new ScoreSession(new Scorer(learned));
        session.Score(marked, other, new double[400 * session.Scorer.Layout.Length], new double[400]);
        Assert.Equal(one, other);
        Assert.Equal(SequencePaths.Of(new Scorer(Streams.Snapshot(expected)), plain), SequencePaths.Of(new Scorer(learned), marked));
    }

    [Fact]
    public void Setting_OfAnEndMarker_IsAnExpressionInItsOneSpelling()
    {
        var kind = new SequenceOptionsKind();
        Assert.True(kind.TryParse("{\"end\":\"whole\",\"end_marker\":\"event=='stop'\"}", out SequenceOptions? value));
        Assert.Equal("event == \"stop\"", value.EndMarker);
        Assert.True(kind.TryParse(kind.Format(value), out SequenceOptions? again));
        Assert.Equal(value, again);
        Assert.True(kind.TryParse("{\"end_marker\":null}", out value));
        Assert.Null(value.EndMarker);
        Assert.StartsWith("end_marker: ", kind.Problem("{\"end_marker\":\"event ==\"}")!, StringComparison.Ordinal);
    }

    [Fact]
    public void Next_AcrossAGap_BeginsAnother()
    {
        var cut = new WholeCut(1, 100, Whole with { Gap = TimeSpan.FromSeconds(1) });
        Minibatch pending = new(1, texts: new TextTable());
        int a = pending.Texts!.Number("a"), b = pending.Texts!.Number("b");
        pending.Add([0], key: a, timestamp: 0);
        pending.Add([1], key: a, timestamp: 1000);
        Assert.Null(cut.Next(pending, CutMoment.Full, out _));
        // Another key's record says that the time has passed.
        pending.Add([2], key: b, timestamp: 2001);
        Minibatch rows = cut.Next(pending, CutMoment.Full, out int count)!;
        Assert.Equal([0, 1.0], rows.Values.ToArray());
        pending.RemoveFirst(count);
        pending.Add([3], key: b, timestamp: 4000);
        rows = cut.Next(pending, CutMoment.Full, out _)!;
        Assert.Equal([2.0], rows.Values.ToArray());
    }

    [Fact]
    public void Next_MoreKeysThanFit_ClosesTheOneNotMetForLongest()
    {
        var cut = new WholeCut(1, 2, Whole);
        Minibatch pending = Pending("abac");
        Minibatch rows = cut.Next(pending, CutMoment.Full, out _)!;
        Assert.Equal([1.0], rows.Values.ToArray());
        Assert.Contains("1 sequence(s) were closed", cut.Eviction, StringComparison.Ordinal);
    }

    [Fact]
    public void Keyed_AtALengthWithinAMinibatch_AreTwoSequencesOfTheSlot()
    {
        var model = new HiddenMarkov("test", new Poisson(2, [0], Prior.None), Prior.None);
        StreamMemory memory = model.CreateMemory(8);
        var cut = new KeyedCut(5, 8, memory, new SequenceOptions { MaxLength = 2 });
        Minibatch rows = cut.Next(Pending("aabaa"), CutMoment.Full, out _)!;
        Assert.Equal([0, 2, 4], rows.SequenceStarts.ToArray());
        double[] theta = [0.9, 0.1, 0.5, 0.5, 0.5, 0.5, 1, 4], statistics = new double[model.StatisticsLayout.Length];
        EStep eStep = model.Prepare(theta);
        Workspace space = eStep.CreateWorkspace();
        space.Pass = new Pass(memory, 1);
        eStep.Accumulate(rows, 0, 5, statistics, new double[5], space);
        // Three beginnings and two passages: what was remembered of the slot's first sequence is not carried into its second.
        Assert.Equal(3, statistics[..2].Sum(), 1e-12);
        Assert.Equal(2, statistics[2..6].Sum(), 1e-12);
        rows = cut.Next(Pending("abaaa"), CutMoment.Full, out _)!;
        Array.Clear(statistics);
        eStep.Accumulate(rows, 0, 5, statistics, new double[5], space);
        // a was full and begins anew, twice; b goes on.
        Assert.Equal(2, statistics[..2].Sum(), 1e-12);
        Assert.Equal(3, statistics[2..6].Sum(), 1e-12);
    }

    [Theory]
    [InlineData("{\"end\":\"whole\"}")]
    [InlineData("{\"end\":\"endless\",\"gap\":\"1h\",\"max_length\":50}")]
    public void Setting_OfSequences_ReadsWhatItWrites(string text)
    {
        var kind = new SequenceOptionsKind();
        Assert.True(kind.TryParse(text, out SequenceOptions? value));
        Assert.Equal(text, kind.Format(value));
        Assert.True(kind.TryParse("whole", out value));
        Assert.Equal(SequenceEnd.Whole, value.End);
        Assert.Contains("unknown key 'gop'", kind.Problem("{\"gop\":1}")!, StringComparison.Ordinal);
        Assert.Contains("max_length is '0'", kind.Problem("{\"max_length\":0}")!, StringComparison.Ordinal);
    }

    /// <summary>Whole sequences in one minibatch give the step that the same sequences give an endless model.</summary>
    [Fact]
    public void Learner_AllSequencesInOneMinibatch_TakesTheStepOfEndlessOnes()
    {
        Minibatch records = Records(60);
        byte[][] parameters = [.. new[] { Whole, SequenceOptions.Default }.Select(sequences =>
        {
            var learner = new Learner(
                Options(sequences), Schema, new LearningOptions { MinibatchSize = 60, Learn = LearnMode.Always }, From);
            Streams.Feed(learner, records, 0, 60);
            while (learner.TryUpdate(flush: true)) { }
            Assert.Equal(1, learner.Updates);
            return System.Runtime.InteropServices.MemoryMarshal.AsBytes(Streams.Snapshot(learner).Parameters).ToArray();
        })];
        Assert.Equal(parameters[0], parameters[1]);
    }

    [Theory]
    [InlineData("whole")]
    [InlineData("endless")]
    public void Learner_WithLimits_IsTheSameHoweverRecordsComeAndWhereverItStops(string end)
    {
        Minibatch records = Records(400);
        var options = new LearningOptions
        {
            MinibatchSize = 40,
            Learn = LearnMode.Always,
            Initialization = new() { Buffer = 80, NInit = 1 },
        };
        LatentModelOptions model = Options(new SequenceOptions
        {
            End = end == "whole" ? SequenceEnd.Whole : SequenceEnd.Endless,
            MaxLength = 7,
            Gap = TimeSpan.FromSeconds(20),
        });
        byte[] expected = [];
        foreach (int stop in (int[])[0, 1, 79, 80, 123, 200, 333, 399])
        {
            Learner learner = new(model, Schema, options), resumed = new(model, Schema, options);
            Streams.FeedOneByOne(learner, records, 0, stop);
            resumed.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
            Streams.Feed(resumed, records, stop, records.Count - stop);
            while (resumed.TryUpdate(flush: true)) { }
            if (stop == 0) expected = Streams.State(resumed);
            Assert.Equal(expected, Streams.State(resumed));
            Assert.Equal(400, resumed.Records + resumed.Unlearned);
        }
    }

    /// <summary>A session splits sequences where learning does.</summary>
    [Fact]
    public void Session_OfSequencesWithALength_BeginsAnewWhereOneIsOver()
    {
        Minibatch records = Records(60);
        var learner = new Learner(
            Options(Whole with { MaxLength = 3 }), Schema, new LearningOptions { MinibatchSize = 60, Learn = LearnMode.Always }, From);
        Streams.Feed(learner, records, 0, 60);
        while (learner.TryUpdate(flush: true)) { }
        var scorer = new Scorer(Streams.Snapshot(learner));
        int width = scorer.Layout.Length;
        double[] whole = new double[60 * width], parts = new double[60 * width];
        new ScoreSession(scorer).Score(records, new double[60], whole, new double[60]);
        var session = new ScoreSession(scorer);
        for (int row = 0; row < 60; row++)
        {
            var one = new Minibatch(1, 1, records.Texts);
            one.Append(records, row, 1);
            session.Score(one, new double[1], parts.AsSpan(row * width, width), new double[1]);
        }
        Assert.Equal(whole, parts);
        // Row 0 and row 9 of a key are both first: the same value has the same probabilities.
        Assert.Equal(whole[..width], FirstOf(records, whole, width, "k0", 3));
    }

    private static double[] FirstOf(Minibatch records, double[] scores, int width, string key, int number)
    {
        int row = Enumerable.Range(0, records.Count).Where(at => records.Texts![records.Key(at)] == key).ElementAt(number);
        return scores[(row * width)..((row + 1) * width)];
    }

    private static RecordSchema Schema => RecordSchema.OfNumbers(1) with { Key = "device", Timestamp = "time" };

    private static InitialParameters From => new(new Dictionary<string, double[]>
    {
        ["startprob"] = [0.6, 0.4],
        ["transmat"] = [0.7, 0.3, 0.2, 0.8],
        ["rates"] = [1, 6],
    });

    private static LatentModelOptions Options(SequenceOptions sequences) =>
        (HiddenMarkovOptions)Hosts.HiddenMarkov(2, EmissionParts.Of(new PoissonOptions())) with
        {
            SequencesMade = sequences,
            Keys = 100,
            Prior = Prior.None,
        };

    /// <summary>Counts of five keys in turn, a record a second; the fourth of a key is as the first.</summary>
    private static Minibatch Records(int count)
    {
        var chance = new SplitMix64(3);
        var records = new Minibatch(1, texts: new TextTable());
        for (int row = 0; row < count; row++)
        {
            int key = row < 60 ? row % 5 : chance.NextInt32(5);
            double value = row < 60 && row / 5 is 0 or 3 ? 2 : (row / 20 + key) % 2 == 0 ? chance.NextInt32(3) : 4 + chance.NextInt32(5);
            records.Add([value], key: records.Texts!.Number($"k{key}"), timestamp: 1000L * row);
        }
        return records;
    }

    private static Minibatch Pending(string keys)
    {
        var pending = new Minibatch(1, texts: new TextTable());
        for (int row = 0; row < keys.Length; row++) pending.Add([row], key: pending.Texts!.Number(keys[row].ToString()));
        return pending;
    }
}
