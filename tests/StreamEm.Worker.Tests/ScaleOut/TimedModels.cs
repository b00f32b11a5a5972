using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>No parameters: only ranges and how late they are, by the reducer's rules.</summary>
internal sealed class CountedModel(int inFlight) : ITimedModel
{
    private readonly RangeLedger _ranges = new(new SourcePosition());
    private long _next;

    public long Version { get; private set; }

    public StatisticsMessage Contribute(TimedState known, RecordRange range) => new()
    {
        ModelId = "m",
        RunId = "r",
        Worker = Guid.Empty,
        Sequence = 0,
        BaseVersion = known.Version,
        Range = range,
        Begins = range.From == 0,
        Read = range.To - range.From,
        Rejected = [],
    };

    public Verdict Take(long offset, StatisticsMessage message)
    {
        _next = offset + 1;
        if (_ranges.FitOf(message.Range, message.Begins) is var fit && fit != RangeFit.Next)
            return fit == RangeFit.Gap ? Verdict.Gap : Verdict.Duplicate;
        double damping = Staleness.For(_ranges.Count, inFlight, Reduction.Batch)
            .DampingAt(Version - message.BaseVersion, message.IsAgain);
        if (damping == 0) return Verdict.StaleRejected;
        _ranges.Advance(message.Range, identity: null);
        Version++;
        return damping < 1 ? Verdict.StaleDamped : Verdict.Accepted;
    }

    public TimedState Publish() => new(_ranges.Position.Copy(), _next, Version);
}

/// <summary>Three Gaussians on a line, two of which overlap, learned by the worker's own code.</summary>
internal sealed class LearnedLine : ITimedModel
{
    private static readonly double[] FirstWeights = [0.33, 0.34, 0.33], FirstMeans = [-2.4, 0.5, 2.5], FirstVariances = [1.5, 1.5, 1.5];
    private static readonly double[] Weights = [0.3, 0.5, 0.2], Means = [-3, 0, 3], Deviations = [0.8, 1, 0.6];
    private static readonly double[] HeldOut = Draw(new Random(12345), 4000);

    private static readonly ModelOptions Options = new()
    {
        Id = "line",
        Source = new StdinSourceOptions(),
        Schema = new RecordSchema { Features = ["x"] },
        Model = ModelCatalog.MixtureOf(new GaussianOptions(), components: 3),
        Learning = new LearningOptions
        {
            MinibatchSize = TimedCluster.MinibatchSize,
            Learn = LearnMode.Always,
            DeadComponents = DeadComponents.Keep,
        },
        ScaleOut = new ScaleOutOptions { StatisticsTopic = "s", ModelTopic = "m", SnapshotEveryUpdates = int.MaxValue },
        ConfigHash = "sha256:test",
    };

    private readonly Reduction _reduction;
    private readonly Random _random;

    public LearnedLine(int seed)
    {
        _random = new Random(seed);
        _reduction = Reduction.Begin(Options, new Learner(Options.Model, Options.Schema, Options.Learning, new InitialParameters(
            new Dictionary<string, double[]>(StringComparer.Ordinal)
            {
                ["weights"] = FirstWeights,
                ["means"] = FirstMeans,
                ["covariances"] = FirstVariances,
            }), threads: 1), next: 0, TimeProvider.System);
    }

    public long Version => _reduction.Version;

    /// <summary>The mean log-likelihood of records that nobody learned from, under the truth.</summary>
    public static double Best => MeanLogLikelihood(Weights, Means, [.. Deviations.Select(deviation => deviation * deviation)]);

    public StatisticsMessage Contribute(TimedState known, RecordRange range)
    {
        double[] values = Draw(_random, (int)(range.To - range.From));
        var rows = new Minibatch(1);
        foreach (double value in values) rows.Add([value]);
        Learner learner = known.Learner!;
        learner.Add(rows, 0, rows.Count);
        return new StatisticsMessage
        {
            ModelId = Options.Id,
            RunId = _reduction.RunId,
            Worker = Guid.Empty,
            Sequence = 0,
            BaseVersion = known.Version,
            Range = range,
            Begins = range.From == 0,
            Read = values.Length,
            Rejected = [],
            Contribution = learner.Contribute(),
        };
    }

    public Verdict Take(long offset, StatisticsMessage message) => _reduction.Take(offset, message.Encode(), DateTimeOffset.UnixEpoch);

    public TimedState Publish()
    {
        Checkpoint state = _reduction.Capture(DateTimeOffset.UnixEpoch);
        return new TimedState(state.Position, state.StatisticsNext!.Value, state.Updates, StateRestore.Learner(Options, state, null));
    }

    /// <summary>How much less what is learned gives.</summary>
    public double Gap => Best - MeanLogLikelihood();

    private double MeanLogLikelihood()
    {
        if (Version == 0) return MeanLogLikelihood(FirstWeights, FirstMeans, FirstVariances);
        LearnedModel learned = Publish().Learner!.CreateSnapshot()!;
        double[] Block(string name) =>
            [.. learned.Parameters.AsSpan(learned.Layout[name].Offset, learned.Layout[name].Length).ToArray()];
        return MeanLogLikelihood(Block("weights"), Block("means"), Block("covariances"));
    }

    private static double MeanLogLikelihood(double[] weights, double[] means, double[] variances) => HeldOut.Average(x =>
    {
        double density = 0;
        for (int k = 0; k < weights.Length; k++)
            density += weights[k] * Math.Exp(-(x - means[k]) * (x - means[k]) / (2 * variances[k])) / Math.Sqrt(2 * Math.PI * variances[k]);
        return Math.Log(density);
    });

    private static double[] Draw(Random random, int count)
    {
        double[] values = new double[count];
        for (int at = 0; at < count; at++)
        {
            double chance = random.NextDouble();
            int k = chance < Weights[0] ? 0 : chance < Weights[0] + Weights[1] ? 1 : 2;
            values[at] = Means[k] + Deviations[k] * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
                * Math.Cos(2 * Math.PI * random.NextDouble());
        }

        return values;
    }
}
