using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Tests.Commands;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Workers that learn one model together are replaced one after the other.</summary>
public sealed class RollingRestartTests(KafkaBroker broker)
{
    private const int Partitions = KafkaBroker.MockPartitions, PartRows = 800;

    /// <summary>
    /// Whoever does not leave in order keeps its partitions, and its place as the one that folds, for a session, which here is longer than
    /// is waited for anything.
    /// </summary>
    private const string Session = "300s";

    [Fact]
    public async Task Workers_RestartedOneByOneWhileRecordsCome_NeverWaitForASessionToEnd()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        using var fleet = new ScaleOutFleet(ScaleOutFleet.Clouds(broker, topic, Session));
        string[] names = ["one", "two", "three"];
        fleet.Start(names);
        await fleet.HasReducer();
        await using var watch = new ModelWatch(fleet.Model);
        using var over = new CancellationTokenSource();
        Task<int> producing = ProduceAsync(topic, watch, over.Token);

        await watch.Until(PartRows);
        foreach (string name in names)
        {
            long version = watch.Version;
            await fleet.StopAsync(name);
            // What was there when it was gone, and records that came after, are learned by the others.
            await watch.Until(watch.Written + PartRows);
            Assert.True(watch.Version > version);
            fleet.Start(name);
            await fleet[name].Event("partitions_assigned");
        }

        await over.CancelAsync();
        int rows = await producing;
        Checkpoint end = await watch.Until(rows);

        Assert.Equal(rows, end.Rejections.Read);
        Assert.Equal(rows - rows / PartRows * ClusteredRows.Malformed(PartRows), end.Records);
        Assert.Equal(Partitions, end.Position.Partitions.Count);
        Assert.All(end.Position.Partitions.Values, place => Assert.Equal(rows / Partitions, place.Next));
        CommandRun audit = await CommandRun.Of(
            AuditCommand.Create(), $"kafka://{broker.Address}/{topic}-model?model=clouds", "--statistics", $"{topic}-statistics");
        Assert.True(audit.ExitCode == 0, audit.Error);
    }

    /// <summary>Writes on, never far ahead of the model, until it is over.</summary>
    /// <returns>Records written.</returns>
    private async Task<int> ProduceAsync(string topic, ModelWatch watch, CancellationToken over)
    {
        int parts = 0;
        while (!over.IsCancellationRequested)
        {
            ClusteredRows.Produce(broker, topic, parts++, PartRows);
            watch.Written = parts * PartRows;
            await watch.Until(watch.Written - PartRows);
        }

        return parts * PartRows;
    }
}
