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

    /// <summary>Every so many keys one is compared with what was written.</summary>
    private const int Compared = 997;

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
            "Many workers: workers get the models of keys",
            $"Workers get {Partitions} partitions together, all at once and on this machine, with the broker; mixtures of one metric and "
                + $"at most 8 components, {RecordsEach} records each; states and marks read from the topic, wall time until the last "
                + "worker has its own. Written: by one worker, until acknowledged. What is over max_keys of a worker goes to its disk. "
                + "Copied: by workers that stand by, before they get the partitions.",
            "keys", "workers", "max_keys", "bytes a state", "written", "copied", "restored", "keys/s", "CPU, us a key");
        byte[][] states = States();
        // What is compiled on the way is not measured.
        int few = quick ? 10_000 : 100_000, many = quick ? 40_000 : GoalKeys;
        Measure(topics.Address, states, few, (1, few, false), (1, few, true));
        Measure(topics.Address, states, many, (GoalWorkers, many, false), (GoalWorkers, many / 10, false), (1, many, false));
    }

    private void Measure(string address, byte[][] states, int keys, params (int Workers, int MaxKeys, bool StandsBy)[] restored)
    {
        ModelOptions options = Options(address, keys);
        var topics = new ScaleOutTopics(options, TimeProvider.System);
        topics.PrepareKeys(Partitions, CancellationToken.None);
        double written = Seconds(() => Write(topics, options, states, keys));
        foreach ((int workers, int maxKeys, bool standsBy) in restored)
        {
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            ModelOptions own = options with { ScaleOut = options.ScaleOut! with { Standby = standsBy } };
            (double copied, double seconds) = Restore(own, states, keys, workers, maxKeys);
            double each = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / keys;
            report.Row(
                $"{keys}", $"{workers}", $"{maxKeys}", $"{states.Average(state => state.Length):F0}", $"{written:F1} s",
                standsBy ? $"{copied:F1} s" : "", $"{seconds:F1} s", Report.Rate(keys / seconds), $"{each * 1e6:F1}");
            if (keys == GoalKeys && workers == GoalWorkers)
                goals.AtMost($"{keys} models of keys over {workers} workers restored, max_keys {maxKeys}, s", seconds, GoalSeconds);
        }
    }

    /// <summary>Seconds until all have copied what those that stand by copy, and then until all have theirs.</summary>
    private static (double Copied, double Restored) Restore(ModelOptions options, byte[][] states, int keys, int workers, int maxKeys)
    {
        string folder = Path.Combine(Path.GetTempPath(), options.Id);
        Getting[] all = [.. Enumerable.Range(0, Partitions).Select(NameOf).Chunk(Partitions / workers).Select((own, worker) =>
            new Getting(options, own, maxKeys / own.Length, Path.Combine(folder, $"{worker}")))];
        double copied = Together(all, one => one.Copy()), seconds = Together(all, one => one.Get());
        KeyedPartition[] parts = [.. all.SelectMany(worker => worker.Parts)];
        if (parts.Sum(part => part.Counts.Known) != keys) throw new InvalidOperationException("Not all keys were restored.");
        for (int key = 0; key < keys; key += Compared)
            if (!parts[key % Partitions].States([KeyOf(key)]).Single().State.AsSpan().SequenceEqual(states[key % states.Length]))
                throw new InvalidOperationException("A key has not the state that was written.");
        foreach (Getting worker in all) worker.Dispose();
        return (copied, seconds);
    }

    private static double Together(Getting[] all, Action<Getting> act) => Seconds(() => Task.WhenAll(all.Select(one =>
        Task.Factory.StartNew(() => act(one), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)))
            .GetAwaiter().GetResult());

    private static void Write(ScaleOutTopics topics, ModelOptions options, byte[][] states, int keys)
    {
        var producer = new KafkaProducer(
            topics.Keys, ScaleOutTopics.MaxMessageBytes, isBatched: true, topics.NewOutage(), TimeProvider.System);
        KeyNames[] names = [.. Enumerable.Range(0, Partitions).Select(number => new KeyNames(options.Id, NameOf(number)))];
        for (int key = 0; key < keys; key++)
        {
            byte[] name = names[key % Partitions].Of(KeyOf(key));
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

    private static string KeyOf(int key) => string.Create(CultureInfo.InvariantCulture, $"machine-{key:D7}");

    private static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"machines/{number}");

    private static double Seconds(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>A worker that gets partitions.</summary>
    private sealed class Getting : IDisposable
    {
        private readonly ModelMetrics _metrics = new();
        private readonly KeyRestorer _restorer;
        private readonly string[] _partitions;
        private readonly int _maxKeys;
        private readonly bool _standsBy;

        public Getting(ModelOptions options, string[] partitions, int maxKeys, string folder)
        {
            (_partitions, _maxKeys, _standsBy) = (partitions, maxKeys, options.ScaleOut!.Standby);
            var context = new ModelContext(
                options, _metrics, new ShownRecords(options.Schema, TimeProvider.System), TimeProvider.System, NullLogger.Instance);
            _restorer = new KeyRestorer(context, new ScaleOutTopics(options, TimeProvider.System), folder);
        }

        public IReadOnlyList<KeyedPartition> Parts { get; private set; } = [];

        public void Copy()
        {
            _restorer.Open();
            if (_standsBy) SpinWait.SpinUntil(() => _metrics.StandbyLag == 0);
        }

        public void Get() => Parts = _restorer.TryRestore(_partitions, new KeyedParts(_maxKeys), () => true, CancellationToken.None)!;

        public void Dispose()
        {
            foreach (KeyedPartition part in Parts) _restorer.Close(part);
            _restorer.Dispose();
        }
    }
}
