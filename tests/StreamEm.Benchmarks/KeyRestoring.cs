using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Shown;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Benchmarks;

/// <summary>A worker that gets partitions: the models of their keys from the topic, by the worker's own code and a real broker.</summary>
internal sealed class KeyRestoring(Report report, Goals goals, bool quick)
{
    private const int Partitions = 4, Learned = 500, RecordsEach = 300, GoalKeys = 1_000_000, GoalWorkers = 4, GoalSeconds = 60;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        using KafkaTopics? topics = KafkaTopics.Open();
        if (topics is null)
        {
            report.Line();
            report.Line("Models of keys from a topic: skipped, there is no broker. Set KAFKA_HOME or STREAMEM_TEST_BROKER.");
            return;
        }

        report.Table(
            "Many workers: a worker gets the models of keys",
            $"One worker gets {Partitions} partitions; mixtures of one metric and at most 8 components, {RecordsEach} records each; states "
                + "and marks read from the topic, one broker on this machine. Written: by one worker, until acknowledged. Copied, and from "
                + "the copy: by one that stands by.",
            "keys", "bytes a state", "written", "copied", "from the copy", "restored", "keys/s", $"{GoalKeys} over {GoalWorkers} workers");
        byte[][] states = States();
        foreach (int keys in quick ? (int[])[10_000] : [100_000, 250_000]) Measure(topics.Address, states, keys);
    }

    private void Measure(string address, byte[][] states, int keys)
    {
        ModelOptions options = Options(address, keys);
        var topics = new ScaleOutTopics(options, TimeProvider.System);
        topics.PrepareKeys(Partitions, CancellationToken.None);
        double written = Seconds(() => Write(topics, options, states, keys));
        (double copied, double fromCopy) = Restore(
            options with { ScaleOut = options.ScaleOut! with { Standby = true } }, topics, keys);
        (_, double seconds) = Restore(options, topics, keys);
        double goal = seconds / keys * GoalKeys / GoalWorkers;
        report.Row($"{keys}", $"{states.Average(state => state.Length):F0}", $"{written:F1} s", $"{copied:F1} s", $"{fromCopy:F1} s",
            $"{seconds:F1} s", Report.Rate(keys / seconds), $"{goal:F1} s");
        goals.AtMost($"{GoalKeys} models of keys over {GoalWorkers} workers restored, s", goal, GoalSeconds);
    }

    /// <summary>How long it takes to copy all, of one that stands by, and then to have the models.</summary>
    private static (double Copied, double Restored) Restore(ModelOptions options, ScaleOutTopics topics, int keys)
    {
        var metrics = new ModelMetrics();
        var context = new ModelContext(options, metrics, new ShownRecords(options.Schema, TimeProvider.System),
            TimeProvider.System, NullLogger.Instance);
        using var restorer = new KeyRestorer(context, topics, Path.Combine(Path.GetTempPath(), options.Id));
        restorer.Open();
        double copied = options.ScaleOut!.Standby ? Seconds(() => SpinWait.SpinUntil(() => metrics.StandbyLag == 0)) : 0;
        IReadOnlyList<KeyedPartition> parts = [];
        double restored = Seconds(() => parts = restorer.TryRestore(
            [.. Enumerable.Range(0, Partitions).Select(NameOf)], new KeyedParts(keys), () => true, CancellationToken.None)!);
        if (parts.Sum(part => part.Counts.Known) != keys) throw new InvalidOperationException("Not all keys were restored.");
        foreach (KeyedPartition part in parts) restorer.Close(part);
        return (copied, restored);
    }

    private static void Write(ScaleOutTopics topics, ModelOptions options, byte[][] states, int keys)
    {
        var producer = new KafkaProducer(
            topics.Keys, ScaleOutTopics.MaxMessageBytes, isBatched: true, topics.NewOutage(), TimeProvider.System);
        KeyNames[] names = [.. Enumerable.Range(0, Partitions).Select(number => new KeyNames(options.Id, NameOf(number)))];
        for (int key = 0; key < keys; key++)
        {
            byte[] name = names[key % Partitions].Of(string.Create(CultureInfo.InvariantCulture, $"machine-{key:D7}"));
            Send(name, KeyEntry.Encode(name, Guid.Empty, RecordsEach, alarm: [], states[key % states.Length]), key % Partitions);
            if (key % 50_000 == 0) Arrive();
        }

        for (int number = 0; number < Partitions; number++)
            Send(names[number].Mark, new KeyMark
            {
                Tenure = Guid.Empty,
                Known = 0,
                Begin = 0,
                Position = RecordsEach,
                Keys = keys / Partitions,
                Schema = "machine: value",
            }.Encode(names[number].Mark), number);
        Arrive();
        producer.DisposeAsync().AsTask().GetAwaiter().GetResult();

        void Send(byte[] name, byte[] value, int partition) =>
            producer.Send(new Message<byte[]?, byte[]?> { Key = name, Value = value }, partition: partition);
        void Arrive() => producer.WaitAsync(producer.TakeDelivery(), CancellationToken.None).GetAwaiter().GetResult();
    }

    /// <summary>States as machines of all kinds have them.</summary>
    private static byte[][] States()
    {
        ModelOptions options = Options("none:9092", Learned);
        using var part = new KeyedPartition(options, NameOf(0), Guid.Empty, directory: null);
        part.Begin(new PartitionPosition(0));
        var batch = new RecordBatch(options.Schema, Learned);
        var random = new Random(1);
        for (int round = 0; round < RecordsEach; round++)
        {
            batch.Clear(NameOf(0), identity: null, (long)round * Learned);
            for (int key = 0; key < Learned; key++)
            {
                double noise = random.NextDouble() - random.NextDouble();
                batch.NextRow[0] = key + (key % 3 == 0 ? 40 * random.Next(2) : 0) + (1 + key % 7) * noise;
                batch.Commit((long)round * Learned + key + 1, 1, key: batch.Texts.Number(Encoding.UTF8.GetBytes($"{key}")));
            }

            part.Take(new TakenRecords(batch, 0, batch.Count, batch.Records));
        }

        return [.. part.States(Enumerable.Range(0, Learned).Select(key => $"{key}")).Select(one => one.State)];
    }

    private static ModelOptions Options(string address, int keys) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"machines-{keys}-{Environment.ProcessId}"),
        Source = new KafkaSourceOptions { Brokers = address.Split(','), Topics = ["machines"] },
        Schema = new RecordSchema { Features = ["value"], Key = "machine" },
        Model = ModelCatalog.MixtureOf(new GaussianOptions(), components: 8),
        Learning = new() { Learn = Core.Learning.LearnMode.Always, DeadComponents = Core.Learning.DeadComponents.Keep },
        PerKey = true,
        MaxKeys = keys,
        ScaleOut = new ScaleOutOptions { StatisticsTopic = "statistics", ModelTopic = "model" },
        ConfigHash = "sha256:bench",
    };

    private static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"machines/{number}");

    private static double Seconds(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
