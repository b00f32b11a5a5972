using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Configuration;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>What workers that learn one model together have to agree in, on a real broker.</summary>
public sealed class ScaleOutSettingsTests(KafkaBroker broker)
{
    private const int Rows = 800;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Worker_WithFeaturesInAnotherOrder_EndsAndLeavesTheModelAlone()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        using var fleet = new ScaleOutFleet(ScaleOutFleet.Clouds(broker, topic));
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        fleet.Start("one");
        await fleet["one"].Event("reducer_active");
        Checkpoint first = await Learned(fleet, Rows);

        fleet.StartOther("other", "models.0.features=[b, a]");
        Assert.Equal(ExitCode.Configuration, await fleet["other"].Exit());
        string told = fleet["other"].Output + fleet["other"].Errors;
        Assert.Contains("features: [a, b] -> [b, a]", told, StringComparison.Ordinal);
        Assert.DoesNotContain("state reset", told, StringComparison.Ordinal);

        ClusteredRows.Produce(broker, topic, part: 1, Rows);
        Checkpoint end = await Learned(fleet, 2 * Rows);
        Assert.Equal(first.RunId, end.RunId);
        Assert.Equal(2 * Rows - 2 * ClusteredRows.Malformed(Rows), end.Records);
        Assert.Null(end.History);
        // Nobody who learns has noticed.
        Assert.Single<JsonElement>(fleet["one"].Events("partitions_assigned"));
        CommandRun audit = await CommandRun.Of(
            AuditCommand.Create(), $"kafka://{broker.Address}/{topic}-model?model=clouds", "--statistics", $"{topic}-statistics");
        Assert.True(audit.ExitCode == 0, audit.Error);
        await fleet.StopAsync("one");
    }

    /// <summary>As one worker alone may be: the model goes on, and what it is can be told.</summary>
    [Fact]
    public async Task Worker_StartedAgainWithAnotherStep_GoesOnAndSaysSo()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        using var fleet = new ScaleOutFleet(ScaleOutFleet.Clouds(broker, topic));
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        fleet.Start("one");
        await fleet.HasReducer();
        Checkpoint first = await Learned(fleet, Rows);
        await fleet.StopAsync("one");

        fleet.StartOther("one", "models.0.learning.step_size.kappa=0.9", "models.0.scale_out.in_flight=3");
        await fleet["one"].Event("shared_configuration_differs");
        ClusteredRows.Produce(broker, topic, part: 1, Rows);
        Checkpoint end = await Learned(fleet, 2 * Rows);
        await fleet.StopAsync("one");

        Assert.Equal(first.RunId, end.RunId);
        Assert.Equal(["learning.step_size.kappa: 0.7 -> 0.9", "scale_out.in_flight: 2 -> 3"], end.History!.Select(item => item.Text));
        CommandRun audit = await CommandRun.Of(
            AuditCommand.Create(), $"kafka://{broker.Address}/{topic}-model?model=clouds", "--statistics", $"{topic}-statistics");
        Assert.Equal(ExitCode.DataCorrupt, audit.ExitCode);
        Assert.Contains("was changed while it was learned: learning.step_size.kappa: 0.7 -> 0.9; scale_out.in_flight: 2 -> 3.",
            audit.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model", "delete", "set cleanup.policy=compact, or name another model_topic")]
    [InlineData("model", "compact,delete", "set cleanup.policy=compact, or name another model_topic")]
    [InlineData("statistics", "compact", "set cleanup.policy=delete, or name another statistics_topic")]
    public async Task Topic_ThatWouldForget_IsRefused(string which, string policy, string expected)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        string made = await broker.CreateTopicAsync(1, ("cleanup.policy", policy));

        CommandException refusal = Assert.Throws<CommandException>(
            () => TopicsOf(topic, $"models.0.scale_out.{which}_topic={made}").Prepare(CancellationToken.None));

        Assert.Equal(ExitCode.Configuration, refusal.ExitCode);
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task States_OfWhichNoneCanBeRead_AreNoReasonToBeginAnew()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        string made = await broker.CreateTopicAsync(1, ("cleanup.policy", "compact"));
        ScaleOutTopics topics = TopicsOf(topic, $"models.0.scale_out.model_topic={made}");
        broker.Produce(made, 0, [Written("other/state", "a state of another model"), Written("clouds/state", null)]);
        Assert.Null(topics.ReadNewest(CancellationToken.None));

        // As a later release writes them, and damaged.
        broker.Produce(made, 0, [Written("clouds/state", "no state"), Written("clouds/state", $"SEMB\x02\0{new string(' ', 100)}")]);
        CommandException refusal = Assert.Throws<CommandException>(() => topics.ReadNewest(CancellationToken.None));

        Assert.Equal(ExitCode.DataCorrupt, refusal.ExitCode);
        Assert.Contains("of which none can be read. The last one: It has format version 2; this program reads version 1.", refusal.Message,
            StringComparison.Ordinal);
    }

    /// <summary>What lag tools see: the end of a burst too, whose last states come sooner than the next commit may.</summary>
    [Fact]
    public async Task Offsets_OfTheGroup_AreThoseOfTheModelWhenNothingMoreComesAndWhenAWorkerEnds()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        using var fleet = new ScaleOutFleet(ScaleOutFleet.Clouds(broker, topic));
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        fleet.Start("one");
        await fleet.HasReducer();
        await Learned(fleet, Rows);
        ClusteredRows.Produce(broker, topic, part: 1, Rows);
        Checkpoint burst = await Learned(fleet, 2 * Rows);
        await Eventually.True(() => IsCommitted(topic, burst), "all is committed", Patience);

        ClusteredRows.Produce(broker, topic, part: 2, Rows);
        Checkpoint last = await Learned(fleet, 3 * Rows);
        using (var client = new HttpClient { BaseAddress = await fleet["one"].Address() })
            await Eventually.True(() => client.GetStringAsync("/metrics").GetAwaiter().GetResult().Split('\n').Any(line =>
                line.StartsWith("streamem_source_records_total", StringComparison.Ordinal)
                    && line.EndsWith($" {last.Records}", StringComparison.Ordinal)), "the worker knows the last state", Patience);
        await fleet.StopAsync("one");
        Assert.True(IsCommitted(topic, last));
    }

    private bool IsCommitted(string topic, Checkpoint state)
    {
        ListConsumerGroupOffsetsResult found = Assert.Single(
            broker.Admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(topic, null)]).GetAwaiter().GetResult());
        return found.Partitions.Count == KafkaBroker.MockPartitions && found.Partitions.All(place =>
            state.Position.Partitions[$"{place.Topic}/{place.Partition.Value}"].Next == place.Offset.Value);
    }

    private static Message<byte[]?, byte[]?> Written(string key, string? value) =>
        new() { Key = Encoding.UTF8.GetBytes(key), Value = value is null ? null : Encoding.UTF8.GetBytes(value) };

    private ScaleOutTopics TopicsOf(string topic, string change) =>
        new(Assert.Single(ConfigFile.OptionsOf(ScaleOutFleet.Clouds(broker, topic), [change]).Models), TimeProvider.System);

    private static async Task<Checkpoint> Learned(ScaleOutFleet fleet, int rows)
    {
        var topics = new ScaleOutTopics(fleet.Model, TimeProvider.System);
        Checkpoint? state = null;
        await Eventually.True(
            () => (state = topics.ReadNewest(CancellationToken.None))?.Rejections.Read >= rows, $"{rows} records", Patience);
        return state!;
    }
}
