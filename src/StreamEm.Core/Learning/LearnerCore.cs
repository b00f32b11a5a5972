using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>What a learner has once there are parameters: model, standardisation, recursion, and the watch over dead components.</summary>
internal sealed class LearnerCore
{
    private readonly LatentModelOptions _modelOptions;
    private readonly LearningOptions _options;
    private readonly LatentModel _model;
    private readonly double[] _featureVariances;
    private readonly DeadComponentWatch _watch;
    private readonly double _allUnits;
    private double _meanLogLikelihood = double.NaN;
    private long _impossible;
    private int[] _absentFeatures = [];
    private int _bufferedRecords;

    private LearnerCore(
        LatentModelOptions modelOptions, LearningOptions options, LatentModel model, double[] featureVariances, Standardization standardization, StepwiseEm em)
    {
        (_modelOptions, _options, _model, _featureVariances, Standardization, Em) = (modelOptions, options, model, featureVariances, standardization, em);
        _watch = new DeadComponentWatch(model, options.DeadComponents);
        Scaling = Standardizer.Scaling(standardization);
        _allUnits = standardization.LogScale.Sum();
    }

    public Standardization Standardization { get; }

    /// <summary>What takes rows to standardised units.</summary>
    public RowScaling Scaling { get; }

    public StepwiseEm Em { get; }

    /// <summary>First parameters from the buffer (user units).</summary>
    public static LearnerCore Initialize(LatentModelOptions modelOptions, LearningOptions options, Minibatch buffer, int threads)
    {
        Standardization standardization = options.Standardize ? Standardizer.Learn(buffer) : Standardization.Identity(buffer.Dimension);
        var rows = new Minibatch(buffer.Dimension, buffer.Count);
        Standardizer.Apply(Standardizer.Scaling(standardization), buffer, 0, buffer.Count, rows);
        rows = Standardizer.WithoutGlitches(rows);
        double[] variances = Standardizer.Variances(rows);
        LatentModel model = modelOptions.Create(buffer.Dimension, variances);
        double[] theta = new Initializer(model, options.Initialization, threads).Run(rows);
        var stepSize = new PowerLaw(options.StepSize);
        double worth = Math.Min(buffer.Count, options.MinibatchSize / stepSize.At(1));
        return new LearnerCore(modelOptions, options, model, variances, standardization, new StepwiseEm(model, options.Recursion, stepSize, theta, worth, threads))
        {
            _absentFeatures = Standardizer.AbsentFeatures(buffer),
            _bufferedRecords = buffer.Count,
        };
    }

    /// <summary>Starts exactly at given parameters.</summary>
    public static LearnerCore StartAt(LatentModelOptions modelOptions, int dimension, LearningOptions options, InitialParameters from, int threads)
    {
        double[] variances = new double[dimension];
        Array.Fill(variances, 1);
        LatentModel model = modelOptions.Create(dimension, variances);
        double[] given = from.Flatten(model), theta = new double[given.Length], mean = new double[dimension];
        model.Moments(given, mean, variances);
        Standardization standardization = !options.Standardize ? Standardization.Identity(dimension)
            : from.Standardization ?? Standardizer.FromMoments(mean, variances);
        for (int d = 0; d < dimension; d++) variances[d] /= standardization.Scale[d] * standardization.Scale[d];
        model = modelOptions.Create(dimension, variances);
        model.FromUserUnits(given, standardization, theta);
        _ = model.Prepare(theta);
        var em = new StepwiseEm(model, options.Recursion, new PowerLaw(options.StepSize), theta, double.PositiveInfinity, threads);
        return new LearnerCore(modelOptions, options, model, variances, standardization, em);
    }

    /// <summary>One update with rows in standardised units, of which no value is missing when <paramref name="complete"/>.</summary>
    public void Update(Minibatch rows, bool complete, double[] logDensities)
    {
        Evidence evidence = Em.Update(rows, logDensities);
        double units = LogUnits(rows, complete, evidence, logDensities);
        _meanLogLikelihood = evidence.Weight > 0 ? (evidence.LogLikelihood - units) / evidence.Weight : double.NaN;
        _watch.Look(Em, rows, logDensities);
    }

