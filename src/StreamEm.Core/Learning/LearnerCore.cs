using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Intervals;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>What a learner has once there are parameters: model, features, recursion, and the watch over dead components.</summary>
internal sealed partial class LearnerCore
{
    private readonly LatentModelOptions _modelOptions;
    private readonly LearningOptions _options;
    private LatentModel _model;
    private StepwiseEm _em;
    private LogUnits _units;
    private readonly int _threads;
    private double _meanLogLikelihood = double.NaN;
    private long _impossible;
    private int[] _absentFeatures = [];
    private int _bufferedRecords;

    public LearnerCore(LatentModelOptions modelOptions, LearningOptions options, LatentModel model, FeatureSpace space, StepwiseState state,
        int threads)
    {
        (_modelOptions, _options, _model, Space, State, _threads) = (modelOptions, options, model, space, state, threads);
        _em = new StepwiseEm(model, options.Recursion, new PowerLaw(options.StepSize), threads, options.Responsibilities.Rule);
        _units = new LogUnits(model, space);
        Watch = new DeadComponentWatch(model, options.DeadComponents);
        Cut = CutFor(model, modelOptions, options.MinibatchSize);
        Ids = ComponentNumbers.First((model as ComponentModel)?.Components ?? 0);
        Guard = options.Learn == LearnMode.Bounded && modelOptions.Growth is null ? new StreamGuard(space.Dimension) : null;
        Health = new StreamHealth(model.ParameterLayout, options.Averaging, options.Drift);
        Intervals = options.Intervals && model.HasGradient ? new IntervalWatch(model) : null;
    }

    /// <summary>Told when a part of an update begins; null where nobody asks.</summary>
    public Action<UpdatePhase>? Entering { get; set; }

    /// <summary>Who the components are.</summary>
    public ComponentNumbers Ids { get; private set; }

    /// <summary>The model.</summary>
    public LatentModel Model => _model;

    /// <summary>Of the last minibatch under the parameters before it, nats per unit of weight, user units.</summary>
    public double MeanLogLikelihood => _meanLogLikelihood;

    /// <summary>The features as they are inside.</summary>
    public FeatureSpace Space { get; private set; }

    /// <summary>Where the recursion stands.</summary>
    public StepwiseState State { get; }

    /// <summary>How minibatches are cut.</summary>
    public MinibatchCut Cut { get; }

    /// <summary>The watch over dead components.</summary>
    public DeadComponentWatch Watch { get; }

    /// <summary>What holds records back and notices a change; null where every record is learned from.</summary>
    public StreamGuard? Guard { get; private set; }

    /// <summary>What happened lately that a person should know.</summary>
    public LearnerEvents Happened { get; } = new();

    /// <summary>What is told of the stream beside its parameters.</summary>
    public StreamHealth Health { get; }

    /// <summary>How sure the parameters are; null where nobody asked.</summary>
    public IntervalWatch? Intervals { get; private set; }

    /// <summary>The parameters it was given to begin at; null where it found its own.</summary>
    public LearningOrigin? Origin { get; private set; }

    /// <summary>First parameters from the buffer (user units, levels as codes).</summary>
    public static LearnerCore Initialize(
        LatentModelOptions modelOptions, FeatureSpace plan, LearningOptions options, Minibatch buffer, int threads)
    {
        if (modelOptions.Growth is { } growth) return InitializeGrowing(modelOptions, growth, plan, options, buffer, threads);
        FeatureSpace scaled = options.Standardize ? plan : plan.WithoutScaling();
        FirstRecords? first = options.Learn != LearnMode.Always ? new FirstRecords(scaled, buffer) : null;
        FeatureSpace space = first?.Space ?? scaled.Learn(buffer);
        LatentModel model = modelOptions.Create(space);
        Minibatch whole = CutFor(model, modelOptions, options.MinibatchSize).Whole(buffer);
        var rows = new Minibatch(buffer.Dimension, buffer.Count);
        space.Encode(whole, 0, whole.Count, rows);
        RelativeWeights.Normalize(rows);
        Minibatch regular = first?.Regular(whole, rows) ?? FeatureStatistics.WithoutGlitches(rows);
        double[] theta = model.Start(regular, new Initializer(options.Initialization, threads));
        double worth = Math.Max(1, Math.Min(
            RelativeWeights.Worth(rows, [], buffer.Count), options.MinibatchSize / new PowerLaw(options.StepSize).At(1)));
        var core = new LearnerCore(modelOptions, options, model, space, new StepwiseState(model, theta, worth), threads)
        {
            _absentFeatures = FeatureStatistics.AbsentFeatures(buffer),
            _bufferedRecords = buffer.Count,
            Guard = options.Learn == LearnMode.Bounded ? new StreamGuard(first!) : null,
        };
        core.ReachFirstRecords(regular);
        return core;
    }

