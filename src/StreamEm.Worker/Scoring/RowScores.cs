using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Worker.Scoring;

/// <summary>What a session says of some rows, in memory that is used again. One thread at a time.</summary>
internal sealed class RowScores
{
    private ScoreSession? _session;
    private VectorBlock? _membership, _classes;
    private Minibatch? _rows;
    private Minibatch? _chosen;
    private double[] _ofChosen = [], _scoresOfChosen = [];
    private int _width;
    private bool _isDetailed;
    private double[] _logDensities = [], _scores = [], _anomalyScores = [], _pValues = [], _ofKeys = [];
    private bool[] _isOfKey = [];
    private bool _isKeyed;

    /// <summary>What the rows to come are scored by.</summary>
    public void Begin(ScoreSession session)
    {
        Scorer scorer = session.Scorer;
        _session = session;
        _width = scorer.Layout.Length;
        _membership = scorer.Learned.Model is ComponentModel model ? scorer.Layout[model.MembershipBlock] : null;
        _classes = scorer.Learned.Model.Classes.Count > 0 ? scorer.Layout["class_probabilities"] : null;
    }

    /// <summary>Anomaly scores of the rows.</summary>
    public ReadOnlySpan<double> AnomalyScores => _anomalyScores.AsSpan(0, _rows?.Count ?? 0);

    /// <summary>P-values of the rows.</summary>
    public ReadOnlySpan<double> PValues => _pValues.AsSpan(0, _rows?.Count ?? 0);

    /// <summary>P-values of the rows against everything seen, where that is told; else the same as <see cref="PValues"/>.</summary>
    public ReadOnlySpan<double> NoveltyPValues => _isKeyed ? _ofKeys.AsSpan(0, _rows?.Count ?? 0) :
        _session is { TellsNovelty: true } session ? session.NoveltyPValues[..(_rows?.Count ?? 0)] : PValues;

    /// <summary>Scores rows.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="isDetailed">Whether most of them are asked for more than how improbable they are; else <see cref="Detail"/> says
    /// it of some.</param>
    public void Score(Minibatch rows, bool isDetailed = true)
    {
        ScoreSession session = _session ?? throw new InvalidOperationException("Scores were not begun.");
        _rows = rows;
        if (_logDensities.Length < rows.Count || _scores.Length < rows.Count * _width)
        {
            _logDensities = new double[rows.Count];
            _anomalyScores = new double[rows.Count];
            _pValues = new double[rows.Count];
            _scores = new double[rows.Count * _width];
        }

        _isKeyed = false;
        _isDetailed = isDetailed || !session.CanRepeat;
        session.Score(rows, _logDensities.AsSpan(0, rows.Count), _isDetailed ? _scores.AsSpan(0, rows.Count * _width) : default,
            _anomalyScores.AsSpan(0, rows.Count), _pValues.AsSpan(0, rows.Count));
    }

    /// <summary>Has the models of the rows' keys say how improbable they are, of the keys whose model knows that.</summary>
    /// <param name="keyed">What they say of each row.</param>
    public void Replace(ReadOnlySpan<KeyedScore> keyed)
    {
        ReadOnlySpan<double> shared = NoveltyPValues;
        if (_ofKeys.Length < keyed.Length) (_ofKeys, _isOfKey) = (new double[keyed.Length], new bool[keyed.Length]);
        for (int row = 0; row < keyed.Length; row++)
        {
            bool isOwn = _isOfKey[row] = !double.IsNaN(keyed[row].PValue);
            _ofKeys[row] = isOwn ? keyed[row].NoveltyPValue : shared[row];
            if (isOwn) (_pValues[row], _anomalyScores[row]) = (keyed[row].PValue, 1 - keyed[row].PValue);
        }

        _isKeyed = true;
    }

    /// <summary>The component a row most probably comes from; -1 for a model without components.</summary>
    public int Component(int row) => Largest(_membership, row);

    /// <summary>All that is said of a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="record">The record's number.</param>
    /// <param name="alarm">What it does to the alarms.</param>
    /// <param name="partition">The partition it is from; null where that is not told.</param>
    /// <param name="offset">Its offset there.</param>
    /// <param name="pathState">Its state on the most likely path; -1 where that is not told.</param>
    public ScoredRecord Of(
        int row, long record, AlarmMark alarm = AlarmMark.None, string? partition = null, long offset = 0, int pathState = -1)
    {
        Minibatch rows = _rows ?? throw new InvalidOperationException("No rows were scored.");
        int component = Component(row);
        return new ScoredRecord
        {
            Record = record,
            Key = rows.Texts?.Find(rows.Key(row)),
            Timestamp = rows.Timestamp(row),
            Partition = partition,
            Offset = offset,
            LogDensity = _logDensities[row],
            Scores = ScoresOf(row),
            Component = component,
            Uncertainty = component < 0 ? double.NaN : Math.Max(0, 1 - _membership!.Of(ScoresOf(row))[component]),
            Class = Largest(_classes, row),
            PathState = pathState,
            AnomalyScore = _anomalyScores[row],
            PValue = _pValues[row],
            NoveltyPValue = _session is { TellsNovelty: true } || (_isKeyed && _isOfKey[row]) ? NoveltyPValues[row] : null,
            IsOfKey = _isKeyed ? _isOfKey[row] : null,
            Alarm = alarm,
            Rows = rows,
            Row = row,
        };
    }

    /// <summary>Says more of some rows than how improbable they are, where that was left out.</summary>
    public void Detail(ReadOnlySpan<int> chosen)
    {
        if (_isDetailed || chosen.IsEmpty) return;
        (ScoreSession session, Minibatch rows, int count) = (_session!, _rows!, chosen.Length);
        _chosen ??= new Minibatch(rows.Dimension, count);
        _chosen.Clear();
        _chosen.Texts = rows.Texts;
        _chosen.Append(rows, chosen);
        if (_ofChosen.Length < count || _scoresOfChosen.Length < count * _width)
            (_ofChosen, _scoresOfChosen) = (new double[count], new double[count * _width]);
        session.Score(_chosen, _ofChosen.AsSpan(0, count), _scoresOfChosen.AsSpan(0, count * _width), []);
        for (int at = 0; at < count; at++)
            _scoresOfChosen.AsSpan(at * _width, _width).CopyTo(_scores.AsSpan(chosen[at] * _width));
    }

    private int Largest(VectorBlock? block, int row)
    {
        if (block is null) return -1;
        ReadOnlySpan<double> values = block.Of(ScoresOf(row));
        int largest = 0;
        for (int k = 1; k < values.Length; k++)
            if (values[k] > values[largest]) largest = k;
        return largest;
    }

    private ReadOnlySpan<double> ScoresOf(int row) => _scores.AsSpan(row * _width, _width);
}
