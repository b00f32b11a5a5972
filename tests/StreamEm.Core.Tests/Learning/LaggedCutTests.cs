using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Which rows of endless sequences are learned from when so many of their key have come, and in the light of which.</summary>
public sealed class LaggedCutTests
{
    [Fact]
    public void Next_RowsOfAKey_WaitForSoManyBehindThem()
    {
        LaggedCut cut = Of(2, 100, lag: 2);
        Minibatch pending = Pending("ababa");
        // Row 0 has 2 and 4 behind it; row 1 has 3 alone.
        Assert.Null(cut.Next(pending, CutMoment.Full, out int count));
        Assert.Equal(0, count);
        Add(pending, "b");
        Minibatch rows = cut.Next(pending, CutMoment.Full, out count)!;
        Assert.Equal(2, count);
        Assert.Equal([0, 1.0], rows.Values.ToArray());
        Assert.Equal([0, 1], rows.SequenceStarts.ToArray());
        Assert.Equal([2, 4, 3, 5.0], rows.Ahead!.Values.ToArray());
        Assert.Equal([0, 2], rows.Ahead.SequenceStarts.ToArray());
        Assert.Equal([0, 1], cut.Origins.ToArray());
        Assert.Equal([0, 1, 2, 3, 4, 5.0], pending.Values.ToArray());
        pending.RemoveFirst(count);
        Assert.Equal(4, cut.Looked);
        Assert.Null(cut.Next(pending, CutMoment.Full, out _));
    }

    [Fact]
    public void Next_ByTheClock_TakesWhatIsReadyAndNoMore()
    {
        LaggedCut cut = Of(10, 100, lag: 2);
        Minibatch pending = Pending("aaaab");
        Assert.Null(cut.Next(Pending("aa"), CutMoment.Full, out _));
        cut = Of(10, 100, lag: 2);
        Minibatch rows = cut.Next(pending, CutMoment.Waited, out int count)!;
        Assert.Equal([0, 1.0], rows.Values.ToArray());
        Assert.Equal([2, 3.0], rows.Ahead!.Values.ToArray());
        pending.RemoveFirst(count);
        Assert.Null(cut.Next(pending, CutMoment.Waited, out _));
        rows = cut.Next(pending, CutMoment.Ended, out count)!;
        Assert.Equal(3, count);
        Assert.Equal([2, 3, 4.0], rows.Values.ToArray());
        Assert.Null(rows.Ahead);
    }

    [Fact]
    public void Next_AtALength_HasNothingBehindWhatIsOver()
    {
        LaggedCut cut = Of(3, 100, lag: 2, new SequenceOptions { MaxLength = 3 });
        Minibatch pending = Pending("aaaa");
        Minibatch rows = cut.Next(pending, CutMoment.Full, out int count)!;
        Assert.Equal([0, 1, 2.0], rows.Values.ToArray());
        // The fourth row is of another sequence, which lends the first no light.
        Assert.Null(rows.Ahead);
        pending.RemoveFirst(count);
        Add(pending, "aa");
        rows = cut.Next(pending, CutMoment.Ended, out _)!;
        Assert.Equal(3, rows.Count);
        Assert.Single(rows.SequenceStarts.ToArray());
    }

    [Fact]
    public void Next_AcrossAGap_OnceTheTimeOfTheStreamHasPassed()
    {
        LaggedCut cut = Of(2, 100, lag: 5, new SequenceOptions { Gap = TimeSpan.FromSeconds(1) });
        Minibatch pending = new(1, texts: new TextTable());
        int a = pending.Texts!.Number("a"), b = pending.Texts!.Number("b");
        pending.Add([0], key: a, timestamp: 0);
        pending.Add([1], key: a, timestamp: 1000);
        Assert.Null(cut.Next(pending, CutMoment.Full, out _));
        // Another key's record says that the time has passed.
        pending.Add([2], key: b, timestamp: 2001);
        Minibatch rows = cut.Next(pending, CutMoment.Full, out _)!;
        Assert.Equal([0, 1.0], rows.Values.ToArray());
    }