    /// <summary>Batch EM over all rows (user units) from the current parameters.</summary>
    public BatchFit RunBatch(Minibatch rows, LabelNames labels, IReadOnlyList<string> features, BatchEmOptions options)
    {
        var standardized = new Minibatch(rows.Dimension, rows.Count);
        bool complete = Standardizer.Apply(Scaling, rows, 0, rows.Count, standardized);
        BatchEmResult result = BatchEm.Run(_model, standardized, Em.Parameters, options);
        double[] logDensities = new double[rows.Count];
        Evidence evidence = new ShardedEStep(_model, options.Threads).Accumulate(_model.Prepare(result.Parameters), standardized, new double[Em.Statistics.Length], logDensities);
        double units = LogUnits(standardized, complete, evidence, logDensities) / evidence.Weight;
        Em.Restore(result.Parameters, Em.Statistics, result.LogLikelihoods.Count - 1, rows.Count, evidence.Weight, 1);
        _meanLogLikelihood = result.LogLikelihoods[^1] - units;
        var sketch = new LogDensitySketch();
        sketch.AddRange(logDensities, rows.Weights);
        double[] trace = [.. result.LogLikelihoods.Select(value => value - units)];
        return new BatchFit(CreateSnapshot(features, sketch.Calibrate(), labels), trace, result.Converged, result.LargestFall);
    }

