using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.WhatIf;

/// <summary>
/// Learns records that have been learned before, under some configuration and from a start of their own: the first of them give the first
/// parameters, and each is scored before it is learned from, as in the stream. On one thread, so that the model that runs keeps the others.
/// </summary>
internal sealed class Replay
{
    private const int MostPoints = 300, MostAlarms = 200;

    private readonly Learner _learner;
    private readonly AlarmWatch? _alarms;
    private readonly PassLikelihood _likelihood = new();
    private readonly long _warmUp;
    private readonly List<(long Record, double Sum, long Count)> _points = [];
    private readonly List<ReplayAlarm> _first = [];
    private readonly RowScores _scores = new();
    private readonly Minibatch _part;
    private ScoreSession? _session;
    private bool _isCurrent;
    private long _record;

    private Replay(ModelOptions options)
    {
        _learner = new Learner(options.Model, options.Schema, options.Learning, from: null, threads: 1);
        _alarms = options.CreateAlarms();
        _warmUp = options.Learning.Initialization.Buffer;
        _part = new Minibatch(_learner.Dimension);
    }

    /// <summary>Replays records.</summary>
    /// <param name="options">The model.</param>
    /// <param name="records">As they were read, under <paramref name="read"/>.</param>
    /// <param name="read">The schema they were read under; that of the model has some of its columns.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="ArgumentException">Schema and model do not go together.</exception>
    public static ReplayOutcome Run(
        ModelOptions options, IReadOnlyList<Minibatch> records, RecordSchema read, TimeProvider time, CancellationToken stop)
    {
        long began = time.GetTimestamp();
        var replay = new Replay(options);
        int[] columns = [.. options.Schema.Read.Columns.Select(name => read.Columns.ToList().IndexOf(name))];
        bool isSame = columns.SequenceEqual(Enumerable.Range(0, read.Width));
        foreach (Minibatch rows in records) replay.Take(isSame ? rows : Chosen(rows, columns), stop);
        replay.End();
        return replay.Outcome(time.GetElapsedTime(began).TotalSeconds);
    }

    /// <summary>Some columns of rows, with all that accompanies them.</summary>
    private static Minibatch Chosen(Minibatch rows, int[] columns)
    {
        var chosen = new Minibatch(columns.Length, rows.Count, rows.Texts);
        double[] values = new double[columns.Length];
        for (int row = 0; row < rows.Count; row++)
        {
            for (int d = 0; d < columns.Length; d++) values[d] = rows.Row(row)[columns[d]];
            chosen.Add(values, rows.Weight(row), rows.Label(row), rows.Target(row), rows.Key(row), rows.Timestamp(row));
        }

        return chosen;
    }

    private void Take(Minibatch rows, CancellationToken stop)
    {
        for (int first = 0, count; first < rows.Count; first += count)
        {
            stop.ThrowIfCancellationRequested();
            count = Math.Min(_learner.Room, rows.Count - first);
            Minibatch made = _learner.Features?.Make(rows, first, count) ?? rows;
            int at = ReferenceEquals(made, rows) ? first : 0;
            if (_alarms is not null) Score(made, at, count);
            _learner.Add(made, at, count);
            _record += count;
            while (_learner.TryUpdate()) Updated();
        }
    }

    private void End()
    {
        while (_learner.TryUpdate(flush: true, hasEnded: true)) Updated();
    }

    private void Updated()
    {
        _isCurrent = false;
        long before = _likelihood.Records;
        if (_learner.Records + _learner.Unlearned > _warmUp) _likelihood.Take(_learner);
        else _likelihood.Begin(_learner);
        long count = _likelihood.Records - before;
        if (count > 0 && double.IsFinite(_learner.MeanLogLikelihood)) _points.Add((_record, _learner.MeanLogLikelihood * count, count));
    }

    private void Score(Minibatch rows, int first, int count)
    {
        if (!_isCurrent)
        {
            if (_learner.CreateScoreSession(_session) is not { } session) return;
            (_session, _isCurrent) = (session, true);
            _scores.Begin(session);
            _alarms!.Begin(session.Scorer.Learned, session.TellsNovelty);
        }

        Minibatch part = rows;
        if (count < rows.Count)
        {
            _part.Clear();
            _part.Texts = rows.Texts;
            _part.Append(rows, first, count);
            part = _part;
        }

        _scores.Score(part, isDetailed: false);
        for (int row = 0; row < count; row++) Watch(part, row);
    }

    private void Watch(Minibatch rows, int row)
    {
        (double pValue, double novelty) = (_scores.PValues[row], _scores.NoveltyPValues[row]);
        int component = -1;
        if (_alarms!.HasLimits && _alarms.MayMatter(pValue, novelty))
        {
            _scores.Detail([row]);
            component = _scores.Component(row);
        }

        (string? key, long time) = (rows.Texts?.Find(rows.Key(row)), rows.Timestamp(row));
        AlarmMark mark = _alarms.Take(key, time, pValue, novelty, component, rows.Row(row));
        if (mark != AlarmMark.Raised || _first.Count == MostAlarms) return;
        DateTimeOffset? when = time == Minibatch.NoTimestamp ? null : DateTimeOffset.FromUnixTimeMilliseconds(time);
        _first.Add(new ReplayAlarm(_record + row, key, when, pValue));
    }

    private ReplayOutcome Outcome(double seconds)
    {
        int together = Math.Max(1, (_points.Count + MostPoints - 1) / MostPoints);
        (long Record, double Sum, long Count)[][] groups = [.. _points.Chunk(together)];
        var curve = new ReplayCurve(
            [.. groups.Select(group => group[^1].Record)],
            [.. groups.Select(group => group.Sum(point => point.Sum) / group.Sum(point => point.Count))]);
        return new ReplayOutcome(
            _learner.Updates, _likelihood.Records, _likelihood.Records > 0 ? _likelihood.Mean : null, curve,
            _alarms is null ? null : new ReplayAlarms(_alarms.Raised, _alarms.Cleared, _alarms.Lasting, _first), seconds);
    }
}
