using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Worker.Shown;

namespace StreamEm.Worker.Tests.Shown;

/// <summary>The last records are kept as they were read, in bounded memory.</summary>
public sealed class RecordMemoryTests
{
    private static readonly RecordSchema Two = new() { Features = ["x", "y"] };

    [Theory]
    [InlineData(7)]
    [InlineData(1024)]
    [InlineData(5000)]
    public void Records_AnyBatches_AreTheLastInTheirOrder(int batch)
    {
        var memory = new RecordMemory(Two, 16 << 20);
        Fill(memory, 20_000, batch);

        Assert.Equal(20_000, memory.Count);
        Assert.Equal(Enumerable.Range(0, 20_000).Select(i => (double)i), Firsts(memory.Last(int.MaxValue)));
        Assert.Equal(Enumerable.Range(12_345, 7_655).Select(i => (double)i), Firsts(memory.Last(7_655)));
    }

    [Fact]
    public void Records_MoreThanThereIsRoomFor_PushOutTheOldest()
    {
        const long Room = 1 << 20;
        var memory = new RecordMemory(Two, Room);

        Fill(memory, 200_000, 1000);

        Assert.InRange(memory.Bytes, Room / 2, Room);
        Assert.Equal(Enumerable.Range(200_000 - memory.Count, memory.Count).Select(i => (double)i), Firsts(memory.Last(int.MaxValue)));
    }

    [Fact]
    public void Texts_OfManyDifferentKeys_CountToo()
    {
        const long Room = 1 << 20;
        var memory = new RecordMemory(Two, Room);
        var batch = new Minibatch(2, 100, new TextTable());
        for (int i = 0; i < 100_000; i++)
        {
            batch.Add([i, 0], key: batch.Texts!.Number(string.Create(CultureInfo.InvariantCulture, $"a key that is long, number {i}")));
            if (batch.Count < 100) continue;
            memory.Add(batch);
            batch = new Minibatch(2, 100, new TextTable());
        }

        Assert.InRange(memory.Bytes, 0, Room);
        Minibatch last = memory.Last(1)[0];
        Assert.Equal("a key that is long, number 99999", last.Texts!.Find(last.Key(0)));
    }

    [Fact]
    public void Copies_StayAsTheyAre_WhateverComes()
    {
        var memory = new RecordMemory(Two, 1 << 20);
        Fill(memory, 50_000, 1000);
        IReadOnlyList<Minibatch> copy = memory.Last(1000);
        double[] before = Firsts(copy);

        Fill(memory, 50_000, 1000);

        Assert.Equal(before, Firsts(copy));
    }

    [Fact]
    public void Records_OnceThereIsNoMoreRoom_AllocateNothingButATableOfTexts()
    {
        var memory = new RecordMemory(Two, 1 << 20);
        Fill(memory, 100_000, 1000);
        var batch = new Minibatch(2, 1000, new TextTable());
        for (int i = 0; i < 1000; i++) batch.Add([i, i]);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) memory.Add(batch);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    private static void Fill(RecordMemory memory, int records, int batch)
    {
        var rows = new Minibatch(2, batch, new TextTable());
        for (int i = 0; i < records; i++)
        {
            rows.Add([i, -i]);
            if (rows.Count < batch && i < records - 1) continue;
            memory.Add(rows);
            rows.Clear();
        }
    }

    private static double[] Firsts(IReadOnlyList<Minibatch> parts) =>
        [.. parts.SelectMany(part => Enumerable.Range(0, part.Count).Select(row => part.Row(row)[0]))];
}
