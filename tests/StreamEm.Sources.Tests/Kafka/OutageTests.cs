using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>What is told of brokers that do not answer, and of one that nobody waits for any more.</summary>
public sealed class OutageTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<bool> _reachable = [];

    [Fact]
    public void Begin_NoAnswer_IsToldWithWhatIsDoneAboutItUntilItEnds()
    {
        Outage outage = Create(TimeSpan.FromSeconds(30));
        Assert.Equal((null, null), (outage.Problem, outage.Reason));

        outage.Begin("2/2 brokers are down.");
        Assert.Equal("The brokers a:1, b:2 cannot be reached: 2/2 brokers are down. Trying again.", outage.Problem);
        Assert.Equal("The brokers a:1, b:2 cannot be reached: 2/2 brokers are down.", outage.Reason);
        outage.Begin("Trying again. was refused");
        Assert.Equal("The brokers a:1, b:2 cannot be reached: Trying again. was refused. Trying again.", outage.Problem);
        outage.End();

        Assert.Equal((null, null), (outage.Problem, outage.Reason));
        Assert.Equal([false, true], _reachable);
    }

    [Fact]
    public void ThrowIfTooLong_AtTheLimitAndNotBefore_SaysWhyAndNotThatItTriesAgain()
    {
        Outage outage = Create(TimeSpan.FromSeconds(30));
        outage.Begin("Trying again. was refused");
        _time.Advance(TimeSpan.FromSeconds(29.9));
        outage.ThrowIfTooLong();

        // Another sign of the same outage does not begin it anew.
        outage.Begin("timed out");
        _time.Advance(TimeSpan.FromSeconds(0.1));
        SourceException failure = Assert.Throws<SourceException>(outage.ThrowIfTooLong);

        Assert.Equal(SourceFailure.Unavailable, failure.Failure);
        Assert.Equal("The brokers a:1, b:2 cannot be reached: timed out. That has lasted 30 s, the limit source.kafka.unavailable_after. "
            + "Check the brokers, the network and source.kafka.properties.", failure.Message);
    }

    [Fact]
    public void ThrowIfTooLong_TopicMissing_KeepsItsSentenceAndItsFailure()
    {
        Outage outage = Create(TimeSpan.FromSeconds(30));
        outage.Begin("Topic 'x' does not exist.", SourceFailure.Missing);
        Assert.Equal("Topic 'x' does not exist.", outage.Problem);
        _time.Advance(TimeSpan.FromSeconds(30));

        SourceException failure = Assert.Throws<SourceException>(outage.ThrowIfTooLong);

        Assert.Equal(SourceFailure.Missing, failure.Failure);
        Assert.StartsWith("Topic 'x' does not exist. That has lasted 30 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThrowIfTooLong_NewOutage_HasItsOwnTime()
    {
        Outage outage = Create(TimeSpan.FromSeconds(30));
        outage.Begin("down");
        _time.Advance(TimeSpan.FromSeconds(29));
        outage.End();
        outage.Begin("down");
        _time.Advance(TimeSpan.FromSeconds(29));

        outage.ThrowIfTooLong();
        Create(unavailableAfter: null).ThrowIfTooLong();
    }

    private Outage Create(TimeSpan? unavailableAfter) =>
        new(["a:1", "b:2"], unavailableAfter, "source.kafka", _time) { ReachableChanged = _reachable.Add };
}
