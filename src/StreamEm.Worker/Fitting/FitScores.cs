using System.Buffers;
using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
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
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly ScoreJson _json;
    private readonly RowScores _scores = new();
    private readonly Queue<Waiting> _waiting = new();
    private readonly Minibatch _part;
    private ScoreSession? _session;
    private long _version = -1, _records;

    /// <summary>Writes to a stream, which it closes.</summary>
    public FitScores(Stream output, ModelOptions model, Learner learner)
    {
        (_output, _learner) = (output, learner);
        _json = new ScoreJson { ModelId = model.Id, WithVersion = true };
        _alarms = model.Alarms is { } options ? new AlarmWatch(options, model.Schema.Features, model.Learning.Calendar) : null;
        _part = new Minibatch(learner.Dimension);
        // Where parameters are given, those before the first update are no version yet, and records wait for it.
        learner.BeforeUpdate = ScoreWaiting;
    }

    /// <summary>A record was rejected.</summary>
    public void Reject(RejectedRecord record)
    {
        if (_waiting.Count > 0) _waiting.Enqueue(new Waiting(record, "", 0));
        else WriteError(record);
    }

    /// <summary>Scores the records taken next, or has them wait until there are parameters.</summary>
    public void Take(TakenRecords taken)
    {
        (RecordBatch batch, int first) = (taken.Batch, taken.First);
        if (_waiting.Count > 0 || _learner.Updates == 0)
        {
            for (int row = first; row < first + taken.Count; row++)
                _waiting.Enqueue(new Waiting(null, batch.PartitionName, batch.Offset(row)));
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
        _scores.Score(rows);
        for (int row = 0; row < taken.Count; row++) Write(rows, row, batch.PartitionName, batch.Offset(first + row));
        Flush();
    }

    /// <summary>Writes what was rejected after the last record scored.</summary>
    public void End()
    {
        _learner.BeforeUpdate = null;
        WriteErrors();
        Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _output.Dispose();

    /// <summary>The records that wait and are learned from now.</summary>
    private void ScoreWaiting(Minibatch rows, ScoreSession session)
    {
        Begin(session);
        _scores.Score(rows);
        for (int row = 0; row < rows.Count; row++)
        {
            WriteErrors();
            Waiting waiting = _waiting.Dequeue();
            Write(rows, row, waiting.PartitionName, waiting.Offset);
        }

        if (_waiting.Count == 0) _learner.BeforeUpdate = null;
        Flush();
    }

    private void Begin(ScoreSession session)
    {
        _scores.Begin(session);
        _json.Begin(session.Scorer.Learned);
        _alarms?.Begin(session.Scorer.Learned, session.TellsNovelty);
    }

    private void Write(Minibatch rows, int row, string partition, long offset)
    {
        AlarmMark mark = _alarms?.Take(rows.Texts?.Find(rows.Key(row)), rows.Timestamp(row), _scores.PValues[row],
            _scores.NoveltyPValues[row], _scores.Component(row), rows.Row(row)) ?? AlarmMark.None;
        _json.Write(_buffer, _scores.Of(row, _records++, mark, partition, offset));
        _buffer.Write("\n"u8);
    }

    private void WriteErrors()
    {
        while (_waiting.TryPeek(out Waiting next) && next.Rejected is { } rejected)
        {
            _waiting.Dequeue();
            WriteError(rejected);
        }
    }

    private void WriteError(RejectedRecord record)
    {
        _json.WriteError(_buffer, _records++, record);
        _buffer.Write("\n"u8);
    }

    private void Flush()
    {
        _output.Write(_buffer.WrittenSpan);
        _buffer.ResetWrittenCount();
    }

    /// <summary>A record that has no line yet.</summary>
    private readonly record struct Waiting(RejectedRecord? Rejected, string PartitionName, long Offset);
}
