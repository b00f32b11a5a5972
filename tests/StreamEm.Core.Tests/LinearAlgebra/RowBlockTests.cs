using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class RowBlockTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(256)]
    public void Select_SomeFeatures_IsABlockOfTheirOwn(int count)
    {
        Minibatch rows = Draw(5, count + 3, 1, missing: 0.1);
        var block = new RowBlock(5);
        block.Fill(rows, 3, count);
        RowBlock selection = block.Select(0, [4, 1]), expected = new(2);
        expected.Fill(Columns(rows, 4, 1), 3, count);
        AssertSame(expected, selection);
        Assert.Same(rows, selection.Batch);
        Assert.Equal((3, count), (selection.First, selection.Count));
    }

    [Fact]
    public void Select_AfterAnotherFill_IsOfTheNewRows()
    {
        Minibatch first = Draw(3, 100, 2, 0.1), second = Draw(3, 40, 3, 0.3);
        RowBlock block = new(3), expected = new(2);
        block.Fill(first, 0, 100);
        RowBlock before = block.Select(1, [2, 0]);
        _ = before.Row(5);
        block.Fill(second, 0, 40);
        expected.Fill(Columns(second, 2, 0), 0, 40);
        AssertSame(expected, block.Select(1, [2, 0]));
        // The memory is the same, and it is filled once for each fill of the whole.
        Assert.Same(before, block.Select(1, [2, 0]));
    }

    [Fact]
    public void Select_OfASelection_IsOfTheWholesFeatures()
    {
        Minibatch rows = Draw(4, 60, 4, 0.1);
        RowBlock block = new(4), expected = new(1);
        block.Fill(rows, 0, 60);
        RowBlock nested = block.Select(0, [3, 1, 2]).Select(0, [1]);
        expected.Fill(Columns(rows, 1), 0, 60);
        Assert.Equal(expected.Columns[..60], nested.Columns[..60]);
        Assert.Equal(expected.Incomplete, nested.Incomplete);
        for (int row = 0; row < 60; row++) Assert.Equal(expected.Row(row), nested.Row(row));
    }

    [Fact]
    public void Select_InSteadyState_AllocatesNothing()
    {
        Minibatch rows = Draw(3, 200, 5, 0.1);
        var block = new RowBlock(3);
        int[] features = [2, 0];
        double sum = Use();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int fill = 0; fill < 20; fill++) sum += Use();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.False(double.IsNaN(sum));

        double Use()
        {
            block.Fill(rows, 0, 200);
            RowBlock selection = block.Select(0, features);
            return selection.Row(0).Length + selection.Rows.Length + block.Scratch(100).Length + selection.Incomplete.Length;
        }
    }

    [Fact]
    public void Scratch_OfNoMoreThanBefore_KeepsWhatWasWritten()
    {
        var block = new RowBlock(1);
        Span<double> written = block.Scratch(10);
        for (int at = 0; at < 10; at++) written[at] = at;
        Assert.Equal([0, 1, 2, 3], block.Scratch(4).ToArray());
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], block.Scratch(10).ToArray());
        Assert.Equal([0, 1, 2], block.Scratch(1000)[..3].ToArray());
        // A selection's is its own: parts of a product do not write over each other.
        block.Fill(Draw(1, 3, 6, 0), 0, 3);
        block.Select(0, [0]).Scratch(10).Fill(-1);
        Assert.Equal([0, 1, 2, 3], block.Scratch(4).ToArray());
    }

    [Fact]
    public void Batch_BeforeAnyFill_SaysSo() =>
        Assert.Equal("The block has not been filled.", Assert.Throws<InvalidOperationException>(() => new RowBlock(1).Batch).Message);

    private static void AssertSame(RowBlock expected, RowBlock actual)
    {
        Assert.Equal(expected.Dimension, actual.Dimension);
        Assert.Equal(expected.Incomplete, actual.Incomplete);
        for (int d = 0; d < expected.Dimension; d++)
            Assert.Equal(expected.Columns.Slice(d * RowBlock.Stride, RowBlock.Capacity),
                actual.Columns.Slice(d * RowBlock.Stride, RowBlock.Capacity));
        Assert.Equal(expected.Rows, actual.Rows);
        for (int row = 0; row < expected.Count; row++) Assert.Equal(expected.Row(row), actual.Row(row));
    }

    private static Minibatch Columns(Minibatch rows, params int[] features)
    {
        var result = new Minibatch(features.Length);
        for (int row = 0; row < rows.Count; row++) result.Add([.. features.Select(feature => rows.Row(row)[feature])]);
        return result;
    }

    private static Minibatch Draw(int dimension, int count, ulong seed, double missing)
    {
        var chance = new SplitMix64(seed);
        var result = new Minibatch(dimension);
        for (int row = 0; row < count; row++)
            result.Add([.. Enumerable.Range(0, dimension).Select(_ => chance.NextDouble() < missing ? double.NaN : chance.NextDouble())]);
        return result;
    }
}
