using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

public sealed class LogGrowthTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 27, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void AgeOf_TheNextRecord_IsTheTimeSinceTheLogGrewBeyondIt()
    {
        var growth = new LogGrowth();
        growth.Note(end: 10, next: 0, Start);
        growth.Note(end: 10, next: 4, Start.AddSeconds(5));
        growth.Note(end: 20, next: 8, Start.AddSeconds(7));

        Assert.Equal([10.0, 10, 3, 3, 0], new long[] { 8, 9, 10, 19, 20 }.Select(next => growth.AgeOf(next, Start.AddSeconds(10))));
        Assert.Equal(0, growth.AgeOf(8, Start.AddSeconds(-1)));
    }

    [Fact]
    public void Note_ForLong_ForgetsLooksAndNeverMakesARecordOlder()
    {
        var growth = new LogGrowth();
        for (int second = 0; second < 100_000; second++) growth.Note(second + 1, next: 0, Start.AddSeconds(second));

        Assert.Equal(100_000, growth.AgeOf(0, Start.AddSeconds(100_000)));
        for (int next = 0; next < 100_000; next += 777)
            Assert.InRange(growth.AgeOf(next, Start.AddSeconds(100_000)), 0, 100_000 - next);
    }
}
