using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Data;

public sealed class SequenceGroupsTests
{
    [Fact]
    public void Group_RowsOfSeveralKeys_PutsThemTogetherInTheirOrder()
    {
        var rows = new Minibatch(1);
        for (int row = 0; row < 6; row++) rows.Add([row], weight: row + 1, label: row, target: -row, timestamp: 100 + row);
        SequenceGroups groups = new();
        Minibatch result = new(1);
        result.Add([99]);
        groups.Group(rows, [5, 2, 5, 7, 2, 5], result);
        Assert.Equal([0, 2, 5, 1, 4, 3], groups.Order.ToArray());
        Assert.Equal([0, 3, 5], result.SequenceStarts.ToArray());
        Assert.Equal([0, 2, 5, 1, 4, 3.0], result.Values.ToArray());
        Assert.Equal([5, 5, 5, 2, 2, 7], result.Keys.ToArray());
        Assert.Equal((3.0, 2, -2.0, 102L), (result.Weight(1), result.Label(1), result.Target(1), result.Timestamp(1)));
    }

    [Fact]
    public void Group_FirstRowsOnly_LeavesTheOthersOut()
    {
        var rows = new Minibatch(1);
        rows.AddRange([1.0, 2, 3]);
        Minibatch result = new(1);
        new SequenceGroups().Group(rows, [0, 0], result);
        Assert.Equal([1, 2.0], result.Values.ToArray());
        Assert.Equal([0], result.SequenceStarts.ToArray());
    }

    [Fact]
    public void Group_AgainWithFewerOrMoreRows_IsAsNew()
    {
        var chance = new SplitMix64(3);
        var reused = new SequenceGroups();
        foreach (int count in (int[])[50, 3, 200, 0, 7])
        {
            var rows = new Minibatch(2, 1);
            int[] numbers = new int[count];
            for (int row = 0; row < count; row++)
            {
                numbers[row] = chance.NextInt32(9);
                rows.Add([row, chance.NextDouble()]);
            }
            Minibatch result = new(2);
            reused.Group(rows, numbers, result);
            // A stable sort by the place of each number's first row.
            int[] expected = [.. Enumerable.Range(0, count).OrderBy(row => Array.IndexOf(numbers, numbers[row]))];
            Assert.Equal(expected, reused.Order.ToArray());
            Assert.Equal(count, result.Count);
            Assert.Equal(numbers.Distinct().Count(), result.SequenceStarts.Length);
            for (int at = 0; at < count; at++) Assert.Equal(rows.Row(expected[at]), result.Row(at));
        }
    }
}
