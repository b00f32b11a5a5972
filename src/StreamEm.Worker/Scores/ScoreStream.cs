using System.Runtime.InteropServices;
using StreamEm.Core;
using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Shown;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scores;

/// <summary>
/// Scores the records of one model as they come, under the parameters there are: each before it is learned from (test-then-train). Keeps
/// the alarms, and hands on what the sinks ask for. A function of the records, their order and its own state, so that a replay says the
/// same. Before the first version nothing is said: those records are what the parameters were found in. Used by the learner's thread.
/// </summary>
internal sealed class ScoreStream
{
    /// <summary>From this score on, records are so few that each costs less alone than all do together.</summary>
    private const double FewAbove = 0.95;

    private Learner _learner;
    private readonly ScoreDelivery _delivery;
    private readonly AlarmWatch? _alarms;
    private readonly RecentRecords? _recent;
    private readonly IKeyScores? _keyed;
    private readonly Outlet[] _outlets;
    private readonly ModelMetrics _metrics;
    private readonly ShownRecords _shown;
    private readonly TimeProvider _time;
    private readonly RowScores _scores = new();
    private readonly Minibatch _part;
    private readonly List<int> _chosen = [];
    private AlarmMark[] _marks = [];
    private ScoreSession? _session;
    private readonly bool _isDetailed;
    private bool _isCurrent;

    /// <summary>A stream of scores.</summary>
    /// <param name="modelId">The model.</param>
    /// <param name="schema">Its fields.</param>
    /// <param name="learner">What learns.</param>
    /// <param name="sinks">What each lane asks for, in their order.</param>
    /// <param name="delivery">The lanes.</param>
    /// <param name="alarms">The alarms; null for none.</param>
    /// <param name="recent">The last records; null where nothing is said of them.</param>
    /// <param name="keyed">The models of the keys, which have taken the records before; null for none.</param>
    /// <param name="metrics">Told what was scored.</param>
    /// <param name="shown">Told of alarms and of what is strange.</param>
    /// <param name="time">The clock.</param>
    public ScoreStream(
        string modelId, RecordSchema schema, Learner learner, IReadOnlyList<ScoreSelection> sinks, ScoreDelivery delivery,
        AlarmWatch? alarms, RecentRecords? recent, IKeyScores? keyed, ModelMetrics metrics, ShownRecords shown, TimeProvider time)
    {
        (_learner, _delivery, _alarms, _recent, _metrics, _shown, _time) = (learner, delivery, alarms, recent, metrics, shown, time);
        _keyed = keyed;
        _part = new Minibatch(learner.Dimension);
        _outlets = [.. sinks.Zip(delivery.Lanes, (sink, lane) => new Outlet(sink, lane, modelId, schema))];
        _isDetailed = sinks.Any(sink => !sink.AlarmsOnly && !(sink.Above >= FewAbove) && !(sink.Sample <= 1 - FewAbove));
        TellAlarms();
    }

    /// <summary>The lanes.</summary>
    public ScoreDelivery Delivery => _delivery;

    /// <summary>Whether the records of a partition are numbered by their offsets: there is no order of all.</summary>
    public bool NumbersByOffset { get; init; }

    /// <summary>From here on the learner has other parameters.</summary>
    public void Updated() => _isCurrent = false;

    /// <summary>From here on another learner takes the records, which remembers their keys as the one before did.</summary>
    public void Follow(Learner learner) => (_learner, _session, _isCurrent) = (learner, null, false);

    /// <summary>Scores records that are about to be learned from.</summary>
    /// <param name="taken">The records.</param>
    /// <param name="record">The first one's number in the input.</param>
    public void Take(in TakenRecords taken, long record)
    {
        if (!_isCurrent && !TryBegin())
        {
            _metrics.RecordsUnscored(taken.Count);
            return;
        }

        Minibatch rows = taken.RowsIn(_part);
        _scores.Score(rows, _isDetailed);
        if (_keyed is not null) _scores.Replace(_keyed.Scores);
        _metrics.Scores.ObserveAll(_scores.AnomalyScores);
        Choose(rows, record, taken);
        ReadOnlySpan<int> chosen = CollectionsMarshal.AsSpan(_chosen);
        _scores.Detail(chosen);
        foreach (int row in chosen)
        {
            ScoredRecord score = ScoreOf(row, record, taken);
            RecordTrace trace = taken.Batch.Trace(taken.First + row);
            foreach (Outlet outlet in _outlets)
                if (outlet.Wants(score.AnomalyScore, score.Alarm, score.Record)) outlet.Write(score, trace);
        }

        foreach (Outlet outlet in _outlets) outlet.HandOver(_delivery, _time);
        if (_alarms is not null) TellAlarms();
    }

    /// <summary>
    /// Takes a person's word for one of the last records: learning and, where asked, the threshold of the alarms move. Records are scored
    /// by what is known now from the next one on.
    /// </summary>
    /// <returns>Null where the record is not known any more, or never was.</returns>
    public WordTaken? Judge(Word word)
    {
        int at = _recent?.Find(word.Name) ?? -1;
        if (at < 0) return null;
        double pValue = _recent!.PValue(at);
        int? moved = _keyed?.Judge(_recent.Key(at), _recent.Row(at), word.IsNormal) ?? _learner.Judge(_recent.Row(at), word.IsNormal);
        bool hasMoved = word.MovesThreshold && _alarms is not null && _alarms.MoveThreshold(pValue, word.IsNormal);
        _isCurrent = false;
        return new WordTaken(_recent.Number(at), double.IsNaN(pValue) ? null : pValue, moved, _alarms?.Threshold, hasMoved);
    }