    /// <summary>
    /// Parameters anew from other records, in their own units; counts go on, and the step size begins again. What was remembered of keys is
    /// of components that are no more.
    /// </summary>
    public LearnerCore Anew(FeatureSpace plan, Minibatch buffer)
    {
        LearnerCore core = Initialize(_modelOptions, plan, _options, buffer, _threads);
        core.State.ContinueFrom(State);
        core._impossible = _impossible;
        core.Ids = Ids;
        core.Health.Events.CopyFrom(Health.Events);
        foreach (string id in Ids.Texts) core.Health.Events.Add(ComponentEventKind.Reseeded, id, State.Updates + 1);
        LearnerEvent[] begun = [.. core.Happened.All];
        core.Happened.CopyFrom(Happened);
        foreach (LearnerEvent item in begun) core.Happened.Add(item.Kind, State.Updates + 1, item.Subject);
        core.Happened.Add(LearnerEventKind.StartedAnew, State.Updates + 1);
        return core;
    }

    /// <summary>Starts exactly at given parameters.</summary>
    public static LearnerCore StartAt(
        LatentModelOptions modelOptions, FeatureSpace plan, LearningOptions options, InitialParameters from, int threads)
    {
        if (modelOptions.Growth is not null)
            throw new ArgumentException(
                "a mixture that grows begins with its stream: leave initialization.from out, or give the number of components");
        FeatureSpace space = options.Standardize ? plan : plan.WithoutScaling();
        LatentModel model = modelOptions.Create(space);
        double[] given = from.Flatten(model), theta = new double[given.Length], mean = new double[plan.Dimension],
            variance = new double[plan.Dimension];
        bool hasMoments = model.TryMoments(given, mean, variance);
        if (options.Standardize && from.Location is { } location) space = space.WithScales(location, from.Scale!);
        else if (hasMoments) space = space.WithMoments(mean, variance);
        if (hasMoments)
        {
            for (int d = 0; d < variance.Length; d++) variance[d] /= space.Scale[d] * space.Scale[d];
            space = space.WithVariances(variance);
        }
        if (from.Mean is { } means) space = space.WithMeans(means);
        model = modelOptions.Create(space);
        model.FromUserUnits(given, space, theta);
        _ = model.Prepare(theta);
        if (from.Progress is not { } progress)
            return Begun(new LearnerCore(modelOptions, options, model, space, new StepwiseState(model, theta), threads));
        double worth = progress.EffectiveRecords > 0 ? progress.EffectiveRecords : double.PositiveInfinity;
        var state = new StepwiseState(model, theta, worth)
        {
            Updates = progress.Updates,
            Rows = progress.Records + progress.Unlearned,
            Unlearned = progress.Unlearned,
            Bounded = progress.Bounded,
            Weight = double.NaN,
            LastStepSize = progress.LastStepSize,
        };
        return Begun(new LearnerCore(modelOptions, options, model, space, state, threads)
        {
            Ids = ComponentNumbers.Of(from.ComponentIds, (model as ComponentModel)?.Components ?? 0),
            _meanLogLikelihood = progress.MeanLogLikelihood,
        });
    }

