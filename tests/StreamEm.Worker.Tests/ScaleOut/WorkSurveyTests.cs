using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.Configuration;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>What a worker says of all that learn a model with it, and how late its own minibatches are.</summary>
public sealed class WorkSurveyTests
{
    [Fact]
    public async Task Ask_BrokersThatAreAway_EndsWithAReason()
    {
        var topics = new ScaleOutTopics(Assert.Single(ConfigFile.OptionsOf("""
            models:
              - id: clouds
                source: { kafka: { brokers: ["127.0.0.1:1"], topics: [rows] } }
                features: [a, b]
                model: { type: gaussian_mixture, components: 3 }
                learning: { learn: always, dead_components: keep }
                scale_out: { statistics_topic: statistics, model_topic: model }
            """).Models), TimeProvider.System);
        using var feed = new SnapshotFeed();
        using var survey = new WorkSurvey(topics, new ModelFollower(topics, feed, TimeProvider.System), "one", TimeProvider.System);

        KafkaException failure = await Assert.ThrowsAnyAsync<KafkaException>(() => survey.AskAsync(CancellationToken.None));

        Assert.Equal(ErrorCode.Local_TimedOut, failure.Error.Code);
        // Whoever asks next is told the same, and does not wait for another answer that does not come.
        Assert.Same(failure, await Assert.ThrowsAnyAsync<KafkaException>(() => survey.AskAsync(CancellationToken.None)));
        survey.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => survey.AskAsync(CancellationToken.None));
    }

    [Fact]
    public void Lateness_OfMinibatchesInTheModel_IsByTheVersionsInBetween()
    {
        var late = new List<long>();
        var inFlight = new InFlight(4, late.Add);
        inFlight.Add(new RecordRange("x/0", 0, 10), baseVersion: 7)(1);
        inFlight.Add(new RecordRange("x/0", 10, 20), baseVersion: 8)(2);
        inFlight.Add(new RecordRange("x/0", 20, 30))(3);
        inFlight.Add(new RecordRange("x/0", 30, 40), baseVersion: 9)(4);

        Assert.False(inFlight.Look(At(10), next: 2, version: 8));
        Assert.Equal([0], late);
        // The third is another worker's, and the fourth is not in it yet.
        Assert.False(inFlight.Look(At(30), next: 4, version: 12));
        Assert.Equal([0, 3], late);
        Assert.Equal(1, inFlight.Count);
    }

    [Fact]
    public void Summary_OfMoreThanAreKept_IsOfTheLast()
    {
        var lateness = new RecentLateness();
        Assert.Null(lateness.Summary);
        lateness.Add(4);
        lateness.Add(1);
        Assert.Equal((2, 2.5, 4), lateness.Summary);
        for (int at = 0; at < 256; at++) lateness.Add(at % 2);
        Assert.Equal((256, 0.5, 1), lateness.Summary);
    }

    private static SourcePosition At(long next)
    {
        var position = new SourcePosition();
        position.Set("x/0", new PartitionPosition(next));
        return position;
    }
}
