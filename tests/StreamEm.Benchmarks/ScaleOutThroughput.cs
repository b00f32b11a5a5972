using System.Globalization;
using System.Text.Json;
using Confluent.Kafka;
using StreamEm.Sources.Decoding;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Benchmarks;

/// <summary>
/// Records a second of one, two and four workers on a real broker, all on one core and each with the same small share of it, so that they
/// and not the cores of this machine are what bounds it; the same with transactions; and how long the broker takes for a message.
/// </summary>
internal sealed class ScaleOutThroughput(Report report, Goals goals, bool quick)
{
    private const int Dimension = 16, Components = 1024, Minibatch = 16_384, Partitions = 8, SnapshotEvery = 64;

    /// <summary>Four of them leave a fifth of the core to what the system does for them.</summary>
    private const double Share = 0.2;

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    private readonly int _records = quick ? 4_000_000 : 9_000_000;

    /// <summary>
    /// Up to sixteen minibatches are under way at its beginning and at its end, of two or three a second where one or two workers are.
    /// </summary>
    private readonly TimeSpan _window = TimeSpan.FromSeconds(quick ? 8 : 45);

    private readonly TimeSpan _settle = TimeSpan.FromSeconds(3);

    /// <summary>CPU time of a worker, once it is at work, after which all it runs is compiled.</summary>
    private readonly double _warm = quick ? 2 : 3;

    private readonly SyntheticMixture _mixture = new(Dimension, Components);

    /// <summary>Writes the tables.</summary>
    public void Run()
    {
        using KafkaTopics? topics = KafkaTopics.Open();
        string? problem = topics is null
            ? "there is no broker; set KAFKA_HOME to an Apache Kafka or STREAMEM_TEST_BROKER to a running one" : null;
        string means = "";
        if (problem is null)
            using (CpuQuota? trial = CpuQuota.TryCreate("trial", out problem)) means = trial?.Means ?? "";
        if (problem is not null)
        {
            report.Line();
            report.Line($"Many workers on a broker: skipped, {problem}.");
            return;
        }

        Latencies(topics!);
        report.Table(
            "Many workers: on a broker",
            string.Create(CultureInfo.InvariantCulture,
                $"Variances only (diag), D = {Dimension}, K = {Components}, minibatches of {Minibatch}, {Partitions} partitions, a ")
                + string.Create(CultureInfo.InvariantCulture, $"snapshot in {SnapshotEvery} updates; each worker a process with ")
                + string.Create(CultureInfo.InvariantCulture, $"{Share:P0} of one core ({means}), all of them on the same one, measured ")
                + "once all are at work and their code is compiled. One of them folds as well. Records a second of wall time that are in "
                + "the model; CPU of all workers, for a record and as part of what they may have. E-step: CPU time of one alone on the "
                + "same core at the same time, a record. Rates are compared by records in the time of an E-step, as a core that is "
                + "shared with others is not worth the same at all times.",
            "workers", "transactions", "records/s", "CPU, us a record", "of their share", "E-step, us a record", "rate of each to one's",
            "to the rate without transactions");
        (string topic, _) = topics!.Fill(RecordFormat.Float64, Partitions, _records, _mixture);
        using (var probe = new CoreProbe(_mixture))
        {
            var plain = new Dictionary<int, double>();
            foreach (int workers in (int[])[1, 2, 4])
                plain[workers] = Row(topics.Address, topic, workers, plain.GetValueOrDefault(1), 0, probe);
            double alone = Row(topics.Address, topic, 1, 0, plain[1], probe);
            Row(topics.Address, topic, 4, alone, plain[4], probe);
        }

        topics.Delete(topic);
    }

    /// <summary>Measures and writes a row: with transactions where a rate without is given.</summary>
    /// <returns>Records in the time that the E-step of one takes.</returns>
    private double Row(string address, string topic, int workers, double alone, double plain, CoreProbe probe)
    {
        (double rate, double cpu, double step) = Measure(address, topic, workers, plain > 0, probe);
        double steps = rate * step, each = alone > 0 ? steps / alone / workers : 1;
        report.Row(
            $"{workers}", plain > 0 ? "on" : "off", Report.Rate(rate), $"{cpu * 1e6:F1}", $"{rate * cpu / workers / Share:P0}",
            $"{step * 1e6:F1}", $"{each:F2}", plain > 0 ? $"{steps / plain:F2}" : "");
        if (workers > 1 && plain == 0) goals.AtLeast($"{workers} workers on a broker, rate of each against one alone", each, 0.9);
        return steps;
    }

    private void Latencies(KafkaTopics topics)
    {
        report.Table(
            "Many workers: what the broker takes",
            "One message at a time, acknowledged by all in-sync replicas (there is one), not compressed; medians, ms of wall time.",
            "bytes", "acknowledged", "read");
        (string topic, _) = topics.Fill(RecordFormat.Float64, partitions: 1, records: 1);
        var config = new ProducerConfig { BootstrapServers = topics.Address, LingerMs = 0, Acks = Acks.All, EnableIdempotence = true };
        using IProducer<Null, byte[]> producer = new ProducerBuilder<Null, byte[]>(config).SetLogHandler((_, _) => { }).Build();
        using IConsumer<Ignore, byte[]> consumer = new ConsumerBuilder<Ignore, byte[]>(
            new ConsumerConfig { BootstrapServers = topics.Address, GroupId = "latency", EnableAutoCommit = false })
            .SetLogHandler((_, _) => { }).Build();
        consumer.Assign(new TopicPartitionOffset(topic, 0, 1));
        foreach (int bytes in (int[])[4_500, 145_000, 900_000])
        {
            var written = new List<double>();
            var read = new List<double>();
            for (int round = 0; round < 60; round++)
            {
                double start = Clock.Wall();
                Task<DeliveryResult<Null, byte[]>> delivery = producer.ProduceAsync(
                    topic, new Message<Null, byte[]> { Value = new byte[bytes] });
                double acknowledged = delivery.ContinueWith(_ => Clock.Wall(), TaskContinuationOptions.ExecuteSynchronously)
                    .GetAwaiter().GetResult();
                delivery.GetAwaiter().GetResult();
                if (consumer.Consume(10_000) is null) throw new InvalidOperationException("A message that was written cannot be read.");
                written.Add(acknowledged - start);
                read.Add(Clock.Wall() - start);
            }

            report.Row($"{bytes}", Median(written), Median(read));
        }

        consumer.Close();
        topics.Delete(topic);

        static string Median(List<double> seconds)
        {
            seconds.Sort();
            return $"{seconds[seconds.Count / 2] * 1e3:F2}";
        }
    }

