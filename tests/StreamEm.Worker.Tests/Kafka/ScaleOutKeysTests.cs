using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using StreamEm.Sources;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>The real executable, thrice, with a model for every key, killed where it is in the midst of it.</summary>
public sealed class ScaleOutKeysTests(KafkaBroker broker) : IDisposable
{
    private const int Partitions = KafkaBroker.MockPartitions, Machines = 6, Rows = 1500, MalformedEvery = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task ThreeWorkers_KilledInTurn_LeaveTheStatesOfOneThatReadsAlone()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        string yaml = Configuration(topic);
        await File.WriteAllTextAsync(_directory["streamem.yaml"], yaml);
        ModelOptions model = Assert.Single(ConfigFile.OptionsOf(yaml).Models);
        Produce(topic, 0, Rows / 3);
        using WorkerProcess one = Start("one"), two = Start("two");
        await Task.WhenAny(one.Event("reducer_active"), two.Event("reducer_active")).Unwrap();
        await Learned(model, Rows / 3);
        using WorkerProcess three = Start("three", "-s", "models.0.scale_out.standby=true");
        Produce(topic, Rows / 3, Rows * 2 / 3);
        one.Kill();
        await Learned(model, Rows * 2 / 3);
        await Copied(three);
        two.Kill();
        Produce(topic, Rows * 2 / 3, Rows);
        await Learned(model, Rows);
        JsonElement taken = three.Events("keys_restored")[^1];
        long read = taken.GetProperty("read").GetInt64(), copied = taken.GetProperty("copied").GetInt64();
        Assert.True(copied > 0 && read < copied, $"{read} records read, {copied} copied");

        using (var client = new HttpClient { BaseAddress = await three.Address() })
        {
            JsonElement known = JsonDocument.Parse(await client.GetStringAsync("/v1/models/machines/keys/m3-2")).RootElement;
            Assert.Equal("learning", known.GetProperty("status").GetString());
            using HttpResponseMessage unknown = await client.GetAsync("/v1/models/machines/keys/m9");
            Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
            Assert.Contains($"{topic}/0", await unknown.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            string metrics = await Eventually.Get(async () =>
            {
                string text = await client.GetStringAsync("/metrics");
                string all = $"streamem_keys{{model=\"machines\"}} {Partitions * Machines}";
                return text.Contains(all, StringComparison.Ordinal) ? text : null;
            }, "all keys");
            Assert.Contains("streamem_keys_restored_total{model=\"machines\"}", metrics, StringComparison.Ordinal);
        }

        three.Terminate();
        Assert.True(await three.Exit() == 0, $"{three.Output}\n{three.Errors}");
        AssertStates(model, topic);
        AssertLines(model, topic);
    }

    /// <summary>Every record since the first third has a line, by the p-value that its key's model alone gives.</summary>
    private void AssertLines(ModelOptions model, string topic)
    {
        var found = new Dictionary<(string, long), List<JsonElement>>();
        foreach (string worker in (string[])["one", "two", "three"])
            foreach (string text in File.ReadLines(_directory[$"{worker}.ndjson"]))
            {
                // A line that a kill has cut.
                if (!text.EndsWith('}')) continue;
                JsonElement line = JsonDocument.Parse(text).RootElement;
                (string, long) place = (line.GetProperty("partition").GetString()!, line.GetProperty("offset").GetInt64());
                if (!found.TryGetValue(place, out List<JsonElement>? lines)) found.Add(place, lines = []);
                lines.Add(line);
            }

        for (int partition = 0; partition < Partitions; partition++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{topic}/{partition}");
            using var alone = new KeyedPartition(model, name, Guid.Empty, directory: null);
            alone.Begin(new PartitionPosition(0));
            RecordBatch batch = Batch(model, name, partition);
            for (int row = 0; row < batch.Count; row++)
            {
                alone.Take(new TakenRecords(batch, row, 1, batch.Records));
                long offset = batch.Offset(row);
                if (offset < Rows / 3) continue;
                double pValue = alone.Scores[0].PValue;
                Assert.All(found[(name, offset)], line =>
                {
                    Assert.Equal(batch.Key(row), line.GetProperty("key").GetString());
                    Assert.Equal(double.IsNaN(pValue) ? "all" : "key", line.GetProperty("scored_by").GetString());
                    if (!double.IsNaN(pValue)) Assert.Equal(pValue, line.GetProperty("p_value").GetDouble());
                    Assert.Equal(offset, line.GetProperty("record").GetInt64());
                });
            }
        }
    }

