using StreamEm.Core.Alarms;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Alarms;

/// <summary>What is known of a key goes from one watch to another.</summary>
public sealed class AlarmStatesTests
{
    private readonly AlarmWatch _watch = Watch();

    [Fact]
    public void StateOf_AKeyInAlarm_LastsWhereItIsRestored_AndRests()
    {
        Assert.Equal(AlarmMark.Raised, Take(_watch, "a", 1e-6));
        AlarmWatch other = Watch();

        other.Restore("a", _watch.StateOf("a"));
        _watch.Restore("a", default);

        Assert.Equal((0, 1), (_watch.Lasting, other.Lasting));
        // The rest goes along; a watch that knows nothing raises again.
        Assert.Equal(AlarmMark.Lasting, Take(other, "a", 1e-6));
        Assert.Equal(AlarmMark.Raised, Take(_watch, "a", 1e-6));
        Assert.Equal(AlarmMark.Cleared, Take(other, "a", 0.5));
        Assert.Equal(0, other.Lasting);
    }

    [Fact]
    public void StateOf_AKeyThatWasNeverInAlarm_IsEmpty()
    {
        Take(_watch, "a", 0.5);

        Assert.Empty(_watch.StateOf("a"));
        _watch.Restore("a", default);
        Assert.Equal(AlarmMark.Raised, Take(_watch, "a", 1e-6));
    }

    [Fact]
    public void StateOf_AKeyThatWasForgotten_IsEmpty()
    {
        Take(_watch, "a", 1e-6);
        Assert.NotEmpty(_watch.StateOf("a"));

        _watch.Restore("a", default);

        Assert.Empty(_watch.StateOf("a"));
    }

    [Fact]
    public void Restore_AStateThatEndsTooSoon_IsRefused()
    {
        Take(_watch, "a", 1e-6);

        Assert.Throws<InvalidDataException>(() => Watch().Restore("a", _watch.StateOf("a").AsSpan()[..^1]));
    }

    private static AlarmMark Take(AlarmWatch watch, string key, double pValue) =>
        watch.Take(key, Minibatch.NoTimestamp, pValue, pValue, component: -1, [0]);

    private static AlarmWatch Watch() => new(new AlarmOptions(), ["x"]);
}
