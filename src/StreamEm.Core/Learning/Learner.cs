using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
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

    /// <summary>There are parameters, and the buffer is filling to find others: these are of another stream.</summary>
    StartingAnew,
}

/// <summary>
/// The pure fold behind one model: (state, records) -> state. Buffers the start of the stream, initialises, cuts minibatches, updates,
/// calibrates. The buffered records are then learned from like all others. No clock, no I/O; the whole state is what <see cref="Save"/>
/// writes, and <see cref="Load"/> goes on to the same bytes. One thread at a time.
/// </summary>
public sealed partial class Learner
{
    /// <summary>Texts beyond which those of no row pending are forgotten, where they are most.</summary>
    private const int MaxPendingTexts = 1 << 16;

    /// <summary>Rows from which parameters may be found anew when no more come.</summary>
    private const int FewestAnew = 64;

    private readonly LatentModelOptions _model;
    private readonly LearningOptions _options;
    private readonly RecordSchema _schema;
    private readonly FeatureSpace _plan;
    private readonly int _threads;
    private readonly Minibatch _pending, _raw, _rows;
    private readonly StreamCalibration _calibration;
    private readonly PowerLaw _stepSize;
    private readonly LabelNames _labels;
    private readonly RecordIntake _intake;
    private readonly Surprise _surprise = new();
    private readonly LearnGate? _gate;
    private readonly FeatureStream? _features;
    private readonly int _buffer;
    private LearnerCore? _core;
    private LearnedModel? _latest;
    private long _dropped;

    /// <summary>A learner without state.</summary>
    /// <param name="model">The model's options.</param>
    /// <param name="schema">The features and what else the records have.</param>
    /// <param name="options">How to learn.</param>
    /// <param name="from">Parameters to start exactly at, in the user's units; null initialises from the buffer.</param>
    /// <param name="threads">Threads for one minibatch, 0 for every core; the result does not depend on it.</param>
    /// <exception cref="ArgumentException">The schema or <paramref name="from"/> does not fit the model.</exception>
    public Learner(LatentModelOptions model, RecordSchema schema, LearningOptions options, InitialParameters? from = null, int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfZero(schema.Width);
        _features = FeatureStream.Of(schema, options.Calendar);
        _plan = from?.Plan(model, schema) ?? model.Plan(schema);
        if (from is not null) model = model.WithClasses(model.ClassesIn(from.Blocks.Keys, _plan));
        (_model, _schema, _options, _threads) = (model.For(options.Responsibilities.Kind), schema, options, threads);
        int dimension = _plan.Dimension;
        _buffer = model.Growth is null ? options.Initialization.Buffer : Growing.GrowingMixture.FirstRows;
        _pending = new Minibatch(dimension, Math.Max(options.MinibatchSize, from is null ? _buffer : 1), new TextTable());
        _raw = new Minibatch(dimension, options.MinibatchSize);
        _rows = new Minibatch(dimension, options.MinibatchSize);
        if (_plan.HasTerms) _pending.BeginTerms();
        _pending.KeepsEnds = model.Sequences.EndMarker is not null;
        LatentModel largest = model.CreateLargest(schema);
        _calibration = new StreamCalibration(dimension, largest.Order == RowOrder.Any && !_plan.HasTerms);
        _stepSize = new PowerLaw(options.StepSize);
        _labels = LabelNames.Of(model, (largest as ComponentModel)?.Components ?? 0);
        _intake = new RecordIntake(_plan, _labels);
        if (options.Learn == LearnMode.Gated && model.Growth is null) _gate = new LearnGate(dimension, options);
        if (from is null) return;
        _core = LearnerCore.StartAt(model, _plan, options, from, threads);
        if (from.Calibration is { } calibration) _calibration.Restore(calibration);
        if (!_labels.AreClasses && from.Labels.Count == _labels.Names.Count) _labels.Restore(from.Labels, unknown: 0);
    }

    /// <summary>Where it stands.</summary>
    public LearnerStatus Status => _core is null ? Pending > 0 ? LearnerStatus.WarmingUp : LearnerStatus.Waiting
        : IsGathering ? LearnerStatus.StartingAnew : LearnerStatus.Learning;