    /// <summary>The topic says all, and the same as somebody who reads each partition alone.</summary>
    private static void AssertStates(ModelOptions model, string source)
    {
        var topics = new ScaleOutTopics(model, TimeProvider.System);
        using var topic = new KafkaTopic(topics.Keys, topics.NewOutage(), CancellationToken.None);
        for (int partition = 0; partition < Partitions; partition++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{source}/{partition}");
            string[] keys = [.. Enumerable.Range(0, Machines).Select(machine => NameOf(partition, machine))];
            using var found = new KeyedPartition(model, name, Guid.Empty, directory: null);
            KeyHistory history = found.ReadHistory();
            topic.ReadToEnd(since: null, record =>
            {
                if (record.Partition.Value == partition)
                    history.Take(record.Offset.Value, record.Message.Key, record.Message.Value);
            });
            found.Restore(history.Finish(), known: 0);
            Assert.Equal(Rows, found.Position);
            using var alone = new KeyedPartition(model, name, Guid.Empty, directory: null);
            alone.Begin(new PartitionPosition(0));
            RecordBatch batch = Batch(model, name, partition);
            alone.Take(new TakenRecords(batch, 0, batch.Count, batch.Records));
            Assert.Equal(alone.States(keys), found.States(keys),
                (one, other) => one.Key == other.Key && one.State.AsSpan().SequenceEqual(other.State));
            Assert.Equal(Machines, found.Counts.Known);
        }
    }

    private static RecordBatch Batch(ModelOptions model, string name, int partition)
    {
        var batch = new RecordBatch(model.Schema, Rows);
        batch.Clear(name, identity: null, 0);
        for (int row = 0; row < Rows; row++)
        {
            if (IsMalformed(row))
            {
                batch.EndOffset = row + 1;
                continue;
            }

            (string key, string value) = RecordAt(partition, row);
            batch.NextRow[0] = double.Parse(value, CultureInfo.InvariantCulture);
            batch.Commit(row + 1, 1, key: batch.Texts.Number(Encoding.UTF8.GetBytes(key)));
        }

        return batch;
    }

    private void Produce(string topic, int from, int to)
    {
        for (int partition = 0; partition < Partitions; partition++)
            broker.Produce(topic, partition, Enumerable.Range(from, to - from).Select(row =>
            {
                (string key, string value) = RecordAt(partition, row);
                return IsMalformed(row) ? "{\"x\":" : $"{{\"machine\":\"{key}\",\"x\":{value}}}";
            }));
    }

    private static bool IsMalformed(int row) => row % MalformedEvery == 7;

    private static string NameOf(int partition, int machine) =>
        string.Create(CultureInfo.InvariantCulture, $"m{partition}-{machine}");

    private static (string Key, string Value) RecordAt(int partition, int row)
    {
        var random = new Random(Rows * partition + row);
        int machine = random.Next(Machines);
        double value = 10 * machine + 3 * random.Next(2) + random.NextDouble();
        return (NameOf(partition, machine), value.ToString("F6", CultureInfo.InvariantCulture));
    }

    private static async Task Learned(ModelOptions model, int rows)
    {
        var topics = new ScaleOutTopics(model, TimeProvider.System);
        await Eventually.True(() => topics.ReadNewest(CancellationToken.None)?.Rejections.Read >= rows * Partitions,
            $"{rows} records of each partition", Patience);
    }

    /// <summary>Until a worker has copied what another has of the keys.</summary>
    private static async Task Copied(WorkerProcess worker)
    {
        using var client = new HttpClient { BaseAddress = await worker.Address() };
        await Eventually.Get(async () =>
        {
            bool isFollowing = worker.Events("keys_standby_following") is [.., var last]
                && last.GetProperty("count").GetInt32() is > 0 and < Partitions;
            string metrics = await client.GetStringAsync("/metrics");
            const string none = "streamem_keys_standby_lag_records{model=\"machines\"} 0\n";
            return isFollowing && metrics.Contains(none, StringComparison.Ordinal) ? metrics : null;
        }, "a copy of the keys of others", Patience);
    }

    private WorkerProcess Start(string name, params string[] arguments) =>
        WorkerProcess.Start(_directory.Path, ["run", "-c", "streamem.yaml", "-s", $"state_directory={_directory[name]}",
            "-s", $"models.0.scores.0.file.path={_directory[$"{name}.ndjson"]}", .. arguments]);

    private string Configuration(string topic) => $$"""
        http: { address: 127.0.0.1:0 }
        models:
          - id: machines
            source: { kafka: { brokers: ["{{broker.Address}}"], topics: [{{topic}}] } }
            features: [x]
            key: machine
            per_key: true
            max_keys: 8
            model: { type: gaussian_mixture, components: 3 }
            learning:
              learn: always
              dead_components: keep
              minibatch: { size: 32 }
              initialization: { buffer: 256, n_init: 1 }
            scale_out:
              statistics_topic: {{topic}}-statistics
              model_topic: {{topic}}-model
              keys_topic: {{topic}}-keys
              keys_every: 100
              session_timeout: 6s
            scores: [{ file: { path: scores.ndjson } }]
            alarms: {}
            rejected: { stop_above_ratio: 0.5 }
        """;
}
