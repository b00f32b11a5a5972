using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>Where a learner stands.</summary>
public enum LearnerStatus
{
    /// <summary>No record has come yet.</summary>
    Waiting,

    /// <summary>The buffer for the initialisation is filling.</summary>
    WarmingUp,

    /// <summary>There are parameters and they are being updated.</summary>
    Learning,
}

/// <summary>
/// The pure fold behind one model: (state, records) -> state. Buffers the start of the stream, initialises, cuts minibatches, updates,
/// calibrates. The buffered records are then learned from like all others. No clock, no I/O; the whole state is what <see cref="Save"/>
/// writes, and <see cref="Load"/> goes on to the same bytes. One thread at a time.
/// </summary>
public sealed class Learner
{
    /// <summary>Keys pending, beyond which their texts are forgotten once no row is.</summary>
    private const int MaxPendingTexts = 1 << 16;

    private readonly LatentModelOptions _model;
    private readonly LearningOptions _options;
    private readonly RecordSchema _schema;
    private readonly FeatureSpace _plan;
    private readonly int _threads;
    private readonly Minibatch _pending, _raw, _rows;
    private readonly LogDensitySketch _sketch = new();
    private readonly LabelNames _labels;
    private readonly RecordIntake _intake;
    private double[] _logDensities;
    private LearnerCore? _core;

    /// <summary>A learner without state.</summary>
    /// <param name="model">The model's options.</param>
    /// <param name="schema">The features and what else the records have.</param>
    /// <param name="options">How to learn.</param>
    /// <param name="from">Parameters to start exactly at, in the user's units; null initialises from the buffer.</param>
    /// <param name="threads">Threads for one minibatch, 0 for every core; the result does not depend on it.</param>
    /// <exception cref="ArgumentException">The schema or <paramref name="from"/> does not fit the model.</exception>
    public Learner(LatentModelOptions model, RecordSchema schema, LearningOptions options, InitialParameters? from = null, int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfZero(schema.Features.Count);
        (_model, _schema, _options, _threads) = (model, schema, options, threads);
        _plan = from?.Plan(model, schema) ?? model.Plan(schema);
        int dimension = _plan.Dimension;
        _pending =
            new Minibatch(dimension, Math.Max(options.MinibatchSize, from is null ? options.Initialization.Buffer : 1), new TextTable());
        _raw = new Minibatch(dimension, options.MinibatchSize);
        _rows = new Minibatch(dimension, options.MinibatchSize);
        _logDensities = new double[options.MinibatchSize];
        _labels = new LabelNames((model.CreateLargest(schema) as ComponentModel)?.Components ?? 0);
        _intake = new RecordIntake(_plan, _labels);
        if (from is null) return;
        _core = LearnerCore.StartAt(model, _plan, options, from, threads);
        if (from.Calibration is { } calibration) _sketch.Restore(calibration);
        if (from.Labels.Count == _labels.Names.Count) _labels.Restore(from.Labels, unknown: 0);
    }

    /// <summary>Where it stands.</summary>
    public LearnerStatus Status =>
        _core is not null ? LearnerStatus.Learning : Pending > 0 ? LearnerStatus.WarmingUp : LearnerStatus.Waiting;

    /// <summary>Number of features D.</summary>
    public int Dimension => _plan.Dimension;

    /// <summary>Updates so far: the version of the parameters.</summary>
    public long Updates => _core?.State.Updates ?? 0;

    /// <summary>Records learned from so far.</summary>
    public long Records => _core?.State.Rows ?? 0;

    /// <summary>Records taken but not learned from yet.</summary>
    public int Pending => _pending.Count;

    /// <summary>Records that can be taken before <see cref="TryUpdate"/> has something to do; at least 1.</summary>
    public int Room => Math.Max(1, (_core is null ? _options.Initialization.Buffer : _options.MinibatchSize) - _pending.Count);