    /// <summary>Number of features D.</summary>
    public int Dimension => _plan.Dimension;

    /// <summary>Updates so far: the version of the parameters.</summary>
    public long Updates => _core?.State.Updates ?? 0;

    /// <summary>Records learned from so far.</summary>
    public long Records => _core is null ? 0 : _core.State.Rows - _core.State.Unlearned;

    /// <summary>Records taken and not learned from: without weight or value, impossible under the model, or held back.</summary>
    public long Unlearned => _dropped + (_core?.State.Unlearned ?? 0);

    /// <summary>Of these, records held back because they were too far from every component.</summary>
    public long Bounded => _core?.State.Bounded ?? 0;

    /// <summary>Mean log-likelihood of the last minibatch under the parameters before it, nats per record, user units; NaN before the
    /// first update, and where no record could be used.</summary>
    public double MeanLogLikelihood => _core?.MeanLogLikelihood ?? double.NaN;

    /// <summary>Records taken but not learned from yet.</summary>
    public int Pending => _pending.Count;

    /// <summary>Records that can be taken before <see cref="TryUpdate"/> has something to do; at least 1.</summary>
    public int Room => IsGathering ? Math.Max(1, _buffer - _pending.Count) : _core!.Cut.Room(_pending);

    private bool IsGathering => _core is null || _core.Guard is { AwaitsAnew: true };

    /// <summary>Texts kept for the labels, keys and levels of pending records, and of some before them.</summary>
    internal int PendingTexts => _pending.Texts!.Count;

    /// <summary>
    /// Called before every update with the minibatch, as records come (valid during the call), and what scores them under the parameters
    /// before it. Null skips that work.
    /// </summary>
    public Action<Minibatch, ScoreSession>? BeforeUpdate { get; set; }

    /// <summary>
    /// Called when a part of an update begins, so that somebody with a clock can tell how long each takes; not of mixtures that grow, whose
    /// steps are record by record. Null where nobody asks.
    /// </summary>
    public Action<UpdatePhase>? Entering { get; set; }

    /// <summary>What makes the rows to be taken of the records that are read; null where they are taken as they are.</summary>
    public FeatureStream? Features => _features;

    /// <summary>
    /// During <see cref="BeforeUpdate"/>: for every row of the minibatch which of the records taken and not learned from it is, in the
    /// order in which they were taken; empty where it is the first ones as they are.
    /// </summary>
    public ReadOnlySpan<int> Origins => _core is null ? default : _core.Cut.Origins;

    /// <summary>
    /// Takes records as a source delivers them, made by <see cref="Features"/>, in the user's units; copied. Cut the stream at
    /// <see cref="Room"/> records to have the updates where one record at a time would have them.
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
    /// <param name="flush">Whether less than a minibatch is enough.</param>
    /// <param name="hasEnded">With <paramref name="flush"/>: whether no more records will come, so that every sequence is over.</param>
    public bool TryUpdate(bool flush = false, bool hasEnded = true)
    {
        if (_pending.Count == 0) return false;
        if (IsGathering && !TryInitialize(flush)) return false;
        // A mixture that grows has no parameters before its first records.
        bool cuts = flush || (Updates == 0 && _core!.Growing is not null);
        CutMoment moment = !cuts ? CutMoment.Full : hasEnded ? CutMoment.Ended : CutMoment.Waited;
        while (_core!.Cut.Next(_pending, moment, out int count) is { } minibatch)
        {
            bool isFrozen = IsFrozen(_core);
            if (!isFrozen || Updates == 0)
            {
                Update(_core, minibatch, count, isFrozen);
                return true;
            }
            _core.Pass(minibatch, count, _rows, _surprise);
            TakeOff(count);
        }
        return false;
    }

    /// <summary>What has been learned; null before the first update.</summary>
    public LearnedModel? CreateSnapshot() => _core is null || Updates == 0 ? null : _latest = Learned(_core);

