using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Data;

public sealed class MinibatchTests
{
    [Fact]
    public void RemoveFirst_OfTheRowsThatHaveMore_LeavesPlainOnes()
    {
        var batch = new Minibatch(1, 2);
        batch.Add([1]);
        batch.Add([2], weight: 3, label: 1, target: 0.5);
        batch.Add([4]);
        Assert.Equal([1, 3, 1.0], batch.Weights.ToArray());
        Assert.Equal([Minibatch.Unlabelled, 1, Minibatch.Unlabelled], batch.Labels.ToArray());
        Assert.Equal([double.NaN, 0.5, double.NaN], batch.Targets.ToArray());
        batch.RemoveFirst(1);
        Assert.Equal([3, 1.0], batch.Weights.ToArray());
        batch.RemoveFirst(1);
        Assert.True(batch.Weights.IsEmpty && batch.Labels.IsEmpty && batch.Targets.IsEmpty);
        Assert.Equal([4], batch.Values.ToArray());
    }

    [Fact]
    public void AddRange_OfAnotherMinibatch_TakesWhatTheRowsHave()
    {
        var source = new Minibatch(1);
        for (int row = 0; row < 6; row++) source.Add([row], weight: row == 3 ? 2 : 1);
        var target = new Minibatch(1);
        target.AddRange(source, 0, 3);
        Assert.True(target.Weights.IsEmpty);
        target.AddRange([7.0, 8.0]);
        target.AddRange(source, 2, 3);
        target.AddRange([9.0]);
        Assert.Equal([0, 1, 2, 7, 8, 2, 3, 4, 9.0], target.Values.ToArray());
        Assert.Equal([1, 1, 1, 1, 1, 1, 2, 1, 1.0], target.Weights.ToArray());
    }
}
