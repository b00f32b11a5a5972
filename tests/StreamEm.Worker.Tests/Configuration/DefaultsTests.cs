using StreamEm.Core.Catalog;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Schedules;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Api;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Rejections;

namespace StreamEm.Worker.Tests.Configuration;

public sealed class DefaultsTests
{
    [Fact]
    public void WhatIsLeftOut_HasTheDefaultOfTheInterface()
    {
        WorkerOptions options = ConfigFile.OptionsOf(ConfigFile.Minimal);
        ModelOptions model = Assert.Single(options.Models);

        Assert.Equal(new HttpOptions { Address = "127.0.0.1:8080" }, options.Http);
        Assert.Equal("./state", options.StateDirectory);
        Assert.Equal(new StdinSourceOptions { Format = RecordFormat.Ndjson }, model.Source);
        Assert.Equal(["temperature", "pressure"], model.Schema.Features);
        Assert.True(model.Schema.AllowMissing);
        Assert.Equal(ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = CovarianceType.Full, RegCovar = 1e-6 }, components: 4),
            model.Model);
        Assert.Equal(
            new LearningOptions
            {
                Recursion = Recursion.Statistics,
                StepSize = new StepSizeOptions { Kappa = 0.7, T0 = 1, Floor = 0 },
                MinibatchSize = 512,
                Initialization =
                    new InitializationOptions { Method = InitializationMethod.KMeansPlusPlus, Buffer = 1536, NInit = 3, Seed = 1 },
                Standardize = true,
                DeadComponents = DeadComponents.Reseed,
                AnomalyHalfLife = null,
            },
            model.Learning);
        Assert.Equal(TimeSpan.FromSeconds(10), model.MinibatchMaxWait);
        Assert.Equal(TimeSpan.FromSeconds(60), model.InitializationMaxWait);
        Assert.Null(model.InitializeFrom);
        Assert.Equal(new CheckpointOptions { EveryUpdates = 50, Every = TimeSpan.FromSeconds(10), Keep = 3 }, model.Checkpoint);
        Assert.Empty(model.Publish);
        Assert.Equal(new RejectedOptions { File = null, StopAboveRatio = 0.05 }, model.Rejected);
    }

    [Fact]
    public void EveryKey_ReachesItsOption()
    {
        const string Yaml = """
            http: { address: "[::1]:9000", auth_token: hush }
            state_directory: /var/lib/streamem
            models:
              - id: a.b_c-1
                source: { file: { path: [x.csv, "y*.gz"], format: ndjson, follow: true, separator: "\t", decimal: ",", comment: "//", skip_lines: 3, columns: [l, w, k, ts, a, b.c] } }
                features: [a, b.c]
                label: l
                weight: w
                key: k
                timestamp: ts
                timestamp_unit: us
                missing: reject
                missing_values: [-999, n.v.]
                model: { type: gaussian_mixture, components: 3, covariance_type: diag, reg_covar: 1.0e-3 }
                learning:
                  recursion: parameters
                  step_size: { kappa: 1, t0: 2.5, floor: 0.01 }
                  minibatch: { size: 1000, max_wait: 1.5s }
                  initialization: { method: random_from_data, buffer: 2000, n_init: 5, seed: 18446744073709551615, from: start.json }
                  standardize: false
                  dead_components: keep
                  anomaly_half_life: 1e6
                checkpoint: { every_updates: 7, every: 5m, keep: 2 }
                publish:
                  - file: { path: out/a.ndjson, every_updates: 10 }
                  - kafka: { brokers: [h:1], topic: m, every_updates: 2, every: null, unavailable_after: null, properties: { linger.ms: 5 } }
                rejected: { file: out/r.ndjson, kafka: { brokers: [h:3], topic: dead, unavailable_after: 9s, properties: { linger.ms: 7 } }, stop_above_ratio: 0.5 }
              - id: b
                source:
                  kafka: { brokers: [h:1, h:2], topics: [s, t], group_id: g, format: float64, separator: tab, decimal: ".", start: latest, idle_after: null, on_gap: skip, properties: { security.protocol: SSL } }
                features: [x]
                model: { type: gaussian_mixture }
            """;

        WorkerOptions options = ConfigFile.OptionsOf(Yaml);
        ModelOptions model = options.Models[0];

        Assert.Equal(new HttpOptions { Address = "[::1]:9000", AuthToken = "hush" }, options.Http);
        Assert.Equal("/var/lib/streamem", options.StateDirectory);
        Assert.Equal("a.b_c-1", model.Id);
        var file = Assert.IsType<FileSourceOptions>(model.Source);
        Assert.Equal(["x.csv", "y*.gz"], file.Path);
        Assert.Equal((RecordFormat.Ndjson, true), (file.Format, file.Follow));
        AssertSpelling(file.Csv, model.Schema);
        Assert.Equal(["a", "b.c"], model.Schema.Features);
        Assert.Equal(("l", "w", "k", "ts", null, false),
            (model.Schema.Label, model.Schema.Weight, model.Schema.Key, model.Schema.Timestamp, model.Schema.Target,
                model.Schema.AllowMissing));
        Assert.Equal(ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = CovarianceType.Diag, RegCovar = 1e-3 }, components: 3),
            model.Model);
        Assert.Equal(
            new LearningOptions
            {
                Recursion = Recursion.Parameters,
                StepSize = new StepSizeOptions { Kappa = 1, T0 = 2.5, Floor = 0.01 },
                MinibatchSize = 1000,
                Initialization = new InitializationOptions
                {
                    Method = InitializationMethod.RandomFromData,
                    Buffer = 2000,
                    NInit = 5,
                    Seed = ulong.MaxValue
                },
                Standardize = false,
                DeadComponents = DeadComponents.Keep,
                AnomalyHalfLife = 1e6,
            },
            model.Learning);
        Assert.Equal((TimeSpan.FromSeconds(1.5), "start.json"), (model.MinibatchMaxWait, model.InitializeFrom));
        Assert.Equal(new CheckpointOptions { EveryUpdates = 7, Every = TimeSpan.FromMinutes(5), Keep = 2 }, model.Checkpoint);
        Assert.Equal(new FilePublisherOptions { Path = "out/a.ndjson", EveryUpdates = 10 }, model.Publish[0]);
        var topic = Assert.IsType<KafkaPublisherOptions>(model.Publish[1]);
        Assert.Equal(["h:1"], topic.Brokers);
        Assert.Equal(("m", 2, null, null, "5"),
            (topic.Topic, topic.EveryUpdates, topic.Every, topic.UnavailableAfter, topic.Properties["linger.ms"]));
        Assert.Equal(("out/r.ndjson", 0.5), (model.Rejected.File, model.Rejected.StopAboveRatio));
        DeadLetterOptions dead = model.Rejected.Kafka!;
        Assert.Equal(("h:3", "dead", TimeSpan.FromSeconds(9), "7"),
            (Assert.Single(dead.Brokers), dead.Topic, dead.UnavailableAfter, dead.Properties["linger.ms"]));

        var kafka = Assert.IsType<KafkaSourceOptions>(options.Models[1].Source);
        Assert.Equal(["h:1", "h:2"], kafka.Brokers);
        Assert.Equal(["s", "t"], kafka.Topics);
        Assert.Equal(("g", RecordFormat.Float64, KafkaStart.Latest, null, GapPolicy.Skip),
            (kafka.GroupId, kafka.Format, kafka.Start, kafka.IdleAfter, kafka.OnGap));
        Assert.Equal("SSL", kafka.Properties["security.protocol"]);
        Assert.Equal(('\t', '.'), (kafka.Csv.Separator, kafka.Csv.Decimal));
    }

    private static void AssertSpelling(CsvDialect csv, RecordSchema schema)
    {
        Assert.Equal(('\t', ',', "//", 3), (csv.Separator, csv.Decimal, csv.Comment, csv.SkipLines));
        Assert.Equal(["l", "w", "k", "ts", "a", "b.c"], csv.Columns!);
        Assert.Same(csv, schema.Csv);
        Assert.Equal(["-999", "n.v."], schema.MissingValues);
        Assert.Equal(TimestampUnit.Us, schema.TimestampUnit);
    }

    [Fact]
    public void KafkaSourceLeftToItself_HasTheDefaultsOfTheInterface()
    {
        var kafka =
            Assert.IsType<KafkaSourceOptions>(ConfigFile.ModelWith("models.0.source={kafka: {brokers: [h:1], topics: [t]}}").Source);

        Assert.Equal((null, RecordFormat.Ndjson, KafkaStart.Earliest, TimeSpan.FromSeconds(1), GapPolicy.Fail),
            (kafka.GroupId, kafka.Format, kafka.Start, kafka.IdleAfter, kafka.OnGap));
        Assert.Empty(kafka.Properties);
    }

    [Fact]
    public void Sample_HasNoErrorsAndWritesEveryDefaultAsItIs()
    {
        string sample = Path.Combine(RepositoryRoot(), "samples", "streamem.yaml");
        string text = File.ReadAllText(sample);

        ModelOptions written = Assert.Single(ConfigFile.OptionsOf(text).Models);
        ModelOptions defaults = ConfigFile.ModelWith();

        Assert.Equal(defaults.ConfigHash, written.ConfigHash);
        Assert.Equal(defaults.Model, written.Model);
        Assert.Equal(defaults.Learning, written.Learning);
        Assert.Equal(defaults.Checkpoint, written.Checkpoint);
        Assert.Equal(new FilePublisherOptions { Path = "out/snapshots.ndjson" }, Assert.Single(written.Publish));
    }

    private static string RepositoryRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "StreamEm.sln"))) directory = Path.GetDirectoryName(directory);
        return directory ?? throw new DirectoryNotFoundException($"No StreamEm.sln above {AppContext.BaseDirectory}.");
    }
}