    /// <summary>
    /// Called before every update with the minibatch, as records come (valid during the call), and what scores them under the parameters
    /// before it. Null skips that work.
    /// </summary>
    public Action<Minibatch, ScoreSession>? BeforeUpdate { get; set; }

    /// <summary>
    /// Takes records as a source delivers them, in the user's units; copied. Cut the stream at <see cref="Room"/> records to have the
    /// updates where one record at a time would have them.
    /// </summary>
    /// <param name="records">The records.</param>
    /// <param name="first">The first to take.</param>
    /// <param name="count">How many.</param>
    public void Add(Minibatch records, int first, int count) => _intake.Take(records, first, count, _pending);

    /// <summary>
    /// Makes one update if a whole minibatch is pending (and, before the first one, the buffer is full); with <paramref name="flush"/> also
    /// if only part of one is. Call until it returns false after every <see cref="Add"/>, and with flush at the end of a finite stream, or
    /// when a minibatch of a learning model has waited too long.
    /// </summary>
    public bool TryUpdate(bool flush = false)
    {
        if (_pending.Count == 0) return false;
        if (_core is null)
        {
            if (!flush && _pending.Count < _options.Initialization.Buffer) return false;
            _intake.FixLevels();
            _core = LearnerCore.Initialize(_model, _plan.WithLevels(_intake.LevelsOf), _options, _pending, _threads);
        }
        if (_core.Cut.Next(_pending, flush, out int count) is not { } minibatch) return false;
        Update(_core, minibatch, count);
        return true;
    }

    /// <summary>What has been learned; null before the first update.</summary>
    public LearnedModel? CreateSnapshot() => _core is null || Updates == 0 ? null : Learned(_core);

    /// <summary>
    /// A learner with other options that goes on where this one stands: with the rows it has pending, its labels and levels and, once there
    /// are parameters, those, components added or taken away where their number is another (<see cref="ComponentChange"/>).
    /// </summary>
    /// <param name="model">The model's options: but for the number of components of the same shape.</param>
    /// <param name="schema">The same features.</param>
    /// <param name="options">How to learn.</param>
    /// <exception cref="ArgumentException">The model is of another shape.</exception>
    public Learner ChangeModel(LatentModelOptions model, RecordSchema schema, LearningOptions options)
    {
        var changed = new Learner(model, schema, options, from: null, _threads);
        int components = changed._labels.Names.Count;
        int[][] sources = [.. Enumerable.Range(0, components).Select(k => k < _labels.Names.Count ? new[] { k } : [])];
        if (_core is not null) changed._core = _core.ChangeModel(model, options, out sources, _threads);
        changed._intake.TakeLevels(_intake);
        changed._sketch.Restore(_sketch.First, _sketch.Bins.ToArray(), _sketch.Total);
        changed.TakePending(this, sources);
        return changed;
    }

    /// <summary>Takes over the rows that another learner of the same features has pending, which has no parameters yet.</summary>
    /// <param name="other">A learner that is not used any more.</param>
    public void TakePending(Learner other) => TakePending(
        other, [.. Enumerable.Range(0, _labels.Names.Count).Select(k => k < other._labels.Names.Count ? new[] { k } : [])]);

    private void TakePending(Learner other, int[][] sources)
    {
        _labels.Restore([.. sources.Select(from => from.Select(k => other._labels.Names[k]).FirstOrDefault(name => name is not null))],
            other._labels.Unknown);
        Minibatch rows = other._pending;
        _pending.Texts = rows.Texts;
        for (int row = 0; row < rows.Count; row++)
        {
            rows.Row(row).CopyTo(_pending.NextRow);
            _intake.Recode(_pending.NextRow, other._intake);
            int label = rows.Label(row) < 0 ? Minibatch.Unlabelled : Array.FindIndex(sources, from => from.Contains(rows.Label(row)));
            _pending.Commit(rows.Weight(row), label, rows.Target(row), rows.Key(row), rows.Timestamp(row));
        }
    }

