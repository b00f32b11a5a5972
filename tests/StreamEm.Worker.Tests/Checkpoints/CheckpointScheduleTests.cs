using Microsoft.Extensions.Time.Testing;
using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.Tests.Checkpoints;

public sealed class CheckpointScheduleTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly CheckpointSchedule _schedule;

    public CheckpointScheduleTests() =>
        _schedule =
            new CheckpointSchedule(new CheckpointOptions { EveryUpdates = 3, Every = TimeSpan.FromSeconds(10) }, _time, updates: 100);

    [Fact]
    public void Due_AfterSoManyUpdatesSinceTheLast_AndNotBefore()
    {
        _schedule.Changed(102);
        Assert.Equal((true, false), (_schedule.HasChanged, _schedule.IsDue));
        _schedule.Changed(103);
        Assert.True(_schedule.IsDue);

        _schedule.Begun();
        Assert.Equal((false, false), (_schedule.HasChanged, _schedule.IsDue));
        _schedule.Changed(105);
        Assert.False(_schedule.IsDue);
    }

    [Fact]
    public void Due_AfterSoMuchTimeSinceTheLast_WhateverTheUpdates()
    {
        _schedule.Changed(101);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal((false, TimeSpan.FromSeconds(1)), (_schedule.IsDue, _schedule.Remaining));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((true, TimeSpan.Zero), (_schedule.IsDue, _schedule.Remaining));

        _schedule.Begun();
        Assert.Equal((false, TimeSpan.FromSeconds(10)), (_schedule.IsDue, _schedule.Remaining));
    }

    [Fact]
    public void Due_WhenDemanded_Once()
    {
        _schedule.Demand();
        Assert.Equal((true, true), (_schedule.HasChanged, _schedule.IsDue));

        _schedule.Begun();
        Assert.Equal((false, false), (_schedule.HasChanged, _schedule.IsDue));
    }
}