    /// <summary>One update.</summary>
    /// <param name="minibatch">Rows in the user's units, levels as codes.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="rows">Overwritten with the same inside.</param>
    /// <param name="surprise">Overwritten with what they say of the rows, before the update.</param>
    /// <param name="mayStartAnew">Whether parameters may be initialised anew: not where components have names.</param>
    /// <param name="gate">What holds rows back by their p-values, begun for this minibatch; null without.</param>
    /// <returns>Whether the log-densities are in the units of those before.</returns>
    public bool Update(
        Minibatch minibatch, int count, Minibatch rows, Surprise surprise, bool mayStartAnew, InfluenceBound? gate = null)
    {
        bool complete = Space.Encode(minibatch, 0, count, rows);
        double unit = RelativeWeights.Normalize(rows);
        surprise.Begin(count, complete, unit);
        double worth = State.Shares.Length == 0 ? State.EffectiveRows : State.EffectiveRows / State.Shares.Length;
        InfluenceBound? bound = Guard?.Begin(minibatch, count, worth, unit) ?? gate;
        double[] logDensities = surprise.LogDensities;
        _em.Entering = Entering;
        Evidence evidence = _em.Update(State, rows, logDensities, Cut.Memory, bound, complete ? null : surprise.Comparable, unit);
        double units = _units.Sum(rows, complete, evidence, logDensities, bound, ref _impossible);
        _meanLogLikelihood = evidence.Weight > 0 ? (evidence.LogLikelihood - units) / evidence.Weight : double.NaN;
        if (evidence.Weight > 0)
            Intervals?.Take(_em.Averages, _em.Before, StepwiseEm.WorthOf(rows, logDensities, evidence), Space);
        Watch.Look(State, rows, logDensities, bound);
        if (Health.Take(State, evidence, _meanLogLikelihood, Ids.Texts)) Intervals?.BeginAgain();
        if (Health.HasDrifted(_meanLogLikelihood)) AnswerDrift(rows, logDensities, bound);
        if (Origin is not null) Follow(Origin, evidence.Weight * unit);
        if (Guard is null) return true;
        Change change = Guard.Take(minibatch, count, evidence, mayStartAnew, State.Rows - count);
        return Answer(Guard, change, worth, mayStartAnew);
    }

    /// <summary>Takes a minibatch that nothing is learned from: what is remembered of keys goes on.</summary>
    public void Pass(Minibatch minibatch, int count, Minibatch rows, Surprise surprise)
    {
        State.Rows += count;
        State.Unlearned += count;
        State.Updates = Math.Max(1, State.Updates);
        if (Growing is not null || Cut.Memory is null) return;
        bool complete = Space.Encode(minibatch, 0, count, rows);
        double unit = RelativeWeights.Normalize(rows);
        surprise.Begin(count, complete, unit);
        _em.Pass(State, rows, surprise.LogDensities, Cut.Memory);
    }

    /// <summary>Batch EM over all rows (user units, levels as codes) from the current parameters.</summary>
    public BatchFit RunBatch(Minibatch records, RecordSchema schema, LabelNames labels, RecordIntake intake, BatchEmOptions options)
    {
        Minibatch rows = Cut.Whole(records);
        var inside = new Minibatch(rows.Dimension, rows.Count);
        bool complete = Space.Encode(rows, 0, rows.Count, inside);
        double unit = RelativeWeights.Normalize(inside);
        BatchEmResult result = BatchEm.Run(
            _model, inside, State.Parameters, options, new Pass(null) { Rule = _options.Responsibilities.Rule });
        double[] logDensities = new double[rows.Count], comparable = complete ? [] : new double[rows.Count];
        Evidence evidence = new ShardedEStep(_model, options.Threads).Accumulate(_model.Prepare(result.Parameters), inside,
            new double[State.Statistics.Length], logDensities, new Pass(null, Comparable: complete ? null : comparable));
        double units = _units.Sum(inside, complete, evidence, logDensities, bound: null, ref _impossible) / evidence.Weight;
        result.Parameters.CopyTo(State.Parameters, 0);
        (State.Updates, State.Rows, State.EffectiveRows, State.LastStepSize) =
            (result.LogLikelihoods.Count - 1, rows.Count, RelativeWeights.Worth(inside, logDensities, evidence.Weight), 1);
        _meanLogLikelihood = result.LogLikelihoods[^1] - units;
        Health.Say(evidence);
        var calibration = new StreamCalibration(rows.Dimension, _model.Order == RowOrder.Any && !Space.HasTerms);
        calibration.Add(inside, complete, logDensities, comparable, unit);
        double[] trace = [.. result.LogLikelihoods.Select(value => value - units)];
        return new BatchFit(CreateSnapshot(schema, calibration, labels, intake), trace, result.Converged, result.LargestFall,
            result.Evaluations);
    }

    private static MinibatchCut CutFor(LatentModel model, LatentModelOptions options, int size) => model.Order switch
    {
        RowOrder.CarriedSequences when model.CreateMemory(Math.Max(options.MaxKeys, size)) is { } memory => options.Sequences.Lag > 0
            ? new LaggedCut(size, Math.Max(options.MaxKeys, size), memory, options.Sequences)
            : new KeyedCut(size, Math.Max(options.MaxKeys, size), memory, options.Sequences),
        RowOrder.WholeSequences => new WholeCut(size, Math.Max(options.MaxKeys, 1), options.Sequences),
        RowOrder.Any => new PlainCut(size),
        _ => throw new InvalidOperationException($"{model.Type} asks for the row order {model.Order}, and remembers nothing."),
    };
}
