using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

public sealed class KafkaSnapshotPublisherTests(KafkaBroker broker)
{
    private static readonly DateTimeOffset Start = new(2026, 11, 20, 8, 0, 0, TimeSpan.Zero);
    private readonly ListLogger _log = new();

    [Fact]
    public async Task Publish_Snapshots_AreKeyedByModelAndCarryTheHeadersOfACloudEvent()
    {
        string topic = await Topic(("cleanup.policy", "compact"));

        await Publish(topic, "run-1", null, 7);

        Message<byte[]?, byte[]?> record = Assert.Single(TopicLog.Read(broker, topic));
        Assert.Equal("boiler", Encoding.UTF8.GetString(record.Key!));
        Assert.Equal(Json("run-1", 7), record.Value);
        Assert.Equal(Made(7).UtcDateTime, record.Timestamp.UtcDateTime);
        Assert.Equal(
            [
                ("ce_specversion", "1.0"), ("ce_type", "io.streamem.snapshot.v1"), ("ce_id", "run-1/7"),
                ("ce_source", $"/streamem/{Environment.MachineName}"), ("ce_subject", "boiler"),
                ("ce_time", "2026-11-20T08:00:07.000Z"), ("content-type", "application/vnd.streamem.snapshot+json;v=1"),
                ("streamem_version", "7"), ("streamem_incarnation", "0"), ("streamem_predecessors", "run,another"),
            ],
            record.Headers.Select(header => (header.Key, Encoding.UTF8.GetString(header.GetValueBytes()))));
    }

    [Fact]
    public async Task Open_TopicThatDoesNotExist_CreatesItCompactedWithRoomForTheModel()
    {
        broker.NeedsRealBroker("cannot create topics");
        string small = $"snapshots-{Guid.NewGuid():N}", large = $"snapshots-{Guid.NewGuid():N}";

        await Publish(small, "run", null, 1);
        await using KafkaSnapshotPublisher wide = Publisher(large, Model(60, 20));
        await wide.OpenAsync(new RunClaim("run"), null, CancellationToken.None);

        Assert.Equal("compact", await TopicLog.Setting(broker, small, "cleanup.policy"));
        Assert.Equal("1048588", await TopicLog.Setting(broker, small, "max.message.bytes"));
        Assert.True(wide.RecordBound > 1_048_588);
        Assert.Equal(wide.RecordBound.ToString(CultureInfo.InvariantCulture), await TopicLog.Setting(broker, large, "max.message.bytes"));
        Assert.Equal(2, _log.Events.Count(name => name == "topic_created"));
        Assert.Single(TopicLog.Read(broker, small));
    }

    [Fact]
    public async Task Open_TopicOfAnotherPolicy_Warns()
    {
        await Publish(await Topic(("cleanup.policy", "delete")), "run", null, 1);
        Assert.Contains("topic_not_compacted", _log.Events);

        _log.Events.Clear();
        await Publish(await Topic(("cleanup.policy", "compact,delete")), "run", null, 1);
        Assert.DoesNotContain("topic_not_compacted", _log.Events);
    }

    [Fact]
    public async Task Open_ModelLargerThanTheTopicTakes_IsRefusedWithTheNumbers()
    {
        PublishedModel model = Model(30, 10);
        string topic = await Topic(("max.message.bytes", "200000"));
        await using KafkaSnapshotPublisher publisher = Publisher(topic, model);

        CommandException refusal =
            await Assert.ThrowsAsync<CommandException>(() => publisher.OpenAsync(new RunClaim("run"), null, CancellationToken.None));

        Assert.Equal(ExitCode.Configuration, refusal.ExitCode);
        Assert.Equal(
            "publish.kafka: a snapshot of model 'boiler' (weights [10], means [10, 30], covariances [10, 30, 30]) can take "
                + $"{publisher.RecordBound} bytes; topic '{topic}' takes messages of at most 200000 bytes. "
            + $"Raise its max.message.bytes to at least {publisher.RecordBound}, or use fewer components or a smaller covariance_type.",
            refusal.Message);

        string enough = await Topic(("max.message.bytes", $"{publisher.RecordBound}"));
        await using KafkaSnapshotPublisher accepted = Publisher(enough, model);
        Assert.Equal(0, await accepted.OpenAsync(new RunClaim("run"), null, CancellationToken.None));
    }

