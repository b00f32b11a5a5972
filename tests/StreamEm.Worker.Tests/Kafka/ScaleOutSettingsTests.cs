using System.Text.Json;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Commands;

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

    private static async Task<Checkpoint> Learned(ScaleOutFleet fleet, int rows)
    {
        var topics = new ScaleOutTopics(fleet.Model, TimeProvider.System);
        Checkpoint? state = null;
        await Eventually.True(
            () => (state = topics.ReadNewest(CancellationToken.None))?.Rejections.Read >= rows, $"{rows} records", Patience);
        return state!;
    }
}
