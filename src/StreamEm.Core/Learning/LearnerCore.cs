using System.Globalization;
using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>What a learner has once there are parameters: model, features, recursion, and the watch over dead components.</summary>
internal sealed class LearnerCore
{
    private readonly LatentModelOptions _modelOptions;
    private readonly LearningOptions _options;
    private readonly LatentModel _model;
    private readonly StepwiseEm _em;
    private readonly LogUnits _units;
    private double _meanLogLikelihood = double.NaN;
    private long _impossible;
    private int[] _absentFeatures = [];
    private int _bufferedRecords;

    public LearnerCore(LatentModelOptions modelOptions, LearningOptions options, LatentModel model, FeatureSpace space, StepwiseState state,
        int threads)
    {
        (_modelOptions, _options, _model, Space, State) = (modelOptions, options, model, space, state);
        _em = new StepwiseEm(model, options.Recursion, new PowerLaw(options.StepSize), threads);
        _units = new LogUnits(model, space);
        Watch = new DeadComponentWatch(model, options.DeadComponents);
        Cut = CutFor(model, modelOptions, options.MinibatchSize);
        Ids = ComponentNumbers.First((model as ComponentModel)?.Components ?? 0);
    }

    /// <summary>Who the components are.</summary>
    public ComponentNumbers Ids { get; private set; }

    /// <summary>The model.</summary>
    public LatentModel Model => _model;

    /// <summary>The features as they are inside.</summary>
    public FeatureSpace Space { get; }

    /// <summary>Where the recursion stands.</summary>
    public StepwiseState State { get; }

    /// <summary>How minibatches are cut.</summary>
    public MinibatchCut Cut { get; }

    /// <summary>The watch over dead components.</summary>
    public DeadComponentWatch Watch { get; }

    /// <summary>First parameters from the buffer (user units, levels as codes).</summary>
    public static LearnerCore Initialize(
        LatentModelOptions modelOptions, FeatureSpace plan, LearningOptions options, Minibatch buffer, int threads)
    {
        FeatureSpace space = (options.Standardize ? plan : plan.WithoutScaling()).Learn(buffer);
        LatentModel model = modelOptions.Create(space);
        Minibatch whole = CutFor(model, modelOptions, options.MinibatchSize).Whole(buffer);
        var rows = new Minibatch(buffer.Dimension, buffer.Count);
        space.Encode(whole, 0, whole.Count, rows);
        double[] theta = model.Start(FeatureStatistics.WithoutGlitches(rows), new Initializer(options.Initialization, threads));
        double worth = Math.Min(buffer.Count, options.MinibatchSize / new PowerLaw(options.StepSize).At(1));
        return new LearnerCore(modelOptions, options, model, space, new StepwiseState(model, theta, worth), threads)
        {
            _absentFeatures = FeatureStatistics.AbsentFeatures(buffer),
            _bufferedRecords = buffer.Count,
        };
    }

    /// <summary>Starts exactly at given parameters.</summary>
    public static LearnerCore StartAt(
        LatentModelOptions modelOptions, FeatureSpace plan, LearningOptions options, InitialParameters from, int threads)
    {
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
        model = modelOptions.Create(space);
        model.FromUserUnits(given, space, theta);
        _ = model.Prepare(theta);
        if (from.Progress is not { } progress)
            return new LearnerCore(modelOptions, options, model, space, new StepwiseState(model, theta), threads);
        double worth = progress.EffectiveRecords > 0 ? progress.EffectiveRecords : double.PositiveInfinity;
        var state = new StepwiseState(model, theta, worth)
        {
            Updates = progress.Updates,
            Rows = progress.Records,
            LastStepSize = progress.LastStepSize,
        };
        return new LearnerCore(modelOptions, options, model, space, state, threads)
        {
            Ids = ComponentNumbers.Of(from.ComponentIds, (model as ComponentModel)?.Components ?? 0),
            _meanLogLikelihood = progress.MeanLogLikelihood,
        };
    }

