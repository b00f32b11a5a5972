using System.Net.Http.Json;
using System.Text.Json;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>The real executable, twice, learning one model from one topic.</summary>
public sealed class ScaleOutTests(KafkaBroker broker)
{
    private const int Partitions = KafkaBroker.MockPartitions, Rows = 6400;
    private const string Session = "6s";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task TwoWorkers_OneKilled_TheOtherLearnsEveryRecordOnce(string transactions)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        using var fleet = new ScaleOutFleet(ScaleOutFleet.Clouds(broker, topic, Session, transactions));
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        fleet.Start("one", "two");
        WorkerProcess one = fleet["one"], two = fleet["two"];
        JsonElement active = await Task.WhenAny(one.Event("reducer_active"), two.Event("reducer_active")).Unwrap();
        Assert.Equal("clouds", active.GetProperty("model").GetString());
        Checkpoint first = await Learned(fleet.Model, Rows);
        await AreTold(topic, first, one, two);

        // The one that folds is killed, with minibatches under way.
        (string folds, string other) = one.Output.Contains("reducer_active", StringComparison.Ordinal) ? ("one", "two") : ("two", "one");
        ClusteredRows.Produce(broker, topic, part: 1, Rows);
        await fleet.KillAsync(folds);
        ClusteredRows.Produce(broker, topic, part: 2, Rows);
        Checkpoint end = await Learned(fleet.Model, 3 * Rows);

        Assert.Equal(first.RunId, end.RunId);
        await IsEveryRecordOnce(topic, end, parts: 3);
        using (var client = new HttpClient { BaseAddress = await fleet[other].Address() })
        {
            string metrics = await client.GetStringAsync("/metrics");
            Assert.Contains("streamem_reducer_active{model=\"clouds\"} 1", metrics, StringComparison.Ordinal);
            Assert.Contains($"streamem_assigned_partitions{{model=\"clouds\"}} {Partitions}", metrics, StringComparison.Ordinal);
            Assert.Contains("streamem_stats_messages_total{model=\"clouds\",result=\"accepted\"}", metrics, StringComparison.Ordinal);
        }

        await fleet.StopAsync(other);
    }

    /// <summary>Frozen beyond its session, so that another has its partitions and folds; then it goes on as if nothing was.</summary>
    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task TwoWorkers_OneFrozenBeyondItsSession_EveryRecordCountsOnce(string transactions)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        using var fleet = new ScaleOutFleet(ScaleOutFleet.Clouds(broker, topic, Session, transactions));
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        fleet.Start("frozen");
        await fleet["frozen"].Event("reducer_active");
        await Learned(fleet.Model, Rows / 2);
        fleet.Start("other");
        await fleet["other"].Address();

        fleet["frozen"].Signal("STOP");
        ClusteredRows.Produce(broker, topic, part: 1, Rows);
        await fleet["other"].Event("reducer_active");
        await Learned(fleet.Model, 2 * Rows);
        fleet["frozen"].Signal("CONT");
        ClusteredRows.Produce(broker, topic, part: 2, Rows);

        await IsEveryRecordOnce(topic, await Learned(fleet.Model, 3 * Rows), parts: 3);
        foreach (string name in fleet.Names.ToArray()) await fleet.StopAsync(name);
    }

    /// <summary>Each of them says who works on what, who folds, and that nothing is left.</summary>
    private static async Task AreTold(string topic, Checkpoint state, params WorkerProcess[] workers)
    {
        string[] partitions = [.. Enumerable.Range(0, Partitions).Select(number => $"{topic}/{number}")];
        var names = new List<string>();
        foreach (WorkerProcess worker in workers)
        {
            using var client = new HttpClient { BaseAddress = await worker.Address() };
            JsonElement work = default;
            await Eventually.True(() =>
            {
                work = client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/workers").GetAwaiter().GetResult();
                return work.GetProperty("lag").GetInt64() == 0
                    && work.GetProperty("workers").EnumerateArray().All(one => one.GetProperty("partitions").GetArrayLength() > 0);
            }, "every worker works, and nothing is left", Patience);
            JsonElement[] told = [.. work.GetProperty("workers").EnumerateArray()];
            Assert.Equal(workers.Length, told.Length);
            Assert.Single(told, one => one.GetProperty("folds").GetBoolean());
            Assert.Equal(partitions, told.SelectMany(one => one.GetProperty("partitions").EnumerateArray()).Select(one => one.GetString())
                .Order(StringComparer.Ordinal));
            Assert.All(work.GetProperty("partitions").EnumerateArray(), part =>
            {
                string name = part.GetProperty("partition").GetString()!;
                Assert.Equal(state.Position.Partitions[name].Next, part.GetProperty("position").GetInt64());
                Assert.Contains(name, told.Single(one => one.GetProperty("worker").GetString() == part.GetProperty("worker").GetString())
                    .GetProperty("partitions").EnumerateArray().Select(one => one.GetString()));
            });
            names.Add(work.GetProperty("this_worker").GetString()!);
            JsonElement own = (await client.GetFromJsonAsync<JsonElement>("/v1/models"))[0];
            JsonElement mine = told.Single(one => one.GetProperty("worker").GetString() == names[^1]);
            Assert.Equal(mine.GetProperty("folds").GetBoolean(), own.GetProperty("scale_out").GetProperty("folds").GetBoolean());
            Assert.Equal(0, own.GetProperty("source_lag").GetInt64());
        }

        Assert.Distinct(names);
    }

    private async Task IsEveryRecordOnce(string topic, Checkpoint end, int parts)
    {
        Assert.Equal(parts * ClusteredRows.Malformed(Rows), end.Rejections.ByReason.Sum());
        Assert.Equal((long)parts * Rows - parts * ClusteredRows.Malformed(Rows), end.Records);
        Assert.Equal(Partitions, end.Position.Partitions.Count);
        Assert.All(end.Position.Partitions.Values, place => Assert.Equal(parts * Rows / Partitions, place.Next));
        CommandRun audit = await CommandRun.Of(
            AuditCommand.Create(), $"kafka://{broker.Address}/{topic}-model?model=clouds", "--statistics", $"{topic}-statistics");
        Assert.True(audit.ExitCode == 0, audit.Error);
    }

    private async Task<Checkpoint> Learned(ModelOptions model, int rows)
    {
        var topics = new ScaleOutTopics(model, TimeProvider.System);
        Checkpoint? state = null;
        await Eventually.True(
            () => (state = topics.ReadNewest(CancellationToken.None))?.Rejections.Read >= rows, $"{rows} records", Patience);
        return state!;
    }
}