    [Fact]
    public async Task Publish_LargestRecordTheBoundAllows_IsTakenByATopicOfThatLimit()
    {
        await using KafkaSnapshotPublisher sizes = Publisher("any", Model(60, 20));
        string topic = await Topic(("max.message.bytes", $"{sizes.RecordBound}"));
        await using KafkaSnapshotPublisher publisher = Publisher(topic, Model(60, 20));
        await publisher.OpenAsync(new RunClaim("run"), null, CancellationToken.None);
        // Bytes that do not compress, as long as a snapshot may get without what Kafka adds.
        var random = new Random(1);
        string noise = string.Concat(
            Enumerable.Range(0, (int)sizes.RecordBound - 8 * 1024 - 200).Select(_ => (char)random.Next('0', 'z'))
                .Select(c => c == '\\' ? '/' : c));
        byte[] json = [.. Json("run", 1)[..^1], .. Encoding.UTF8.GetBytes($",\"noise\":\"{noise}\"}}")];

        await publisher.PublishAsync([new OutboxEntry(1, false, json)], CancellationToken.None);

        Assert.Equal(json, Assert.Single(TopicLog.Read(broker, topic)).Value);
    }

    [Fact]
    public async Task Open_RunThatHasPublished_KnowsItsLastVersion()
    {
        string topic = await Topic();
        await Publish(topic, "run", null, 1, 2, 3);
        broker.Produce(topic, 0,
            [Record("boiler", "not a snapshot"), Record("other", Encoding.UTF8.GetString(Json("run", 9))), Record("boiler", null)]);
        await Publish(topic, "run", null, 2);
        await Publish(topic, "another", null, 8);

        Assert.Equal(3, await Publish(topic, "run", Made(2)));
        Assert.Equal(3, await Publish(topic, "run", Made(3)));
        Assert.Equal(0, await Publish(topic, "run", Made(3 + 120)));
        Assert.Equal(8, await Publish(topic, "another", Made(1)));
        Assert.Equal(0, await Publish(topic, "run", null));
    }

