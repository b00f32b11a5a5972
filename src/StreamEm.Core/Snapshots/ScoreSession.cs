using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Growing;
using StreamEm.Core.Models;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// Scores records under one scorer, batch after batch: a model of sequences remembers of every key where it stands. One thread at a time.
/// </summary>
public sealed class ScoreSession
{
    private readonly Workspace _workspace;
    private readonly Minibatch _inside;
    private readonly LevelReader? _levels;
    private readonly StreamMemory? _memory;
    private readonly KeyTable? _keys;
    private readonly SequenceLengths? _lengths;
    private readonly GrowingMixture? _growing;
    private readonly DetectionScore? _detection;
    private readonly SlottedRows _slotted;
    private double[] _novelty = [];
    private readonly SequenceGroups _groups = new();
    private readonly HashSet<int> _met = [];
    private Minibatch? _grouped;
    private int[] _slots = [];
    private bool[] _begins = [];
    private int _slottedTaken;
    private double[] _logDensities = [], _scores = [], _anomalyScores = [], _pValues = [], _comparable = [];

    /// <summary>A session that has seen no record.</summary>
    public ScoreSession(Scorer scorer)
        : this(scorer, null, null)
    {
    }

    /// <summary>A session that goes on where a learner stands; what it learns of the keys stays its own.</summary>
    private ScoreSession(
        Scorer scorer, KeyTable? keys, StreamMemory? memory, SequenceLengths? lengths = null, ScoreSession? replaced = null,
        GrowingMixture? growing = null, SlottedRows slotted = default)
    {
        (Scorer, _slotted) = (scorer, slotted);
        if (growing is null) _detection = scorer.CreateDetection();
        else if (replaced?._growing is { } spent) (_growing = spent).CopyFrom(growing);
        else _growing = growing.Copy();
        bool isOfSameModel = replaced is not null && replaced.Scorer.Learned.Space == scorer.Learned.Space
            && replaced.Scorer.Model == scorer.Model;
        _workspace = isOfSameModel ? replaced!._workspace : scorer.EStep.CreateWorkspace();
        _inside = isOfSameModel ? replaced!._inside : new Minibatch(scorer.Dimension);
        _comparable = isOfSameModel ? replaced!._comparable : [];
        _levels = scorer.Learned.Space.HasLevels ? new LevelReader(scorer.Learned.Space) : null;
        int capacity = keys?.Capacity ?? Math.Max(1, scorer.Learned.Options.MaxKeys);
        _memory = scorer.Model.CreateMemory(capacity);
        if (_memory is null) return;
        _keys = new KeyTable(capacity);
        SequenceOptions sequences = scorer.Learned.Options.Sequences;
        if (sequences.HasLimits) _lengths = new SequenceLengths(capacity, sequences);
        if (keys is null || memory is null) return;
        _keys.CopyFrom(keys);
        _memory.CopyFrom(memory);
        if (lengths is not null) _lengths?.CopyFrom(lengths);
    }

    /// <summary>
    /// A session of a stream that is learned from: it goes on where the learner stands, and a row's scores are the same to the bit however
    /// many rows come with it.
    /// </summary>
    /// <param name="learned">What is scored under.</param>
    /// <param name="keys">The keys the learner remembers; null for none.</param>
    /// <param name="memory">What it remembers of them; null for nothing.</param>
    /// <param name="lengths">How far their sequences have come; null where nothing ends one.</param>
    /// <param name="replaced">A session that is not used any more, whose memory is; null for none.</param>
    /// <param name="slotted">Of the rows that are scored first, what the learner knows of their keys already; none where it knows
    /// nothing.</param>
    /// <param name="growing">A mixture that grows, which a copy of goes on record by record; null where a version is scored under.</param>
    internal static ScoreSession OfStream(
        LearnedModel learned, KeyTable? keys, StreamMemory? memory, SequenceLengths? lengths, SlottedRows slotted,
        ScoreSession? replaced, GrowingMixture? growing = null) =>
        new(new Scorer(learned, replaced?.Scorer), keys, memory, lengths, replaced, growing, slotted) { IsOfStream = true };

    /// <summary>What is scored under.</summary>
    public Scorer Scorer { get; }

    /// <summary>Whether a row's scores are the same to the bit however many rows come with it.</summary>
    private bool IsOfStream { get; init; }

    /// <summary>
    /// Whether <c>scores</c> may be left empty: rows can be asked for again, for what they have not been scored with.
    /// </summary>
    public bool CanRepeat => _memory is null;

    /// <summary>Whether the rows' p-values against everything seen are told beside those against what is normal.</summary>
    public bool TellsNovelty => _growing is not null;

    /// <summary>The p-value of each row last scored against everything seen; empty where that is not told.</summary>
    public ReadOnlySpan<double> NoveltyPValues => _novelty;

