using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Core.Alarms;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Sources;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Benchmarks;

/// <summary>A model for every key of a stream: the worker from the decoded record on, checkpoints included, and its restart.</summary>
internal sealed class KeyedModels(Report report, Goals goals, bool quick)
{
    /// <summary>One record a minute of a million keys.</summary>
    private const double GoalRate = 1e6 / 60;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        report.Table(
            "A model per key",
            "Keys in turn, records of one metric, at most 8 components a key, scored and watched for alarms, "
                + "a checkpoint every 10 s. Records per second of wall time from the decoded record on, everything included; bytes of a "
                + "model in memory; time to start again from the last checkpoint.",
            "keys", "records each", "models in memory", "records/s", "CPU, us a record", "bytes a model", "came back from disk", "log, MB",
            "longest checkpoint", "restart");
        Fleet[] fleets = quick
            ? [new(5_000, 200, 5_000), new(5_000, 200, 1_250)]
            : [new(200_000, 200, 200_000), new(1_000_000, 30, 1_000_000), new(1_000_000, 30, 250_000)];
        foreach (Fleet fleet in fleets) Measure(fleet).GetAwaiter().GetResult();
    }

    private async Task Measure(Fleet fleet)
    {
        string folder = Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"streamem-keys-{Environment.ProcessId}"));
        Directory.CreateDirectory(folder);
        try
        {
            ModelOptions options = Options(fleet.InMemory);
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            ModelMetrics metrics = await Run(folder, options, fleet);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, records = fleet.Records;
            double used = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / records;
            KeyCounts keys = metrics.Keys!;
            start = Stopwatch.GetTimestamp();
            await Run(folder, options, fleet);
            double restart = Stopwatch.GetElapsedTime(start).TotalSeconds, bytes = (double)keys.Bytes / keys.InMemory;
            report.Row(
                $"{fleet.Keys}", $"{fleet.RecordsPerKey}", $"{fleet.InMemory}", Report.Rate(records / seconds), $"{used:F1}",
                $"{bytes:F0}", $"{keys.Returned}", $"{keys.BytesOnDisk * 1e-6:F0}", $"{metrics.LongestCheckpointSeconds:G2} s",
                $"{restart:F1} s");
            goals.AtLeast($"a model per key, {fleet.InMemory} of {fleet.Keys} in memory, records/s", records / seconds, GoalRate);
            goals.AtMost($"a model per key, {fleet.InMemory} of {fleet.Keys} in memory, bytes a model", bytes, 4096);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<ModelMetrics> Run(string folder, ModelOptions options, Fleet fleet)
    {
        await using var pipeline = new ModelPipeline(options, new PipelineEnvironment
        {
            StateDirectory = folder,
            OpenSource = (_, position) => new Machines(fleet.Keys, fleet.Records, position),
            CreatePublisher = (model, entry) => PublisherCatalog.Create(model, entry, TimeProvider.System, NullLogger.Instance),
            Time = TimeProvider.System,
            Log = NullLogger.Instance,
        });
        await pipeline.StartAsync(CancellationToken.None);
        PipelineEnd end = await pipeline.Completion;
        if (end.State != ModelState.Finished) throw new InvalidOperationException(end.Failure, end.Cause);
        return pipeline.Metrics;
    }

    private static ModelOptions Options(int inMemory)
    {
        var mixture = (MixtureOptions)ModelCatalog.MixtureOf(new GaussianOptions(), components: 8);
        return new ModelOptions
        {
            Id = "machines",
            Source = new StdinSourceOptions(),
            Schema = new RecordSchema { Features = ["value"], Key = "machine" },
            Model = mixture with { Growing = new GrowthOptions() },
            PerKey = true,
            MaxKeys = inMemory,
            Alarms = new AlarmOptions { Threshold = 1e-6 },
            Checkpoint = new CheckpointOptions { EveryUpdates = int.MaxValue },
            ConfigHash = "sha256:bench",
        };
    }

    private sealed record Fleet(int Keys, int RecordsPerKey, int InMemory)
    {
        public long Records => (long)Keys * RecordsPerKey;
    }

    /// <summary>Machines in turn, each with a level and a noise of its own, some with two levels.</summary>
    private sealed class Machines(int keys, long records, SourcePosition position) : RecordSource
    {
        private const string Partition = "machines";

        private readonly byte[][] _names =
            [.. Enumerable.Range(0, keys)
                .Select(key => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"machine-{key:D7}")))];

        private long _next = position.Partitions.TryGetValue(Partition, out PartitionPosition? start) ? start.Next : 0;

        public override bool IsReplayable => true;

        public override ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
        {
            batch.Clear(Partition, identity: "same", _next);
            for (; _next < records && !batch.IsFull;)
            {
                int key = (int)(_next % keys);
                ulong chance = Hash((ulong)_next);
                double noise = (chance & 0xFFFFFF) / (double)0x1000000 + (chance >> 40) / (double)0x1000000 - 1;
                batch.NextRow[0] = key % 1000 + (key % 3 == 0 && (chance >> 30 & 1) == 0 ? 40 : 0) + (1 + key % 7) * noise;
                batch.Commit(++_next, 1, key: batch.Texts.Number(_names[key]));
            }

            return ValueTask.FromResult(batch.Count > 0);
        }

        /// <summary>The finaliser of SplitMix64 (Steele, Lea &amp; Flood 2014).</summary>
        private static ulong Hash(ulong z)
        {
            unchecked
            {
                z = (z + 1) * 0x9E3779B97F4A7C15;
                z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
                z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
                return z ^ (z >> 31);
            }
        }
    }
}
