using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Benchmarks;

/// <summary>
/// Records per second from a real broker to an updated model through the worker's whole pipeline (positions, checkpoints and all), beside a
/// loop that does nothing but take the same topic's messages from the same client.
/// </summary>
internal sealed class KafkaThroughput(Report report, Goals goals, bool quick)
{
    /// <summary>Features of a record.</summary>
    public const int Dimension = 8;

    /// <summary>Components of the model.</summary>
    public const int Components = 8;

    private const int Minibatch = 1024;
    private const int Samples = 3;

    /// <summary>The profile is taken between these quarters of the topic: after the start, while every thread still runs.</summary>
    private const int ProfiledFrom = 1, ProfiledTo = 3;

    private static readonly string[] Stages = ["network", "poll", "decode", "learn", "GC", "checkpoint", "other"];

    private readonly int _records = quick ? 1_000_000 : 5_000_000;

    /// <summary>Writes the tables.</summary>
    public void Run()
    {
        using KafkaTopics? topics = KafkaTopics.Open();
        if (topics is null)
        {
            report.Line();
            report.Line(
                "Kafka: skipped, there is no broker. Set KAFKA_HOME to an Apache Kafka or STREAMEM_TEST_BROKER to a running broker.");
            return;
        }

        report.Table(
            "Kafka",
            $"{_records} records, D = {Dimension}, on one broker on this machine; records per second of wall time, medians of {Samples}, "
                + "turn about. Bare loop: Confluent.Kafka's Consume, values as byte[], nothing " +
            "done with them, with the queue sizes of StreamEM's own client (and, once, with the client's defaults). StreamEM: the "
                + $"worker's pipeline from the topic to the updated model (full covariance, K = {Components}, minibatches of {Minibatch}), "
                + "checkpoints included. Resident memory after 1/4, 1/2, 3/4 and all of the topic.",
            "format", "partitions", "bytes a record", "bare, defaults", "bare loop", "StreamEM", "x bare", "resident, MB");
        var profiles = new List<string[]>();
        foreach (RecordFormat format in (RecordFormat[])[RecordFormat.Float64, RecordFormat.Ndjson])
            foreach (int partitions in (int[])[1, 8]) profiles.AddRange(Measure(topics, format, partitions));

        report.Table(
            "Kafka, where the time goes",
            "The second and third quarter of the topic. Nanoseconds of CPU per record of every stage (each has a thread of its own; the "
                + "bare loop polls on the main thread, which is under other), and its share of the wall time; cores idle: of the time of "
                + "all cores, the broker's work included. " +
            "A stage near 100 %, or cores that are never idle, are what a run is bound by; a run that waits has neither.",
            ["format", "partitions", "run", "wall", .. Stages, "cores idle"]);
        foreach (string[] profile in profiles) report.Row(profile);
    }

    private string[][] Measure(KafkaTopics topics, RecordFormat format, int partitions)
    {
        (string topic, long bytes) = topics.Fill(format, partitions, _records);
        double untuned = _records / Consume(topics.Address, topic, partitions, isTuned: false).Seconds;
        var bare = new List<Measured>();
        var runs = new List<Measured>();
        for (int sample = 0; sample < Samples; sample++)
        {
            bare.Add(Consume(topics.Address, topic, partitions, isTuned: true));
            runs.Add(Learn(topics.Address, topic, format));
        }

        topics.Delete(topic);
        bare.Sort((one, other) => one.Seconds.CompareTo(other.Seconds));
        runs.Sort((one, other) => one.Seconds.CompareTo(other.Seconds));
        Measured loop = bare[Samples / 2];
        double theirs = _records / loop.Seconds;
        Measured run = runs[Samples / 2];
        double ours = _records / run.Seconds;
        string name = format == RecordFormat.Float64 ? "float64" : "ndjson";
        report.Row(name, $"{partitions}", $"{bytes / _records}", Report.Rate(untuned), Report.Rate(theirs), Report.Rate(ours),
            $"{ours / theirs:F2}", string.Join(" ", run.Resident.Select(b => $"{b >> 20}")));
        if (format == RecordFormat.Float64)
            goals.AtLeast($"Kafka {name}, {partitions} partition(s), against the bare loop", ours / theirs, 0.8);
        return
        [
            [name, $"{partitions}", "bare loop", .. Cells(loop.Profile)],
            [name, $"{partitions}", "StreamEM", .. Cells(run.Profile)],
        ];
    }

