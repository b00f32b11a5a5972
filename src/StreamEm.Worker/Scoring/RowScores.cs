using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Worker.Scoring;

/// <summary>What a session says of some rows, in memory that is used again. One thread at a time.</summary>
internal sealed class RowScores
{
    private ScoreSession? _session;
    private VectorBlock? _membership;
    private Minibatch? _rows;
    private int _width;
    private double[] _logDensities = [], _scores = [], _anomalyScores = [], _pValues = [];

    /// <summary>What the rows to come are scored by.</summary>
    public void Begin(ScoreSession session)
    {
        Scorer scorer = session.Scorer;
        _session = session;
        _width = scorer.Layout.Length;
        _membership = scorer.Learned.Model is ComponentModel model ? scorer.Layout[model.MembershipBlock] : null;
    }

    /// <summary>Anomaly scores of the rows.</summary>
    public ReadOnlySpan<double> AnomalyScores => _anomalyScores.AsSpan(0, _rows?.Count ?? 0);

    /// <summary>P-values of the rows.</summary>
    public ReadOnlySpan<double> PValues => _pValues.AsSpan(0, _rows?.Count ?? 0);

    /// <summary>Scores rows.</summary>
    public void Score(Minibatch rows)
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

        session.Score(rows, _logDensities.AsSpan(0, rows.Count), _scores.AsSpan(0, rows.Count * _width),
            _anomalyScores.AsSpan(0, rows.Count), _pValues.AsSpan(0, rows.Count));
    }

    /// <summary>The component a row most probably comes from; -1 for a model without components.</summary>
    public int Component(int row)
    {
        if (_membership is null) return -1;
        ReadOnlySpan<double> values = _membership.Of(ScoresOf(row));
        int largest = 0;
        for (int k = 1; k < values.Length; k++)
            if (values[k] > values[largest]) largest = k;
        return largest;
    }

    /// <summary>All that is said of a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="record">The record's number.</param>
    /// <param name="alarm">What it does to the alarms.</param>
    /// <param name="partition">The partition it is from; null where that is not told.</param>
    /// <param name="offset">Its offset there.</param>
    public ScoredRecord Of(int row, long record, AlarmMark alarm = AlarmMark.None, string? partition = null, long offset = 0)
    {
        Minibatch rows = _rows ?? throw new InvalidOperationException("No rows were scored.");
        return new ScoredRecord
        {
            Record = record,
            Key = rows.Texts?.Find(rows.Key(row)),
            Timestamp = rows.Timestamp(row),
            Partition = partition,
            Offset = offset,
            LogDensity = _logDensities[row],
            Scores = ScoresOf(row),
            Component = Component(row),
            AnomalyScore = _anomalyScores[row],
            PValue = _pValues[row],
            Alarm = alarm,
            Rows = rows,
            Row = row,
        };
    }

    private ReadOnlySpan<double> ScoresOf(int row) => _scores.AsSpan(row * _width, _width);
}