    public ModelSnapshot CreateSnapshot(IReadOnlyList<string> features, AnomalyCalibration? calibration, LabelNames labels)
    {
        double[] parameters = new double[Em.Parameters.Length];
        _model.ToUserUnits(Em.Parameters, Standardization, parameters);
        return new ModelSnapshot
        {
            ModelId = "model",
            Model = _modelOptions,
            RunId = "",
            ConfigHash = "",
            Version = Em.Updates,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Features = features,
            Layout = _model.ParameterLayout,
            Parameters = parameters,
            Standardization = Standardization,
            ComponentIds = [.. Enumerable.Range(0, _model.Components).Select(k => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"c{k}"))],
            Labels = labels.Any ? [.. labels.Names] : [],
            ComponentStatus = ComponentStatus(),
            Calibration = calibration,
            Training = new TrainingReport
            {
                Recursion = _options.Recursion,
                StepSize = _options.StepSize,
                LastStepSize = Em.LastStepSize,
                Updates = Em.Updates,
                Records = Em.Rows,
                EffectiveRecords = Em.EffectiveRows,
                MeanLogLikelihood = _meanLogLikelihood,
                Warnings = Warnings(labels, features),
            },
        };
    }

    public void Save(BinaryWriter writer)
    {
        writer.WriteDoubles([.. Standardization.Location]);
        writer.WriteDoubles([.. Standardization.Scale]);
        writer.WriteDoubles(_featureVariances);
        writer.WriteDoubles(Em.Parameters);
        writer.WriteDoubles(Em.Statistics);
        writer.Write(Em.Updates);
        writer.Write(Em.Rows);
        writer.Write(Em.EffectiveRows);
        writer.Write(Em.LastStepSize);
        writer.Write(_meanLogLikelihood);
        writer.Write(_impossible);
        writer.Write(_bufferedRecords);
        writer.Write(_absentFeatures.Length);
        foreach (int feature in _absentFeatures) writer.Write(feature);
        _watch.Save(writer);
        writer.Write(Em.Events.All.Count);
        foreach (ModelEvent item in Em.Events.All)
        {
            writer.Write((int)item.Kind);
            writer.Write(item.Component);
            writer.Write(item.Value);
        }
    }

    public static LearnerCore Load(BinaryReader reader, LatentModelOptions modelOptions, int dimension, LearningOptions options, int threads)
    {
        var standardization = new Standardization(reader.ReadDoubles(), reader.ReadDoubles());
        double[] variances = reader.ReadDoubles();
        if (variances.Length != dimension || standardization.Scale.Count != dimension)
            throw new InvalidDataException($"The state's standardisation is of {standardization.Scale.Count} features; expected {dimension}.");
        LatentModel model = modelOptions.Create(dimension, variances);
        double[] parameters = reader.ReadDoubles(), statistics = reader.ReadDoubles();
        if (parameters.Length != model.ParameterLayout.Length || statistics.Length != model.StatisticsLayout.Length)
            throw new InvalidDataException(
                $"The state has {parameters.Length} parameters and {statistics.Length} statistics; the model has {model.ParameterLayout.Length} and {model.StatisticsLayout.Length}.");
        var em = new StepwiseEm(model, options.Recursion, new PowerLaw(options.StepSize), parameters, 1, threads);
        em.Restore(parameters, statistics, reader.ReadInt64(), reader.ReadInt64(), reader.ReadDouble(), reader.ReadDouble());
        var core = new LearnerCore(modelOptions, options, model, variances, standardization, em)
        {
            _meanLogLikelihood = reader.ReadDouble(),
            _impossible = reader.ReadInt64(),
            _bufferedRecords = reader.ReadInt32(),
            _absentFeatures = new int[Math.Clamp(reader.ReadInt32(), 0, dimension)],
        };
        for (int at = 0; at < core._absentFeatures.Length; at++) core._absentFeatures[at] = Math.Clamp(reader.ReadInt32(), 0, dimension - 1);
        core._watch.Load(reader);
        int events = reader.ReadInt32();
        for (int at = 0; at < events; at++) em.Events.Add((ModelEventKind)reader.ReadInt32(), reader.ReadInt32(), reader.ReadDouble());
        return core;
    }

    /// <summary>Weighted sum over the rows used of sum_d log(scale_d), observed features: the log-likelihood's change of units. Counts impossible rows.</summary>
    private double LogUnits(Minibatch rows, bool complete, Evidence evidence, double[] logDensities)
    {
        // Every row was used, and whole.
        if (complete && rows.Weights.IsEmpty && evidence.Weight == rows.Count) return evidence.Weight * _allUnits;
        double sum = 0;
        double[] logScale = [.. Standardization.LogScale];
        ReadOnlySpan<double> weights = rows.Weights;
        for (int row = 0; row < rows.Count; row++)
        {
            if (double.IsNegativeInfinity(logDensities[row])) _impossible++;
            if (!double.IsFinite(logDensities[row])) continue;
            double units = complete ? _allUnits : ObservedUnits(rows.Row(row), logScale);
            sum = Math.FusedMultiplyAdd(weights.IsEmpty ? 1 : weights[row], units, sum);
        }
        return sum;
    }

    private static double ObservedUnits(ReadOnlySpan<double> row, double[] logScale)
    {
        double units = 0;
        for (int d = 0; d < row.Length; d++)
            if (!double.IsNaN(row[d])) units += logScale[d];
        return units;
    }

    private string[] ComponentStatus()
    {
        string[] status = new string[_model.Components];
        Array.Fill(status, "ok");
        foreach (ModelEvent item in Em.Events.All)
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

    private List<string> Warnings(LabelNames labels, IReadOnlyList<string> features)
    {
        var warnings = new List<string>();
        foreach (int feature in _absentFeatures)
        {
            warnings.Add(FormattableString.Invariant(
                $"feature '{features[feature]}' had no value in any of the first {_bufferedRecords} records, so nothing is known of its location and scale. Check its name, or leave it out."));
        }
        double smallest = Em.Parameters.AsSpan(0, _model.Components)[0];
        for (int k = 1; k < _model.Components; k++) smallest = Math.Min(smallest, Em.Parameters[k]);
        if (_options.Recursion == Recursion.Parameters && _model.Components > 1 && _options.MinibatchSize * smallest < 20)
            warnings.Add(FormattableString.Invariant(
                $"minibatch size {_options.MinibatchSize} x smallest weight {smallest:G3} = {_options.MinibatchSize * smallest:G3} rows, below 20: the parameter recursion shrinks that component's covariance. Use larger minibatches or recursion: statistics."));
        if (_impossible > 0)
            warnings.Add(FormattableString.Invariant($"{_impossible} record(s) were too far from every component to be learned from."));
        if (labels.Unknown > 0)
            warnings.Add(FormattableString.Invariant($"{labels.Unknown} label(s) were ignored: all {_model.Components} components already have a label."));
        return warnings;
    }
}