    private string[] Cells(Profile profile)
    {
        double records = (double)_records * (ProfiledTo - ProfiledFrom) / 4;
        return
        [
            $"{profile.Seconds / records * 1e9:F0}",
            .. Stages.Select(stage =>
                $"{profile.Stages.GetValueOrDefault(stage) / records * 1e9:F0} "
                    + $"({profile.Stages.GetValueOrDefault(stage) / profile.Seconds:P0})"),
            $"{profile.Idle:P0}",
        ];
    }

    /// <summary>Takes all messages.</summary>
    private Measured Consume(string address, string topic, int partitions, bool isTuned)
    {
        var config = new ConsumerConfig { BootstrapServers = address, GroupId = "bench", EnableAutoCommit = false };
        if (isTuned) (config.QueuedMinMessages, config.FetchQueueBackoffMs) = (1_000_000, 5);
        using IConsumer<Ignore, byte[]> consumer = new ConsumerBuilder<Ignore, byte[]>(config).SetLogHandler((_, _) => { }).Build();
        ThreadTimes? times = null;
        Profile? profile = null;
        double start = Clock.Wall();
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        for (int taken = 0; taken < _records;)
        {
            if (consumer.Consume(1000) is null) continue;
            taken++;
            if (taken == (long)_records * ProfiledFrom / 4) times = new ThreadTimes();
            else if (taken == (long)_records * ProfiledTo / 4) profile = times!.Elapsed();
        }

        double seconds = Clock.Wall() - start;
        consumer.Close();
        return new Measured(seconds, profile!, []);
    }

    private Measured Learn(string address, string topic, RecordFormat format)
    {
        DirectoryInfo state = Directory.CreateTempSubdirectory("streamem-bench-");
        var options = new ModelOptions
        {
            Id = "bench",
            Source = new KafkaSourceOptions { Brokers = [address], Topics = [topic], Format = format },
            Schema = new RecordSchema { Features = [.. Enumerable.Range(0, Dimension).Select(d => $"x{d}")] },
            Model = ModelCatalog.MixtureOf(new GaussianOptions(), Components),
            Learning = new LearningOptions { MinibatchSize = Minibatch },
        };
        var pipeline = new ModelPipeline(options, new PipelineEnvironment
        {
            StateDirectory = state.FullName,
            OpenSource = (model, position) => SourceCatalog.Create(
                model.Source, new SourceContext(model.Schema, position, TimeProvider.System) { MinibatchSize = Minibatch, Once = true }),
            CreatePublisher = (_, _) => throw new InvalidOperationException("Nothing is published."),
            Time = TimeProvider.System,
            Log = NullLogger.Instance,
        });
        ThreadTimes? times = null;
        Profile? profile = null;
        double start = Clock.Wall();
        pipeline.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        var resident = new List<long>();
        for (int quarter = 1; quarter <= 4; quarter++)
        {
            while (pipeline.Metrics.Records < quarter * (long)_records / 4 && !pipeline.Completion.Wait(5)) { }
            resident.Add(Environment.WorkingSet);
            if (quarter == ProfiledFrom) times = new ThreadTimes();
            else if (quarter == ProfiledTo) profile = times!.Elapsed();
        }

        PipelineEnd end = pipeline.Completion.GetAwaiter().GetResult();
        double seconds = Clock.Wall() - start;
        if (end.State != ModelState.Finished || pipeline.Metrics.Records != _records)
            throw new InvalidOperationException($"The pipeline ended {end.State} after {pipeline.Metrics.Records} records: {end.Failure}");
        pipeline.DisposeAsync().AsTask().GetAwaiter().GetResult();
        state.Delete(recursive: true);
        return new Measured(seconds, profile!, resident);
    }

    /// <summary>What a run took.</summary>
    private sealed record Measured(double Seconds, Profile Profile, IReadOnlyList<long> Resident);
}
