using StreamEm.Sources;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>What was sent and is not in the model, where the log is not what it was.</summary>
public sealed class InFlightTests
{
    [Fact]
    public void MessageOfALogThatWasCut_IsMissed_AndOneOfTheLogSinceIsNot()
    {
        var inFlight = new InFlight(most: 2);
        var range = new RecordRange("a/0", 0, 10);
        inFlight.Add(range)(120);
        Assert.False(inFlight.Look(new SourcePosition(), next: 120, version: 1));

        Assert.True(inFlight.Look(new SourcePosition(), next: 0, version: 1, cuts: 1));
        inFlight.Clear();
        inFlight.Add(range)(3);
        Assert.False(inFlight.Look(new SourcePosition(), next: 2, version: 1, cuts: 1));
        Assert.True(inFlight.Look(new SourcePosition(), next: 4, version: 1, cuts: 1));
    }
}