    /// <summary>Writes the alarms, where every sink is and what has not arrived.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        new ScoreState(_alarms, _delivery, _recent).Save(writer);
        return stream.ToArray();
    }

    private bool TryBegin()
    {
        ScoreSession? session = _learner.CreateScoreSession(_session);
        if (session is null) return false;
        (_session, _isCurrent) = (session, true);
        LearnedModel learned = session.Scorer.Learned;
        _scores.Begin(session);
        // The models of keys tell what is new, as the model of all does where it grows like them.
        _alarms?.Begin(learned, session.TellsNovelty || _keyed is not null);
        foreach (Outlet outlet in _outlets) outlet.Begin(learned);
        return true;
    }

    /// <summary>Watches for alarms, and finds the rows that some sink asks for.</summary>
    private void Choose(Minibatch rows, long record, in TakenRecords taken)
    {
        ReadOnlySpan<double> anomalyScores = _scores.AnomalyScores, pValues = _scores.PValues, novelty = _scores.NoveltyPValues;
        if (_marks.Length < rows.Count) _marks = new AlarmMark[rows.Count];
        _chosen.Clear();
        for (int row = 0; row < rows.Count; row++)
        {
            if (_alarms is not null) _marks[row] = Watch(rows, row, pValues[row], novelty[row]);
            _recent?.Add(NumberOf(row, record, taken), rows.Texts?.Find(rows.Key(row)), rows.Timestamp(row),
                _alarms is { TestsNovelty: true } ? novelty[row] : pValues[row], rows.Row(row));
            if (pValues[row] < _shown.StrangeBelow || _marks[row] is AlarmMark.Raised or AlarmMark.Cleared)
                _shown.Take(ScoreOf(row, record, taken));
            foreach (Outlet outlet in _outlets)
            {
                if (!outlet.Wants(anomalyScores[row], _marks[row], NumberOf(row, record, taken))) continue;
                _chosen.Add(row);
                break;
            }
        }
    }

    private long NumberOf(int row, long record, in TakenRecords taken) =>
        NumbersByOffset ? taken.Batch.Offset(taken.First + row) : record + row;

    private ScoredRecord ScoreOf(int row, long record, in TakenRecords taken) =>
        _scores.Of(row, NumberOf(row, record, taken), _marks[row], taken.Batch.PartitionName, taken.Batch.Offset(taken.First + row));

    private AlarmMark Watch(Minibatch rows, int row, double pValue, double novelty)
    {
        int component = -1;
        if (_alarms!.HasLimits && _alarms.MayMatter(pValue, novelty))
        {
            _scores.Detail([row]);
            component = _scores.Component(row);
        }

        return _alarms.Take(rows.Texts?.Find(rows.Key(row)), rows.Timestamp(row), pValue, novelty, component, rows.Row(row));
    }

    private void TellAlarms()
    {
        if (_alarms is not null) _metrics.SetAlarms(_alarms.Raised, _alarms.Cleared, _alarms.Lasting);
    }

    /// <summary>What one sink asks for, on the learner's side.</summary>
    private sealed class Outlet
    {
        private readonly ScoreLane _lane;
        private readonly ScoreJson _json;
        private readonly double _above;
        private readonly ulong _sampleBelow;
        private readonly bool _alarmsOnly;
        private ScoreChunk? _chunk;

        public Outlet(ScoreSelection selection, ScoreLane lane, string modelId, RecordSchema schema)
        {
            _lane = lane;
            _json = new ScoreJson
            {
                ModelId = modelId,
                WithVersion = true,
                Fields = selection.Include.Of(schema),
                Explains = selection.Explain,
            };
            _above = selection.Above ?? double.NegativeInfinity;
            _sampleBelow = selection.Sample is { } share and < 1 ? (ulong)(share * ulong.MaxValue) : ulong.MaxValue;
            _alarmsOnly = selection.AlarmsOnly;
        }

        public void Begin(LearnedModel learned) => _json.Begin(learned);

        public bool Wants(double anomalyScore, AlarmMark mark, long record) =>
            (anomalyScore > _above || double.IsNegativeInfinity(_above))
            && (!_alarmsOnly || mark == AlarmMark.Raised)
            && (_sampleBelow == ulong.MaxValue || Hash(record) < _sampleBelow);

        public void Write(in ScoredRecord score, RecordTrace trace)
        {
            _chunk ??= _lane.Take();
            _json.Write(_chunk.Text, score);
            _chunk.EndLine(score.Record, score.Key, trace);
        }

        public void HandOver(ScoreDelivery delivery, TimeProvider time)
        {
            if (_chunk is null) return;
            _chunk.MadeAt = time.GetUtcNow();
            delivery.Add(_lane, _chunk);
            _chunk = null;
        }

        /// <summary>64 bits of a record's number.</summary>
        private static ulong Hash(long record) => SplitMix64.Mixed(unchecked((ulong)record * SplitMix64.Increment));
    }
}