    [Fact]
    public async Task Open_BrokersAway_SaysSoAndEndsWith69PastTheDeadline()
    {
        var options = new KafkaPublisherOptions { Brokers = ["127.0.0.1:1"], Topic = "t", UnavailableAfter = TimeSpan.FromSeconds(1.5) };
        await using var publisher = new KafkaSnapshotPublisher(options, Model(2, 2), TimeProvider.System, _log);

        Task<long> opening = publisher.OpenAsync(new RunClaim("run"), null, CancellationToken.None);
        await Eventually.True(() => publisher.Obstacle is not null || opening.IsCompleted, "the outage to be noticed");
        Assert.StartsWith("snapshots are not published: The brokers 127.0.0.1:1 cannot be reached: ", publisher.Obstacle?.Text,
            StringComparison.Ordinal);

        CommandException failure = await Assert.ThrowsAsync<CommandException>(() => Eventually.Within(opening));
        Assert.Equal(ExitCode.Unavailable, failure.ExitCode);
        Assert.Contains("That has lasted 1.5 s, the limit publish.kafka.unavailable_after.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_StoppedWhileBrokersAreAway_Ends()
    {
        var options = new KafkaPublisherOptions { Brokers = ["127.0.0.1:1"], Topic = "t", UnavailableAfter = null };
        await using var publisher = new KafkaSnapshotPublisher(options, Model(2, 2), TimeProvider.System, _log);
        using var stop = new CancellationTokenSource();
        Task<long> opening = publisher.OpenAsync(new RunClaim("run"), null, stop.Token);
        await Eventually.True(() => publisher.Obstacle is not null, "the outage to be noticed");

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Eventually.Within(opening));
    }

    [Fact]
    public async Task Publish_BrokersKilled_WaitsForThemOrEndsWith69AndClosesInTime()
    {
        broker.NeedsOwnBroker();
        await using var own = new KafkaBroker();
        await own.InitializeAsync();
        KafkaPublisherOptions options = new() { Brokers = [own.Address], Topic = await own.CreateTopicAsync(1) };
        await using var patient =
            new KafkaSnapshotPublisher(options with { UnavailableAfter = null }, Model(2, 2), TimeProvider.System, _log);
        await using var impatient =
            new KafkaSnapshotPublisher(options with { UnavailableAfter = TimeSpan.FromSeconds(1) }, Model(2, 2), TimeProvider.System, _log);
        foreach (KafkaSnapshotPublisher publisher in new[] { patient, impatient })
        {
            await publisher.OpenAsync(new RunClaim("run"), null, CancellationToken.None);
            await publisher.PublishAsync([new OutboxEntry(1, false, Json("run", 1))], CancellationToken.None);
        }

        await own.KillAsync();
        CommandException failure = await Assert.ThrowsAsync<CommandException>(
            () => Eventually.Within(impatient.PublishAsync([new OutboxEntry(2, false, Json("run", 2))], CancellationToken.None)));
        Assert.Equal(ExitCode.Unavailable, failure.ExitCode);
        long closing = Stopwatch.GetTimestamp();
        await impatient.DisposeAsync();
        Assert.InRange(Stopwatch.GetElapsedTime(closing).TotalSeconds, 0, 3);

        Task publishing = patient.PublishAsync(
            [new OutboxEntry(2, false, Json("run", 2)), new OutboxEntry(3, false, Json("run", 3))], CancellationToken.None);
        await Eventually.True(() => patient.Obstacle?.Text.Contains("cannot be reached", StringComparison.Ordinal) == true,
            "the outage to be noticed");
        await own.StartAsync();
        await Eventually.Within(publishing);
        Assert.Null(patient.Obstacle);

        await own.FreezeAsync();
        publishing = patient.PublishAsync([new OutboxEntry(4, false, Json("run", 4))], CancellationToken.None);
        await Eventually.True(() =>
            patient.Obstacle?.Text.Contains("have not been acknowledged for 10 s", StringComparison.Ordinal) == true,
            "the frozen broker to be noticed", TimeSpan.FromSeconds(60));
        await own.ThawAsync();
        await Eventually.Within(publishing);
        Assert.Null(patient.Obstacle);
        Assert.Equal(["1", "1", "2", "3", "4"], TopicLog.Read(own, options.Topic).Select(record => record.Header("streamem_version")));
    }

    private static PublishedModel Model(int dimension, int components) =>
        new("boiler", ModelCatalog.MixtureOf(new GaussianOptions(), components), RecordSchema.OfNumbers(dimension));

    private static DateTimeOffset Made(long version) => Start.AddSeconds(version);

    private static byte[] Json(string run, long version) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $$"""{"format":"streamem.snapshot","model":{"id":"boiler","options":{"id":"no","version":"3"},"run_id":"{{run}}"},"version":"""
            + $$"""{{version}},"created_at":"{{Made(version):yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}"}"""));

    private static Message<byte[]?, byte[]?> Record(string key, string? value) => new()
    {
        Key = Encoding.UTF8.GetBytes(key),
        Value = value is null ? null : Encoding.UTF8.GetBytes(value),
        Timestamp = new Timestamp(Start.AddSeconds(10)),
    };

    private async Task<string> Topic(params (string Name, string Value)[] settings)
    {
        broker.NeedsRealBroker("tells no topic's settings");
        return await broker.CreateTopicAsync(1, settings);
    }

    private KafkaSnapshotPublisher Publisher(string topic, PublishedModel model) =>
        new(new KafkaPublisherOptions { Brokers = [broker.Address], Topic = topic }, model, TimeProvider.System, _log);

    private async Task<long> Publish(string topic, string run, DateTimeOffset? since, params long[] versions)
    {
        await using KafkaSnapshotPublisher publisher = Publisher(topic, Model(2, 2));
        var claim = new RunClaim(run) { Predecessors = ["run", "another"] };
        long last = await Eventually.Within(publisher.OpenAsync(claim, since, CancellationToken.None));
        await Eventually.Within(publisher.PublishAsync(
            [.. versions.Select(version => new OutboxEntry(version, false, Json(run, version)))], CancellationToken.None));
        return last;
    }
}
