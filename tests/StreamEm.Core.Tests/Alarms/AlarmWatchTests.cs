using StreamEm.Core.Alarms;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Alarms;

public sealed class AlarmWatchTests
{
    private static readonly string[] Features = ["x"];

    [Fact]
    public void Take_BelowTheThreshold_RaisesOnceAndLastsUntilARecordIsUsualAgain()
    {
        var watch = new AlarmWatch(new AlarmOptions { Threshold = 0.01, Clear = 0.1, Rest = 100 }, Features);

        AlarmMark[] marks = [.. new[] { 0.5, 0.001, 0.001, 0.05, double.NaN, 0.1, 0.05, 0.5 }.Select(p => Take(watch, p))];

        Assert.Equal(
            [
                AlarmMark.Quiet, AlarmMark.Raised, AlarmMark.Lasting, AlarmMark.Lasting, AlarmMark.Lasting, AlarmMark.Cleared,
                AlarmMark.Quiet, AlarmMark.Quiet,
            ], marks);
        Assert.Equal((1, 1, 0), (watch.Raised, watch.Cleared, watch.Lasting));
    }

    [Fact]
    public void Take_WhileItRests_RaisesOnlyForOneTwiceAsImprobable()
    {
        var watch = new AlarmWatch(new AlarmOptions { Rest = 3 }, Features);

        AlarmMark[] marks = [.. new[] { 0.001, 0.0006, 0.0004, 0.0003, 0.0003, 0.0003, 0.0003 }.Select(p => Take(watch, p))];

        Assert.Equal(
            [
                AlarmMark.Raised, AlarmMark.Lasting, AlarmMark.Raised, AlarmMark.Lasting, AlarmMark.Lasting, AlarmMark.Lasting,
                AlarmMark.Raised,
            ], marks);
    }

    [Fact]
    public void Take_OtherKeys_HaveAlarmsOfTheirOwn()
    {
        var watch = new AlarmWatch(new AlarmOptions { Rest = 100 }, Features);

        Assert.Equal(AlarmMark.Raised, Take(watch, 0.001, "a"));
        Assert.Equal(AlarmMark.Raised, Take(watch, 0.001, "b"));
        Assert.Equal(AlarmMark.Lasting, Take(watch, 0.001, "a"));
        Assert.Equal(AlarmMark.Cleared, Take(watch, 0.5, "b"));
        Assert.Equal(1, watch.Lasting);
    }

    [Fact]
    public void Take_WithinTheLeastGap_RaisesNoneHoweverStrong()
    {
        var watch = new AlarmWatch(new AlarmOptions { Rest = 0, MinGap = TimeSpan.FromSeconds(10) }, Features);

        Assert.Equal(AlarmMark.Raised, Take(watch, 0.001, time: 0));
        Assert.Equal(AlarmMark.Lasting, Take(watch, 1e-9, time: 9999));
        Assert.Equal(AlarmMark.Raised, Take(watch, 0.001, time: 10_000));
    }

    [Fact]
    public void Take_MoreKeysThanAreRemembered_ForgetsTheOneNotMetForLongest()
    {
        var watch = new AlarmWatch(new AlarmOptions { Rest = 100, MaxKeys = 2 }, Features);
        foreach (string key in (string[])["a", "b", "c"]) Assert.Equal(AlarmMark.Raised, Take(watch, 0.001, key));

        Assert.Equal(2, watch.Lasting);
        Assert.Equal(AlarmMark.Lasting, Take(watch, 0.001, "c"));
        Assert.Equal(AlarmMark.Raised, Take(watch, 0.001, "a"));
    }

    [Theory]
    [InlineData(10_000)]
    [InlineData(3)]
    public void Load_WhatSaveWrote_GoesOnToTheSameMarks(int maxKeysLater)
    {
        var random = new Random(1);
        (double P, string Key)[] records =
            [.. Enumerable.Range(0, 2000).Select(_ => (Math.Pow(random.NextDouble(), 3), $"k{random.Next(3)}"))];
        AlarmWatch whole = new(new AlarmOptions { Rest = 7 }, Features), first = new(new AlarmOptions { Rest = 7 }, Features);
        AlarmMark[] expected = [.. records.Select(record => Take(whole, record.P, record.Key))];
        foreach ((double p, string key) in records.Take(1000)) Take(first, p, key);

        var second = new AlarmWatch(new AlarmOptions { Rest = 7, MaxKeys = maxKeysLater }, Features);
        second.Load(new BinaryReader(new MemoryStream(Saved(first))));

        Assert.Equal(expected[1000..], records.Skip(1000).Select(record => Take(second, record.P, record.Key)));
        Assert.Equal((whole.Raised, whole.Cleared, whole.Lasting), (second.Raised, second.Cleared, second.Lasting));
    }

    [Fact]
    public void Load_Damaged_IsRefused()
    {
        var watch = new AlarmWatch(new AlarmOptions(), Features);
        Take(watch, 0.001);
        byte[] state = Saved(watch);
        state[16] = 200;

        Assert.Throws<InvalidDataException>(
            () => new AlarmWatch(new AlarmOptions(), Features).Load(new BinaryReader(new MemoryStream(state))));
    }

    private static byte[] Saved(AlarmWatch watch)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream)) watch.Save(writer);
        return stream.ToArray();
    }

    private static AlarmMark Take(AlarmWatch watch, double p, string? key = null, long time = Minibatch.NoTimestamp) =>
        watch.Take(key, time, p, p, 0, [0]);
}
