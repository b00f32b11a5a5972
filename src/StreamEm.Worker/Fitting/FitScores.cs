using System.Buffers;
using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Fitting;

/// <summary>
/// The scores of a fit, the lines that a worker writes: every record under the parameters before it is learned from, in the order of the
/// input. Beyond those, the records that the first parameters were found in have lines too, under these, and rejected ones at their place,
/// so that there is a line per record with the number that <c>score</c> gives it.
/// </summary>
internal sealed class FitScores : IDisposable
{
    private readonly Stream _output;
    private readonly Learner _learner;
    private readonly AlarmWatch? _alarms;
    private readonly KeyedStream? _keyed;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly ScoreJson _json;
    private readonly RowScores _scores = new();
    private readonly List<Waiting> _waiting = [];
    private readonly Minibatch _part;
    private ScoreSession? _session;
    private long _version = -1, _records;

    /// <summary>Writes to a stream, which it closes.</summary>
    public FitScores(Stream output, ModelOptions model, Learner learner)
    {
        (_output, _learner) = (output, learner);
        _json = new ScoreJson { ModelId = model.Id, WithVersion = true };
        _alarms = model.CreateAlarms();
        _keyed = model.CreateKeyed(directory: null);
        _part = new Minibatch(learner.Dimension);
        // Where parameters are given, those before the first update are no version yet, and records wait for it.
        learner.BeforeUpdate = ScoreWaiting;
    }

    /// <summary>A record was rejected.</summary>
    public void Reject(RejectedRecord record)
    {
        if (_waiting.Count > 0) _waiting.Add(new Waiting(record, "", 0, _records++));
        else WriteError(record, _records++);
    }

    /// <summary>Scores the records taken next, or has them wait until there are parameters.</summary>
    public void Take(TakenRecords taken)
    {
        (RecordBatch batch, int first) = (taken.Batch, taken.First);
        if (_waiting.Count > 0 || _learner.Updates == 0)
        {
            for (int row = first; row < first + taken.Count; row++)
                _waiting.Add(new Waiting(null, batch.PartitionName, batch.Offset(row), _records++));
            _learner.BeforeUpdate = ScoreWaiting;
            return;
        }

        if (_version != _learner.Updates)
        {
            _session = _learner.CreateScoreSession(_session)!;
            _version = _learner.Updates;
            Begin(_session);
        }

        Minibatch rows = taken.RowsIn(_part);
        Score(rows);
        for (int row = 0; row < taken.Count; row++) Write(rows, row, batch.PartitionName, batch.Offset(first + row), _records++);
        Flush();
    }

    /// <summary>Writes what was rejected after the last record scored.</summary>
    public void End()
    {
        _learner.BeforeUpdate = null;
        _waiting.RemoveAll(waiting => WriteError(waiting));
        Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _output.Dispose();

    /// <summary>The records that wait and are learned from now.</summary>
    private void ScoreWaiting(Minibatch rows, ScoreSession session)
    {
        Begin(session);
        Score(rows);
        ReadOnlySpan<int> origins = _learner.Origins;
        if (origins.IsEmpty) WriteInOrder(rows);
        else WriteChosen(rows, origins);
        if (_waiting.Count == 0) _learner.BeforeUpdate = null;
        Flush();
    }

    /// <summary>The first records that wait, and what was rejected among them.</summary>
    private void WriteInOrder(Minibatch rows)
    {
        int at = 0;
        for (int row = 0; row < rows.Count; at++)
        {
            Waiting waiting = _waiting[at];
            if (!WriteError(waiting)) Write(rows, row++, waiting.PartitionName, waiting.Offset, waiting.Record);
        }

        _waiting.RemoveRange(0, at);
    }

    /// <summary>Records from among those that wait: whole sequences, while others go on.</summary>
    /// <param name="rows">The records.</param>
    /// <param name="origins">Which of the records that wait they are, those rejected left out.</param>
    private void WriteChosen(Minibatch rows, ReadOnlySpan<int> origins)
    {
        _waiting.RemoveAll(waiting => WriteError(waiting));
        for (int row = 0; row < rows.Count; row++)
        {
            Waiting waiting = _waiting[origins[row]];
            Write(rows, row, waiting.PartitionName, waiting.Offset, waiting.Record);
        }

        var chosen = new HashSet<int>(origins.ToArray());
        int at = 0;
        _waiting.RemoveAll(_ => chosen.Contains(at++));
    }

    private void Score(Minibatch rows)
    {
        _scores.Score(rows);
        if (_keyed is null) return;
        _keyed.Take(rows, 0, rows.Count);
        _scores.Replace(_keyed.Scores);
    }

    private void Begin(ScoreSession session)
    {
        _scores.Begin(session);
        _json.Begin(session.Scorer.Learned);
        _alarms?.Begin(session.Scorer.Learned, session.TellsNovelty);
    }

    private void Write(Minibatch rows, int row, string partition, long offset, long record)
    {
        AlarmMark mark = _alarms?.Take(rows.Texts?.Find(rows.Key(row)), rows.Timestamp(row), _scores.PValues[row],
            _scores.NoveltyPValues[row], _scores.Component(row), rows.Row(row)) ?? AlarmMark.None;
        _json.Write(_buffer, _scores.Of(row, record, mark, partition, offset));
        _buffer.Write("\n"u8);
    }

    private bool WriteError(Waiting waiting)
    {
        if (waiting.Rejected is { } rejected) WriteError(rejected, waiting.Record);
        return waiting.Rejected is not null;
    }

    private void WriteError(RejectedRecord rejected, long record)
    {
        _json.WriteError(_buffer, record, rejected);
        _buffer.Write("\n"u8);
    }

    private void Flush()
    {
        _output.Write(_buffer.WrittenSpan);
        _buffer.ResetWrittenCount();
    }

    /// <summary>A record that has no line yet.</summary>
    private readonly record struct Waiting(RejectedRecord? Rejected, string PartitionName, long Offset, long Record);
}
