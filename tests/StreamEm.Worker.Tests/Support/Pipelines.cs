using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Tests.Support;

/// <summary>Pipelines over records in memory.</summary>
internal static class Pipelines
{
    /// <summary>Two clouds in the plane, the same for the same seed; every <paramref name="badEvery"/>-th record is rejected.</summary>
    public static IReadOnlyList<double[]?> Clouds(int count, int badEvery = int.MaxValue, int seed = 1)
    {
        var random = new Random(seed);
        var items = new double[]?[count];
        for (int i = 0; i < count; i++)
        {
            double centre = random.Next(2) == 0 ? -3 : 4;
            double[] row = [centre + Normal(random), 2 * centre + Normal(random)];
            items[i] = i % badEvery == badEvery - 1 ? null : row;
        }

        return items;
    }

    /// <summary>A small mixture learned in minibatches of 32 after a buffer of 96.</summary>
    public static ModelOptions Model(TemporaryDirectory directory, int everyUpdates = 1) => new()
    {
        Id = "clouds",
        Source = new StdinSourceOptions(),
        Schema = new RecordSchema { Features = ["x", "y"] },
        Model = ModelCatalog.MixtureOf(new GaussianOptions(), components: 2),
        Learning = new LearningOptions { MinibatchSize = 32, Initialization = new InitializationOptions { Buffer = 96, NInit = 1 } },
        MinibatchMaxWait = null,
        InitializationMaxWait = null,
        Checkpoint = new CheckpointOptions { EveryUpdates = 3 },
        Publish = [new FilePublisherOptions { Path = directory["out/snapshots.ndjson"], EveryUpdates = everyUpdates }],
        Rejected = new RejectedOptions { File = directory["out/rejected.ndjson"], StopAboveRatio = 0.2 },
        ConfigHash = "sha256:test",
    };

    internal static ModelPipeline Create(
        TemporaryDirectory directory, ModelOptions options, Func<SourcePosition, RecordSource> open, TimeProvider? time = null,
        Func<object, SnapshotPublisher>? publisher = null, bool acceptsModelChange = false,
        Func<ScoreSinkOptions, ScoreSink>? scoreSink = null) =>
        Create(directory["state"], options, open, time, publisher, acceptsModelChange, scoreSink);

    internal static ModelPipeline Create(
        string state, ModelOptions options, Func<SourcePosition, RecordSource> open, TimeProvider? time = null,
        Func<object, SnapshotPublisher>? publisher = null, bool acceptsModelChange = false,
        Func<ScoreSinkOptions, ScoreSink>? scoreSink = null) =>
        new(options, new PipelineEnvironment
        {
            StateDirectory = state,
            AcceptsModelChange = acceptsModelChange,
            CreateScoreSink = scoreSink,
            OpenSource = (_, position) => open(position),
            CreatePublisher = publisher is null ? (model, entry) =>
                PublisherCatalog.Create(model, entry, time ?? TimeProvider.System, NullLogger.Instance) : (_, entry) => publisher(entry),
            Time = time ?? TimeProvider.System,
            Log = NullLogger.Instance,
        });

    /// <summary>The first versions of a mixture of the two clouds.</summary>
    public static IEnumerable<LearnedModel> Versions(int count, int minibatch)
    {
        int buffer = minibatch * count;
        var learner = new Learner(
            ModelCatalog.MixtureOf(new GaussianOptions(), components: 2), new RecordSchema { Features = ["x", "y"] },
            new LearningOptions { MinibatchSize = minibatch, Initialization = new InitializationOptions { Buffer = buffer, NInit = 1 } });
        var rows = new Minibatch(2);
        foreach (double[]? row in Clouds(buffer)) rows.Add(row);
        learner.Add(rows, 0, rows.Count);
        while (learner.TryUpdate()) yield return learner.CreateSnapshot()!;
    }

    /// <summary>Runs a pipeline over all items to its end.</summary>
    public static async Task<PipelineEnd> Drain(TemporaryDirectory directory, ModelOptions options, IReadOnlyList<double[]?> items)
    {
        await using ModelPipeline pipeline = Create(directory, options, position => new MemorySource(items, position));
        await pipeline.StartAsync(CancellationToken.None);
        return await Eventually.Within(pipeline.Completion);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