    [Fact]
    public void Next_MoreKeysThanFit_LearnsFromTheOneNotMetForLongest()
    {
        var marks = new Forgotten();
        var cut = new LaggedCut(1, 2, marks, new SequenceOptions { Lag = 3 });
        Minibatch pending = Pending("aab");
        Assert.Null(cut.Next(pending, CutMoment.Full, out _));
        Add(pending, "c");
        Minibatch rows = cut.Next(pending, CutMoment.Full, out int count)!;
        Assert.Equal([0.0], rows.Values.ToArray());
        // What is left of the key lends its light; the rows of the one that has its slot now do not.
        Assert.Equal([1.0], rows.Ahead!.Values.ToArray());
        pending.RemoveFirst(count);
        rows = cut.Next(pending, CutMoment.Full, out count)!;
        Assert.Equal([1.0], rows.Values.ToArray());
        Assert.Equal(0, rows.Ahead!.Count);
        pending.RemoveFirst(count);
        Assert.Equal([0], marks.Slots);
        rows = cut.Next(pending, CutMoment.Ended, out count)!;
        Assert.Equal([2.0], rows.Values.ToArray());
        pending.RemoveFirst(count);
        rows = cut.Next(pending, CutMoment.Ended, out _)!;
        // c begins where a was.
        Assert.Equal([3.0], rows.Values.ToArray());
        Assert.Equal([0, 1, 0], marks.Slots);
        Assert.Equal("1 key(s) were forgotten to make room for others; max_keys is 2.", cut.Eviction);
    }

    [Theory]
    [InlineData(100, false, 40)]
    [InlineData(3, false, 8)]
    [InlineData(100, true, 1)]
    public void Room_OfFewRows_IsLessThanTheNextMinibatchTakes(int keys, bool hasGap, int expected)
    {
        LaggedCut cut = Of(40, keys, lag: 4, new SequenceOptions { Gap = hasGap ? TimeSpan.FromHours(1) : null });
        Assert.Equal(expected, cut.Room(Pending("")));
    }

    [Fact]
    public void Load_OfOtherSlots_IsRefused()
    {
        LaggedCut cut = Of(2, 100, lag: 2);
        cut.Next(Pending("abcd"), CutMoment.Full, out _);
        var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true)) cut.Save(writer);
        byte[] bytes = stream.ToArray();
        bytes[^1] = 9;
        Assert.Throws<InvalidDataException>(() => Of(2, 100, lag: 2).Load(new BinaryReader(new MemoryStream(bytes))));
        stream.Position = 0;
        LaggedCut loaded = Of(2, 100, lag: 2);
        loaded.Load(new BinaryReader(stream));
        Assert.Equal(4, loaded.Looked);
    }

    private static LaggedCut Of(int size, int keys, int lag, SequenceOptions? sequences = null) =>
        new(size, keys, new HiddenMarkov("test", new Poisson(2, [0], Prior.None), Prior.None).CreateMemory(keys),
            (sequences ?? SequenceOptions.Default) with { Lag = lag });

    private static Minibatch Pending(string keys)
    {
        var pending = new Minibatch(1, texts: new TextTable());
        Add(pending, keys);
        return pending;
    }

    /// <summary>A row for each letter, its key; the values number all rows.</summary>
    private static void Add(Minibatch pending, string keys)
    {
        double next = pending.Count == 0 ? 0 : pending.Row(pending.Count - 1)[0] + 1;
        foreach (char key in keys) pending.Add([next++], key: pending.Texts!.Number(key.ToString()));
    }

    /// <summary>Notes which slots were forgotten.</summary>
    private sealed class Forgotten : StreamMemory
    {
        public List<int> Slots { get; } = [];

        public override void Forget(int slot) => Slots.Add(slot);

        public override void CopyFrom(StreamMemory other)
        {
        }

        public override void CopyFrom(StreamMemory other, int from, int to)
        {
        }

        public override void Save(BinaryWriter writer)
        {
        }

        public override void Load(BinaryReader reader)
        {
        }
    }
}