    /// <summary>Records a second of so many workers, CPU seconds a record, and those of the E-step alone meanwhile.</summary>
    private (double Rate, double Cpu, double Step) Measure(
        string address, string topic, int count, bool isTransactional, CoreProbe probe)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("streamem-scale-");
        var workers = new List<LimitedWorker>();
        try
        {
            string start = Path.Combine(folder.FullName, "start.json");
            File.WriteAllText(start, Start());
            string configuration = Configuration(address, topic, $"{topic}-{count}{(isTransactional ? "-t" : "")}", isTransactional, start);
            File.WriteAllText(Path.Combine(folder.FullName, "streamem.yaml"), configuration);
            for (int at = 0; at < count; at++) workers.Add(new LimitedWorker(folder.FullName, at));
            // All have their partitions, and code that is compiled, before any is held back.
            while (workers.Any(worker => worker.Metric("streamem_assigned_partitions") != Partitions / count)) workers[0].Watch(Between);
            double[] begun = [.. workers.Select(worker => worker.Cpu)];
            while (workers.Where((worker, at) => worker.Cpu - begun[at] < _warm).Any()) workers[0].Watch(Between);
            foreach (LimitedWorker worker in workers) worker.Quota.Limit(Share);
            workers[0].Watch(_settle);
            CoreProbe.Taken before = probe.Now;
            (double rate, double cpu) = Watched(
                configuration, () => workers.Sum(worker => worker.Cpu), () => workers[0].Watch(_window));
            return (rate, cpu, probe.Now.Since(before));
        }
        finally
        {
            foreach (LimitedWorker worker in workers) worker.Dispose();
            folder.Delete(recursive: true);
        }
    }

    /// <summary>
    /// From the moment of a version to that of one after a while: minibatches are too large for any others. The model is followed from
    /// here, as asking a worker would take from its share.
    /// </summary>
    private (double Rate, double Cpu) Watched(string configuration, Func<double> cpu, Action wait)
    {
        ModelOptions model = ConfigurationLoader.LoadText(configuration, [], []).Options!.Models[0];
        using var feed = new SnapshotFeed();
        using var stop = new CancellationTokenSource();
        var follower = new ModelFollower(new ScaleOutTopics(model, TimeProvider.System), feed, TimeProvider.System);
        Task following = Task.Factory.StartNew(
            () => follower.Run(stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (follower.Newest is null) follower.Changed.Wait(Between);
        (double At, long Records, double Cpu) first = NextVersion();
        wait();
        (double At, long Records, double Cpu) last = NextVersion();
        stop.Cancel();
        following.GetAwaiter().GetResult();
        if (last.Records > 0.95 * _records) throw new InvalidOperationException("The topic is too short for this machine.");
        long records = last.Records - first.Records;
        return (records / (last.At - first.At), (last.Cpu - first.Cpu) / records);

        (double At, long Records, double Cpu) NextVersion()
        {
            long before = follower.Newest!.Rejections.Read;
            while (follower.Newest.Rejections.Read == before) follower.Changed.Wait(Between);
            return (Clock.Wall(), follower.Newest.Rejections.Read, cpu());
        }
    }

    /// <summary>Where all begin, so that no records are needed to find it and every E-step has the same to do.</summary>
    private string Start() => JsonSerializer.Serialize(new
    {
        parameters = new
        {
            weights = _mixture.Weights,
            means = Rows(_mixture.Means),
            covariances = Rows(_mixture.Parameters(full: false)[(Components * (1 + Dimension))..]),
        },
    });

    private static double[][] Rows(double[] values) => [.. values.Chunk(Dimension)];

    private static string Configuration(string address, string topic, string name, bool isTransactional, string start) =>
        string.Create(CultureInfo.InvariantCulture, $$"""
        http: { address: 127.0.0.1:0 }
        models:
          - id: scaled
            source:
              kafka:
                brokers: ["{{address}}"]
                topics: [{{topic}}]
                format: float64
                # Else clients fill their queues, as fast as they get a share, for longer than is measured.
                properties: { queued.min.messages: "32768" }
            features: [{{string.Join(", ", Enumerable.Range(0, Dimension).Select(d => $"x{d}"))}}]
            model: { type: gaussian_mixture, components: {{Components}}, covariance_type: diag }
            learning:
              learn: always
              dead_components: keep
              minibatch: { size: {{Minibatch}} }
              initialization: { from: {{start}} }
            scale_out:
              statistics_topic: {{name}}-statistics
              model_topic: {{name}}-model
              group_id: {{name}}
              snapshot_every_updates: {{SnapshotEvery}}
              transactions: {{(isTransactional ? "on" : "off")}}
        """);
}