    /// <summary>
    /// The same with other options of the model: components come or go (<see cref="ComponentChange"/>); what is remembered of keys is kept
    /// where it means the same.
    /// </summary>
    /// <param name="modelOptions">The model's options; but for the number of components they leave its shape as it is.</param>
    /// <param name="options">How to learn.</param>
    /// <param name="sources">For every component, those it comes from.</param>
    /// <param name="threads">Threads for one minibatch.</param>
    /// <exception cref="ArgumentException">The model is of another shape.</exception>
    public LearnerCore ChangeModel(LatentModelOptions modelOptions, LearningOptions options, out int[][] sources, int threads)
    {
        LatentModel target = modelOptions.Create(Space);
        var change = new ModelChange(_model, State, Ids);
        if (target is ComponentModel components && _model is ComponentModel)
            change.GoTo(components.Components, _modelOptions, modelOptions, Space);
        sources = change.Sources;
        var core = new LearnerCore(modelOptions, options, target, Space, change.StateFor(target), threads)
        {
            Ids = change.Ids,
            _meanLogLikelihood = _meanLogLikelihood,
            _impossible = _impossible,
            _absentFeatures = _absentFeatures,
            _bufferedRecords = _bufferedRecords,
        };
        if (!change.HasComponentsChanged && modelOptions.MaxKeys == _modelOptions.MaxKeys) core.Cut.CopyFrom(Cut);
        return core;
    }

    /// <summary>One update with rows inside, of which no value is missing when <paramref name="complete"/>.</summary>
    public void Update(Minibatch rows, bool complete, double[] logDensities)
    {
        Evidence evidence = _em.Update(State, rows, logDensities, Cut.Memory);
        double units = _units.Sum(rows, complete, evidence, logDensities, ref _impossible);
        _meanLogLikelihood = evidence.Weight > 0 ? (evidence.LogLikelihood - units) / evidence.Weight : double.NaN;
        Watch.Look(State, rows, logDensities);
    }

    /// <summary>Batch EM over all rows (user units, levels as codes) from the current parameters.</summary>
    public BatchFit RunBatch(Minibatch records, RecordSchema schema, LabelNames labels, RecordIntake intake, BatchEmOptions options)
    {
        Minibatch rows = Cut.Whole(records);
        var inside = new Minibatch(rows.Dimension, rows.Count);
        bool complete = Space.Encode(rows, 0, rows.Count, inside);
        BatchEmResult result = BatchEm.Run(_model, inside, State.Parameters, options);
        double[] logDensities = new double[rows.Count];
        Evidence evidence = new ShardedEStep(_model, options.Threads)
            .Accumulate(_model.Prepare(result.Parameters), inside, new double[State.Statistics.Length], logDensities);
        double units = _units.Sum(inside, complete, evidence, logDensities, ref _impossible) / evidence.Weight;
        result.Parameters.CopyTo(State.Parameters, 0);
        (State.Updates, State.Rows, State.EffectiveRows, State.LastStepSize) =
            (result.LogLikelihoods.Count - 1, rows.Count, evidence.Weight, 1);
        _meanLogLikelihood = result.LogLikelihoods[^1] - units;
        var sketch = new LogDensitySketch();
        sketch.AddRange(logDensities, inside.Weights);
        double[] trace = [.. result.LogLikelihoods.Select(value => value - units)];
        return new BatchFit(CreateSnapshot(schema, sketch.Calibrate(), labels, intake), trace, result.Converged, result.LargestFall);
    }

    public LearnedModel CreateSnapshot(RecordSchema schema, AnomalyCalibration? calibration, LabelNames labels, RecordIntake intake)
    {
        double[] parameters = new double[State.Parameters.Length];
        _model.ToUserUnits(State.Parameters, Space, parameters);
        int components = (_model as ComponentModel)?.Components ?? 0;
        return new LearnedModel
        {
            Options = _modelOptions,
            Schema = schema,
            Version = State.Updates,
            Space = Space,
            Model = _model,
            Parameters = parameters,
            ComponentIds = Ids.Texts,
            Labels = labels.Any ? [.. labels.Names] : [],
            ComponentStatus = ComponentStatus(components),
            Calibration = calibration,
            Training = new TrainingReport
            {
                Recursion = _options.Recursion,
                StepSize = _options.StepSize,
                LastStepSize = State.LastStepSize,
                Updates = State.Updates,
                Records = State.Rows,
                EffectiveRecords = State.EffectiveRows,
                MeanLogLikelihood = _meanLogLikelihood,
                Status = State.BarrenUpdates > 0 ? TrainingReport.Degenerate : TrainingReport.Ok,
                Warnings = Warnings(labels, intake),
            },
        };
    }

    public void Save(BinaryWriter writer)
    {
        FeatureSpaceState.Save(Space, writer);
        State.Save(writer);
        writer.Write(_meanLogLikelihood);
        writer.Write(_impossible);
        writer.Write(_bufferedRecords);
        writer.WriteArray<int>(_absentFeatures);
        Watch.Save(writer);
        Cut.Save(writer);
        Ids.Save(writer);
    }