    /// <summary>
    /// Begins the running averages anew at what the parameters imply: what another recursion left of them does not belong to these.
    /// </summary>
    public void ImplyStatistics() => _core?.State.ImplyStatistics(_core.Model);

    /// <summary>Writes the whole state.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write((int)StateVersion.Current);
        writer.Write(Dimension);
        writer.WriteMinibatch(_pending);
        _intake.Save(writer);
        writer.Write(_sketch.First);
        writer.WriteDoubles(_sketch.Bins);
        writer.Write(_sketch.Total);
        writer.Write(_core is not null);
        _core?.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote with the same options into a new learner, in this release or one before.</summary>
    /// <exception cref="InvalidDataException">The state is not of these options or is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        try
        {
            int version = reader.ReadInt32(), dimension = reader.ReadInt32();
            if (!Enum.IsDefined((StateVersion)version))
                throw new InvalidDataException(
                    $"The state has version {version}; this program reads "
                        + $"{string.Join(" and ", Enum.GetValues<StateVersion>().Select(known => (int)known))}.");
            if (dimension != Dimension)
                throw new InvalidDataException($"The state is of {dimension} features; the configuration has {Dimension}.");
            _pending.Clear();
            if (version == (int)StateVersion.Release010) FirstState.ReadMinibatch(reader, _pending);
            else reader.ReadMinibatch(_pending);
            _intake.Load(reader);
            int first = reader.ReadInt32();
            double[] bins = reader.ReadDoubles();
            _sketch.Restore(first, bins, reader.ReadDouble());
            if (!reader.ReadBoolean()) _core = null;
            else if (version == (int)StateVersion.Release010) _core = FirstState.ReadCore(reader, _model, _plan, _options, _threads);
            else _core = LearnerCore.Load(reader, (StateVersion)version, _model, _plan, _options, _threads);
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"The state is damaged: {e.Message}", e);
        }
    }

    private LearnedModel Learned(LearnerCore core) => core.CreateSnapshot(_schema, _sketch.Calibrate(), _labels, _intake);

    private void Update(LearnerCore core, Minibatch minibatch, int count)
    {
        if (BeforeUpdate is { } observe)
        {
            Restore(core.Space, count);
            observe(_raw, new ScoreSession(new Scorer(Learned(core)), core.Cut.Keys, core.Cut.Memory));
        }
        bool complete = core.Space.Encode(minibatch, 0, count, _rows);
        if (_logDensities.Length < count) _logDensities = new double[count];
        core.Update(_rows, complete, _logDensities);
        Calibrate(count);
        if (count == _pending.Count) _pending.Clear();
        else _pending.RemoveFirst(count);
        if (_pending.Count == 0 && _pending.Texts!.Count > MaxPendingTexts) _pending.Texts = new TextTable();
    }

    /// <summary>The first pending rows as they came: levels as texts.</summary>
    private void Restore(FeatureSpace space, int count)
    {
        _raw.Clear();
        _raw.Texts = _pending.Texts;
        for (int row = 0; row < count; row++)
        {
            _pending.Row(row).CopyTo(_raw.NextRow);
            for (int d = 0; space.HasLevels && d < Dimension; d++)
            {
                ref double value = ref _raw.NextRow[d];
                if (space.Features[d].Kind == FeatureKind.Level && !double.IsNaN(value))
                    value = _pending.Texts!.Number(space.Features[d].Levels[(int)value]);
            }
            _raw.Commit(_pending.Weight(row), Minibatch.Unlabelled, _pending.Target(row), _pending.Key(row), _pending.Timestamp(row));
        }
    }

    private void Calibrate(int count)
    {
        if (_options.AnomalyHalfLife is { } halfLife) _sketch.Fade(Math.Pow(2, -count / halfLife));
        _sketch.AddRange(_logDensities.AsSpan(0, count), _rows.Weights);
    }
}
