using System.Globalization;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Two workers that publish one id to one topic, on a real broker.</summary>
public sealed class KafkaLeaseTests(KafkaBroker broker) : IAsyncLifetime
{
    private readonly ListLogger _log = new();
    private readonly FakeTimeProvider _time = new();
    private readonly List<KafkaSnapshotPublisher> _publishers = [];
    private string _topic = "";

    public async ValueTask InitializeAsync()
    {
        broker.NeedsRealBroker("tells no topic's settings");
        _topic = await broker.CreateTopicAsync(1, ("cleanup.policy", "compact"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (KafkaSnapshotPublisher publisher in _publishers) await publisher.DisposeAsync();
    }

    [Fact]
    public async Task Start_IdOfAnotherRun_IsRefusedAndTakesOverWhenTold()
    {
        KafkaSnapshotPublisher first = await Open(new RunClaim("first") { Incarnation = 1 });
        await Publish(first, "first", 1, 2);

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Open(new RunClaim("second")));
        KafkaSnapshotPublisher second = await Open(new RunClaim("second") { Incarnation = 2, Predecessors = ["first"] });
        await Publish(second, "second", 1);
        _time.Advance(TopicWatch.LookEvery);
        CommandException lost = await Assert.ThrowsAsync<CommandException>(() => Publish(first, "first", 3));

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Contains("first (version 2 of ", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.TryAgain, lost.ExitCode);
        Assert.Contains("another run has taken the place of this one", lost.Message, StringComparison.Ordinal);
        // The new owner is not disturbed by the last words of the old one.
        _time.Advance(TopicWatch.LookEvery);
        await Publish(second, "second", 2);
    }

    [Fact]
    public async Task Start_AmongManyRecordsOfOtherModels_FindsTheOwner()
    {
        await Publish(await Open(new RunClaim("first")), "first", 1);
        byte[] other = Json("pump", "other", 1);
        broker.Produce(_topic, 0, [.. Enumerable.Range(0, 3 * TopicWatch.MostRecords).Select(_ =>
            new Confluent.Kafka.Message<byte[]?, byte[]?> { Key = "pump"u8.ToArray(), Value = other })]);

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Open(new RunClaim("second")));

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
    }

    [Fact]
    public async Task Start_ModelTakenAway_IsFree()
    {
        await Publish(await Open(new RunClaim("first")), "first", 1);
        broker.Produce(_topic, 0, [new Confluent.Kafka.Message<byte[]?, byte[]?> { Key = "boiler"u8.ToArray(), Value = null }]);

        await Publish(await Open(new RunClaim("second")), "second", 1);
    }

    [Fact]
    public async Task RollingRestart_TheOldStartStopsPublishing()
    {
        KafkaSnapshotPublisher old = await Open(new RunClaim("run") { Incarnation = 5, KnownIncarnation = 4 });
        await Publish(old, "run", 1);
        KafkaSnapshotPublisher next = await Open(new RunClaim("run") { Incarnation = 6, KnownIncarnation = 5 });
        await Publish(next, "run", 2);

        _time.Advance(TopicWatch.LookEvery);
        CommandException lost = await Assert.ThrowsAsync<CommandException>(() => Publish(old, "run", 2));

        Assert.Contains("a later start of this run publishes it now", lost.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CommandException>(() => Open(new RunClaim("run") { Incarnation = 9, KnownIncarnation = 5 }));
        await Open(new RunClaim("run") { Incarnation = 9, KnownIncarnation = long.MaxValue });
    }

    [Fact]
    public async Task TwoNewRunsAtOnce_OneGivesWayAndTheOtherWarns()
    {
        KafkaSnapshotPublisher one = await Open(new RunClaim("one")), two = await Open(new RunClaim("two"));
        await Publish(one, "one", 1);

        CommandException late = await Assert.ThrowsAsync<CommandException>(() => Publish(two, "two", 1));
        await Publish(one, "one", 2);

        Assert.Contains("another run was first", late.Message, StringComparison.Ordinal);
        Assert.Contains("another_run_publishes", _log.Events);
    }

    private async Task<KafkaSnapshotPublisher> Open(RunClaim claim)
    {
        var model = new PublishedModel(
            "boiler", ModelCatalog.MixtureOf(new GaussianOptions(), components: 2), new RecordSchema { Features = ["x", "y"] });
        var publisher = new KafkaSnapshotPublisher(
            new KafkaPublisherOptions { Brokers = [broker.Address], Topic = _topic }, model, _time, _log);
        _publishers.Add(publisher);
        await Eventually.Within(publisher.OpenAsync(claim, since: null, CancellationToken.None));
        return publisher;
    }

    private static Task Publish(KafkaSnapshotPublisher publisher, string run, params long[] versions) =>
        Eventually.Within(publisher.PublishAsync(
            [.. versions.Select(version => new OutboxEntry(version, false, Json("boiler", run, version)))], CancellationToken.None));

    private static byte[] Json(string id, string run, long version) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $$"""{"format":"streamem.snapshot","model":{"id":"{{id}}","run_id":"{{run}}"},"version":{{version}},"""
            + $$""" "created_at":"2026-11-20T08:00:00.000Z"}"""));
}