    public static LearnerCore Load(
        BinaryReader reader, StateVersion version, LatentModelOptions modelOptions, FeatureSpace plan, LearningOptions options, int threads)
    {
        FeatureSpace space = FeatureSpaceState.Load(plan, reader);
        LatentModel model = modelOptions.Create(space);
        var core = new LearnerCore(modelOptions, options, model, space, StepwiseState.Load(reader, model), threads);
        core.LoadReport(reader);
        core.Watch.Load(reader);
        core.Cut.Load(reader);
        if (version > StateVersion.NumberedComponents) core.Ids = ComponentNumbers.Load(reader, core.Ids.Count);
        return core;
    }

    /// <summary>Reads what is reported beside the state itself.</summary>
    internal void LoadReport(BinaryReader reader)
    {
        _meanLogLikelihood = reader.ReadDouble();
        _impossible = reader.ReadInt64();
        _bufferedRecords = reader.ReadInt32();
        _absentFeatures = reader.ReadArray<int>();
        if (_absentFeatures.Any(feature => (uint)feature >= (uint)Space.Dimension))
            throw new InvalidDataException($"The state names an absent feature beyond the {Space.Dimension} there are.");
    }

    private static MinibatchCut CutFor(LatentModel model, LatentModelOptions options, int size) => model.Order switch
    {
        RowOrder.CarriedSequences when model.CreateMemory(Math.Max(options.MaxKeys, size)) is { } memory =>
            new KeyedCut(size, Math.Max(options.MaxKeys, size), memory),
        RowOrder.Any => new PlainCut(size),
        _ => throw new InvalidOperationException($"{model.Type} asks for the row order {model.Order}, and remembers nothing."),
    };

    private string[] ComponentStatus(int components)
    {
        string[] status = new string[components];
        Array.Fill(status, "ok");
        foreach (ModelEvent item in State.Events.All)
        {
            string name = item.Kind switch
            {
                ModelEventKind.NoEvidence => "no_evidence",
                ModelEventKind.CovarianceFloored => "covariance_floored",
                ModelEventKind.Reseeded => "reseeded",
                _ => "dead",
            };
            if (item.Component >= 0) status[item.Component] = name;
            else Array.Fill(status, name);
        }
        return status;
    }

    private List<ModelWarning> Warnings(LabelNames labels, RecordIntake intake)
    {
        var warnings = new List<ModelWarning>();
        void Warn(ModelWarningKind kind, string text, string subject = "") => warnings.Add(new ModelWarning(kind, text, subject));
        static string Short(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
        foreach (int feature in _absentFeatures)
            Warn(ModelWarningKind.AbsentFeature,
                $"feature '{Space.Features[feature].Name}' had no value in any of the first {_bufferedRecords} records, so nothing is "
                    + $"known of its location and scale. Check its name, or leave it out.", Space.Features[feature].Name);
        string bias = _model.ParameterLayout.Blocks.Any(block => block.Name.EndsWith("covariances", StringComparison.Ordinal))
            ? "shrinks that component's covariance"
            : "biases that component's parameters";
        double smallest = State.Shares.Length == 0 ? 1 : State.Shares.Min();
        if (_options.Recursion == Recursion.Parameters && State.Shares.Length > 1 && _options.MinibatchSize * smallest < 20)
            Warn(ModelWarningKind.SmallMinibatch,
                $"minibatch size {_options.MinibatchSize} x smallest weight {Short(smallest)} = "
                    + $"{Short(_options.MinibatchSize * smallest)} rows, "
                    + $"below 20: the parameter recursion {bias}. Use larger minibatches or recursion: statistics.");
        if (_impossible > 0)
            Warn(ModelWarningKind.ImpossibleRecords, $"{_impossible} record(s) were too far from every component to be learned from.");
        if (State.BarrenUpdates > 0)
            Warn(ModelWarningKind.NothingLearned,
                $"no record of the last {State.BarrenUpdates} minibatch(es) could be learned from: the parameters are not moving. Look at "
                    + "the records' units, or start anew.");
        if (labels.Unknown > 0)
            Warn(ModelWarningKind.UnknownLabels,
                $"{labels.Unknown} label(s) were ignored: all {State.Shares.Length} components already have a label.");
        foreach ((int feature, long unknown) in intake.Unknown)
            if (unknown > 0)
                Warn(ModelWarningKind.UnknownLevels,
                    $"feature '{Space.Features[feature].Name}' held {unknown} value(s) that are none of its "
                        + $"{Space.Features[feature].Levels.Count} levels; they count as missing. Use a larger initialization.buffer or "
                        + "max_levels.", Space.Features[feature].Name);
        if (Cut.Keys is { Evicted: > 0 } keys)
            Warn(ModelWarningKind.EvictedKeys,
                $"{keys.Evicted} key(s) were forgotten to make room for others; max_keys is {keys.Capacity}.");
        return warnings;
    }
}
