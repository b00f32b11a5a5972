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
/// The pure fold behind one model: (state, record) -> state. Buffers the start of the stream, initialises, cuts minibatches by count, updates,
/// calibrates. The buffered records are then learned from like all others. No clock, no I/O; the whole state is what <see cref="Save"/> writes,
/// and <see cref="Load"/> goes on to the same bytes. One thread at a time.
/// </summary>
public sealed class Learner
{
    private const int StateVersion = 2;
    private readonly LatentModelOptions _modelOptions;
    private readonly LearningOptions _options;
    private readonly InitialParameters? _from;
    private readonly int _threads;
    private readonly Minibatch _pending, _raw, _rows;
    private readonly LogDensitySketch _sketch = new();
    private readonly LabelNames _labels;
    private double[] _logDensities;
    private LearnerCore? _core;

    /// <summary>A learner without state.</summary>
    /// <param name="model">The model's options.</param>
    /// <param name="dimension">Number of features D.</param>
    /// <param name="options">How to learn.</param>
    /// <param name="from">Parameters to start exactly at, in the user's units; null initialises from the buffer.</param>
    /// <param name="threads">Threads for one minibatch, 0 for every core; the result does not depend on it.</param>
    /// <exception cref="ArgumentException"><paramref name="from"/> does not fit the model.</exception>
    public Learner(LatentModelOptions model, int dimension, LearningOptions options, InitialParameters? from = null, int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimension);
        (_modelOptions, _options, _from, _threads, Dimension) = (model, options, from, threads, dimension);
        _pending = new Minibatch(dimension, Math.Max(options.MinibatchSize, from is null ? options.Initialization.Buffer : 1));
        _raw = new Minibatch(dimension, options.MinibatchSize);
        _rows = new Minibatch(dimension, options.MinibatchSize);
        _logDensities = new double[options.MinibatchSize];
        _labels = new LabelNames(model.CreateForUnitVariances(dimension).Components);
        if (from is not null) _core = LearnerCore.StartAt(model, dimension, options, from, threads);
    }

    /// <summary>Where it stands.</summary>
    public LearnerStatus Status => _core is not null && (Updates > 0 || _from is not null) ? LearnerStatus.Learning
        : Pending > 0 ? LearnerStatus.WarmingUp : LearnerStatus.Waiting;

    /// <summary>Number of features D.</summary>
    public int Dimension { get; }

    /// <summary>Updates so far: the version of the parameters.</summary>
    public long Updates => _core?.Em.Updates ?? 0;

    /// <summary>Records learned from so far.</summary>
    public long Records => _core?.Em.Rows ?? 0;

    /// <summary>Records taken but not learned from yet.</summary>
    public int Pending => _pending.Count;

    /// <summary>Records that can be taken before <see cref="TryUpdate"/> has something to do; at least 1.</summary>
    public int Room => Math.Max(1, (_core is null ? _options.Initialization.Buffer : _options.MinibatchSize) - _pending.Count);

    /// <summary>
    /// Called before every update with the minibatch (user units; valid during the call) and the scorer of the parameters before it. Null skips
    /// that work.
    /// </summary>
    public Action<Minibatch, Scorer>? BeforeUpdate { get; set; }

    /// <summary>Takes one record; D values in the user's units, NaN = missing. Copied.</summary>
    /// <param name="values">D values.</param>
    /// <param name="weight">At least 0.</param>
    /// <param name="label">A component's number, or a name; null or empty when unlabelled.</param>
    /// <param name="target">For models that predict.</param>
    public void Add(ReadOnlySpan<double> values, double weight = 1, string? label = null, double target = double.NaN) =>
        _pending.Add(values, weight, _labels.Component(label), target);

    /// <summary>
    /// Takes records of weight 1 without label and target; N x D values, row-major. Copied. Cut the stream at <see cref="Room"/> records to have
    /// the updates where <see cref="Add"/> would have them.
    /// </summary>
    public void AddRange(ReadOnlySpan<double> values) => _pending.AddRange(values);

    /// <summary>
    /// Makes one update if a whole minibatch is pending (and, before the first one, the buffer is full); with <paramref name="flush"/> also if
    /// only part of one is. Call until it returns false after every <see cref="Add"/>, and with flush at the end of a finite stream, or when a
    /// minibatch of a learning model has waited too long.
    /// </summary>
    public bool TryUpdate(bool flush = false)
    {
        if (_pending.Count == 0) return false;
        if (_core is null)
        {
            if (!flush && _pending.Count < _options.Initialization.Buffer) return false;
            _core = LearnerCore.Initialize(_modelOptions, _options, _pending, _threads);
        }
        int count = Math.Min(_pending.Count, _options.MinibatchSize);
        if (count < _options.MinibatchSize && !flush) return false;
        Update(_core, count);
        return true;
    }

    /// <summary>
    /// The current parameters and their report; null before the first update. The caller completes identity, time and source with <c>with</c>.
    /// </summary>
    public ModelSnapshot? CreateSnapshot(IReadOnlyList<string> features) =>
        _core is null || Updates == 0 ? null : _core.CreateSnapshot(features, _sketch.Calibrate(), _labels);

    /// <summary>Writes the whole state.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(StateVersion);
        writer.Write(Dimension);
        writer.WriteMinibatch(_pending);
        _labels.Save(writer);
        writer.Write(_sketch.First);
        writer.WriteDoubles(_sketch.Bins);
        writer.Write(_sketch.Total);
        writer.Write(_core is not null);
        _core?.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote with the same options into a new learner.</summary>
    /// <exception cref="InvalidDataException">The state is not of these options or is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        try
        {
            int version = reader.ReadInt32(), dimension = reader.ReadInt32();
            if (version != StateVersion) throw new InvalidDataException($"The state has version {version}; this program reads {StateVersion}.");
            if (dimension != Dimension) throw new InvalidDataException($"The state is of {dimension} features; the configuration has {Dimension}.");
            _pending.Clear();
            reader.ReadMinibatch(_pending);
            _labels.Load(reader);
            int first = reader.ReadInt32();
            double[] bins = reader.ReadDoubles();
            _sketch.Restore(first, bins, reader.ReadDouble());
            _core = reader.ReadBoolean() ? LearnerCore.Load(reader, _modelOptions, Dimension, _options, _threads) : null;
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"The state is damaged: {e.Message}", e);
        }
    }

    private void Update(LearnerCore core, int count)
    {
        if (BeforeUpdate is { } observe)
        {
            _raw.Clear();
            _raw.AddRange(_pending, 0, count);
            observe(_raw, new Scorer(core.CreateSnapshot(FeatureNumbers(), _sketch.Calibrate(), _labels)));
        }
        bool complete = Standardizer.Apply(core.Scaling, _pending, 0, count, _rows);
        if (_logDensities.Length < count) _logDensities = new double[count];
        core.Update(_rows, complete, _logDensities);
        Calibrate(count);
        if (count == _pending.Count) _pending.Clear();
        else _pending.RemoveFirst(count);
    }

    private void Calibrate(int count)
    {
        if (_options.AnomalyHalfLife is { } halfLife) _sketch.Fade(Math.Pow(2, -count / halfLife));
        _sketch.AddRange(_logDensities.AsSpan(0, count), _rows.Weights);
    }

    private string[] FeatureNumbers() => [.. Enumerable.Range(0, Dimension).Select(d => d.ToString(System.Globalization.CultureInfo.InvariantCulture))];
}
