using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;

namespace StreamEm.Core.Tests.Learning;

public sealed class MinibatchCutTests
{
    [Fact]
    public void Plain_RowsAsTheyCome_ByCountOrFlush()
    {
        var cut = new PlainCut(3);
        Minibatch pending = Pending("abcd");
        Assert.Same(pending, cut.Next(pending, CutMoment.Full, out int count));
        Assert.Equal(3, count);
        pending.RemoveFirst(3);
        Assert.Null(cut.Next(pending, CutMoment.Full, out count));
        Assert.Equal(0, count);
        Assert.Same(pending, cut.Next(pending, CutMoment.Ended, out count));
        Assert.Equal(1, count);
        pending.RemoveFirst(1);
        Assert.Null(cut.Next(pending, CutMoment.Ended, out count));
    }

    [Fact]
    public void Keyed_RowsOfAKey_AreASequenceOfItsSlot()
    {
        var memory = new Marks(4);
        var cut = new KeyedCut(4, 4, memory, SequenceOptions.Default);
        Minibatch pending = Pending("abacx"), cutRows = cut.Next(pending, CutMoment.Full, out int count)!;
        Assert.Equal(4, count);
        Assert.Equal([0, 2, 1, 3.0], cutRows.Values.ToArray());
        Assert.Equal([0, 2, 3], cutRows.SequenceStarts.ToArray());
        Assert.Equal([0, 0, 1, 2], cutRows.Keys.ToArray());
        Assert.Equal([0, 1, 2], memory.Forgotten);
        Assert.Equal(3, cut.Keys!.Count);
        pending.RemoveFirst(count);
        Assert.Null(cut.Next(pending, CutMoment.Full, out _));
    }

    [Fact]
    public void Keyed_KeyThatTakesAnothersSlot_BeginsWithoutItsMemory()
    {
        var memory = new Marks(2);
        var cut = new KeyedCut(2, 2, memory, SequenceOptions.Default);
        foreach (string keys in (string[])["ab", "aa", "ca", "bb"])
        {
            Minibatch pending = Pending(keys);
            cut.Next(pending, CutMoment.Full, out _);
        }
        // a, b get 0 and 1; c takes b's; b takes c's, not met for longest.
        Assert.Equal([0, 1, 1, 1], memory.Forgotten);
        Assert.Equal(2, cut.Keys!.Evicted);
    }

    [Fact]
    public void Keyed_RowsWithoutAKey_AreOneSequence()
    {
        var cut = new KeyedCut(3, 3, new Marks(3), SequenceOptions.Default);
        var pending = new Minibatch(1, texts: new TextTable());
        pending.AddRange([1.0, 2, 3]);
        Minibatch rows = cut.Next(pending, CutMoment.Full, out _)!;
        Assert.Equal([0], rows.SequenceStarts.ToArray());
        Assert.Equal([1, 2, 3.0], rows.Values.ToArray());
    }

    [Fact]
    public void Keyed_SavedAndLoaded_KnowsItsKeys()
    {
        var memory = new Marks(3);
        var cut = new KeyedCut(3, 3, memory, SequenceOptions.Default);
        cut.Next(Pending("aba"), CutMoment.Full, out _);
        memory.Seen[1] = 42;
        var stream = new MemoryStream();
        cut.Save(new BinaryWriter(stream));
        stream.Position = 0;
        var other = new Marks(3);
        var loaded = new KeyedCut(3, 3, other, SequenceOptions.Default);
        loaded.Load(new BinaryReader(stream));
        Assert.Equal(42, other.Seen[1]);
        Assert.Equal([1, 0, 2], loaded.Next(Pending("bac"), CutMoment.Full, out _)!.Keys.ToArray());
        Assert.Equal([2], other.Forgotten);
    }

    [Fact]
    public void Whole_RowsOfManyKeys_HasASequenceForEach()
    {
        Minibatch rows = Pending("abab");
        rows.Add([9]);
        Minibatch whole = new KeyedCut(2, 2, new Marks(2), SequenceOptions.Default).Whole(rows);
        Assert.Equal([0, 2, 1, 3, 9.0], whole.Values.ToArray());
        Assert.Equal([0, 2, 4], whole.SequenceStarts.ToArray());
        Assert.Same(rows, new PlainCut(2).Whole(rows));
    }

    /// <summary>Rows 0, 1, ... with a letter each as key.</summary>
    private static Minibatch Pending(string keys)
    {
        var texts = new TextTable();
        var pending = new Minibatch(1, texts: texts);
        for (int row = 0; row < keys.Length; row++) pending.Add([row], key: texts.Number(keys[row].ToString()));
        return pending;
    }

    /// <summary>A memory that notes what it is told.</summary>
    private sealed class Marks(int slots) : StreamMemory
    {
        public List<int> Forgotten { get; } = [];

        public double[] Seen { get; } = new double[slots];

        public override void Forget(int slot) => Forgotten.Add(slot);

        public override void CopyFrom(StreamMemory other) => ((Marks)other).Seen.CopyTo(Seen, 0);

        public override void CopyFrom(StreamMemory other, int from, int to) => Seen[to] = ((Marks)other).Seen[from];

        public override void Save(BinaryWriter writer) => writer.WriteDoubles(Seen);

        public override void Load(BinaryReader reader) => reader.ReadDoubles().CopyTo(Seen, 0);
    }
}