    /// <summary>
    /// What scores records as they come, under the parameters there are: those that come before the next update are scored before they are
    /// learned from. Each version needs one of its own. Null before the first update.
    /// </summary>
    /// <param name="replaced">The session of an earlier version, which is not used any more and whose memory is; null for none.</param>
    public ScoreSession? CreateScoreSession(ScoreSession? replaced = null)
    {
        if (_core is not { } core || Updates == 0) return null;
        ScoreSession session = ScoreSession.OfStream(
            _latest ?? Learned(core), core.Cut.Keys, core.Cut.Memory, core.Cut.Lengths, core.Cut.SlotsOfPending, replaced,
            core.Growing);
        if ((core.Model.Order == RowOrder.Any && core.Growing is null) || Pending == 0) return session;
        // What is pending has moved nothing on yet, and comes before what is to be scored.
        Restore(core.Space, Pending);
        session.Score(_raw, new double[Pending], new double[Pending * session.Scorer.Layout.Length], new double[Pending]);
        return session;
    }

    /// <summary>The model, of the classes known where labels name any.</summary>
    private LatentModelOptions Model => _model.WithClasses(_labels.AreClasses ? _labels.Known : []);

    private LearnedModel Learned(LearnerCore core) => core.CreateSnapshot(_schema, _calibration, _labels, _intake);

    private void Update(LearnerCore core, Minibatch minibatch, int count, bool isFrozen)
    {
        if (BeforeUpdate is { } observe)
        {
            Restore(core.Space, count);
            MinibatchCut cut = core.Cut;
            observe(_raw, ScoreSession.OfStream(
                Learned(core), cut.Keys, cut.Memory, cut.LengthsBefore, cut.SlotsOfMinibatch, replaced: null, core.Growing));
        }
        core.Entering = Entering;
        if (core.Growing is not null) core.Grow(minibatch, count);
        else if (isFrozen) core.Pass(minibatch, count, _rows, _surprise);
        else if (_gate is not null) UpdateGated(core, _gate, minibatch, count);
        else if (core.Update(minibatch, count, _rows, _surprise, mayStartAnew: !_labels.Any)) Calibrate(core, count);
        else _calibration.Clear();
        _latest = null;
        if (core.Guard is { AwaitsAnew: true }) _intake.FreeLevels();
        TakeOff(count);
    }

    /// <summary>The first pending rows are done with.</summary>
    private void TakeOff(int count)
    {
        if (count == _pending.Count) _pending.Clear();
        else _pending.RemoveFirst(count);
        if (_pending.Texts!.Count > Math.Max(MaxPendingTexts, 2 * _pending.Count)) _pending.ForgetTexts();
    }

    /// <summary>The first pending rows as they came: levels as texts, terms as they were read.</summary>
    private void Restore(FeatureSpace space, int count)
    {
        _raw.Clear();
        _raw.Texts = _pending.Texts;
        if (space.HasTerms) _raw.BeginTerms();
        for (int row = 0; row < count; row++)
        {
            _pending.Row(row).CopyTo(_raw.NextRow);
            for (int d = 0; space.HasLevels && d < Dimension; d++)
            {
                ref double value = ref _raw.NextRow[d];
                if (space.Features[d].Kind == FeatureKind.Level && !double.IsNaN(value))
                    value = _pending.Texts!.Number(space.Features[d].Levels[(int)value]);
            }
            if (space.HasTerms) _raw.SetTerms(row, _pending.Terms(row), _pending.CountsOfTerms(row));
            _raw.Commit(_pending.Weight(row), Minibatch.Unlabelled, _pending.Target(row), _pending.Key(row), _pending.Timestamp(row));
            if (_pending.IsLast(row)) _raw.EndSequence();
        }
    }

    private void Calibrate(LearnerCore core, int count)
    {
        FadeCalibration(core, count);
        _calibration.Add(_rows, _surprise.IsComplete, _surprise.LogDensities.AsSpan(0, count), _surprise.Comparable, _surprise.Unit);
    }

    /// <summary>The memory of scores forgets as the parameters do, before the records of an update are added.</summary>
    private void FadeCalibration(LearnerCore core, int count)
    {
        long updates = core.State.Updates - core.State.Begun;
        if (_options.AnomalyHalfLife is { } halfLife) _calibration.Fade(ScalarMath.Pow(2, -count / halfLife));
        else if (updates > 1 && core.State.BarrenUpdates == 0)
            _calibration.Fade(StreamCalibration.FadeOf(_stepSize.At(updates - 1), _stepSize.At(updates), count));
    }
}