    /// <summary>
    /// Scores all rows; see <see cref="Snapshots.Scorer.Score"/>. Rows of a key are scored in their order, each given those before it.
    /// Without room for anomaly scores and p-values only the rest is said, which moves nothing on.
    /// </summary>
    public void Score(
        Minibatch batch, Span<double> logDensities, Span<double> scores, Span<double> anomalyScores, Span<double> pValues = default)
    {
        Minibatch rows = _levels?.Encode(batch) ?? batch;
        if (_memory is null)
        {
            Run(rows, logDensities, scores, anomalyScores, pValues);
            return;
        }
        for (int first = 0; first < rows.Count;) first += ScoreGrouped(rows, first, logDensities, scores, anomalyScores, pValues);
    }

    /// <summary>Scores as many rows as there may be keys, put together by key, and puts the scores back in the rows' order.</summary>
    private int ScoreGrouped(
        Minibatch rows, int first, Span<double> logDensities, Span<double> scores, Span<double> anomalyScores, Span<double> pValues)
    {
        int count = Math.Min(rows.Count - first, _keys!.Capacity), width = Scorer.Layout.Length;
        Reserve(count, width);
        var part = new Minibatch(rows.Dimension, count);
        part.Append(rows, first, count);
        _met.Clear();
        for (int row = 0; row < count; row++)
        {
            int slot = _slots[row] = SlotOf(rows, first + row, out _begins[row]);
            // Its first row here goes on from nothing; a later one follows its key.
            if (_met.Add(slot) && _begins[row]) _memory!.Forget(slot);
        }
        _grouped ??= new Minibatch(rows.Dimension, count);
        _groups.Group(part, _slots.AsSpan(0, count), _grouped, _begins.AsSpan(0, count));
        Run(_grouped, _logDensities.AsSpan(0, count), _scores.AsSpan(0, count * width), _anomalyScores.AsSpan(0, count),
            _pValues.AsSpan(0, count));
        ReadOnlySpan<int> order = _groups.Order;
        for (int at = 0; at < count; at++)
        {
            int row = first + order[at];
            logDensities[row] = _logDensities[at];
            anomalyScores[row] = _anomalyScores[at];
            if (!pValues.IsEmpty) pValues[row] = _pValues[at];
            _scores.AsSpan(at * width, width).CopyTo(scores[(row * width)..]);
        }
        return count;
    }

    private int SlotOf(Minibatch rows, int row, out bool begins)
    {
        if (_slottedTaken < _slotted.Count)
        {
            begins = _slotted.Begins[_slottedTaken];
            return _slotted.Slots[_slottedTaken++];
        }
        int slot = _keys!.Touch(rows.Texts?.Find(rows.Key(row)) ?? "", out bool isNew);
        begins = _lengths?.Take(slot, rows.Timestamp(row), isNew, rows.IsLast(row)) ?? isNew;
        return slot;
    }

    private void Run(
        Minibatch rows, Span<double> logDensities, Span<double> scores, Span<double> anomalyScores, Span<double> pValues)
    {
        bool complete = Scorer.Learned.Space.Encode(rows, 0, rows.Count, _inside);
        bool judges = _growing is null && !anomalyScores.IsEmpty;
        bool compares = judges && _detection is null && !complete && Scorer.Learned.Calibration is not null;
        if (compares && _comparable.Length < rows.Count) _comparable = new double[rows.Count];
        _workspace.Pass = new Pass(_memory, Comparable: compares ? _comparable : null) { IsOfStream = IsOfStream };
        Scorer.EStep.Score(_inside, 0, rows.Count, logDensities, scores, _workspace);
        Scorer.Finish(
            _inside, complete, logDensities, compares ? _comparable : default, scores, judges ? anomalyScores : default, pValues,
            _detection);
        if (_growing is not null && !anomalyScores.IsEmpty) GoOn(_growing, rows, anomalyScores, pValues);
    }

    /// <summary>Scores rows by all there was before each, and takes them.</summary>
    private void GoOn(GrowingMixture growing, Minibatch rows, Span<double> anomalyScores, Span<double> pValues)
    {
        if (_novelty.Length < rows.Count) _novelty = new double[rows.Count];
        for (int row = 0; row < rows.Count; row++)
        {
            GrowingScore score = growing.Step(rows.Row(row), learns: rows.Weight(row) > 0);
            anomalyScores[row] = 1 - score.PValue;
            if (!pValues.IsEmpty) pValues[row] = score.PValue;
            _novelty[row] = score.NoveltyPValue;
        }
    }

    private void Reserve(int count, int width)
    {
        if (_slots.Length >= count) return;
        _slots = new int[count];
        _begins = new bool[count];
        _logDensities = new double[count];
        _anomalyScores = new double[count];
        _pValues = new double[count];
        _scores = new double[count * width];
    }
}
