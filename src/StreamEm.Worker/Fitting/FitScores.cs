using System.Buffers;
using StreamEm.Core.Data;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Fitting;

/// <summary>
/// The scores of a fit: every minibatch under the parameters before it (test-then-train), a line per record in the order of the input,
/// rejected ones at their place, so that they have the numbers <c>score</c> gives them.
/// </summary>
internal sealed class FitScores : IDisposable
{
    private readonly Stream _output;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly JsonScoreFormat _format;
    private readonly Queue<(long Before, RejectedRecord Record)> _rejected = new();
    private readonly List<RejectedRecord> _here = [];
    private long _scored, _records;

    /// <summary>Writes to a stream, which it closes.</summary>
    public FitScores(Stream output)
    {
        _output = output;
        _format = new JsonScoreFormat(_buffer, asLines: true, withVersion: true);
    }

    /// <summary>A record was rejected after so many accepted ones.</summary>
    public void Reject(RejectedRecord record, long accepted) => _rejected.Enqueue((accepted, record));

    /// <summary>Scores the next records accepted, before they are learned from.</summary>
    public void Score(Minibatch rows, ScoreSession session)
    {
        _here.Clear();
        while (_rejected.TryPeek(out (long Before, RejectedRecord Record) next) && next.Before < _scored + rows.Count)
            _here.Add(_rejected.Dequeue().Record with { BeforeRow = (int)(next.Before - _scored) });
        _format.Begin(session.Scorer.Learned);
        var scores = new BatchScorer(session, _format) { Records = _records };
        scores.Score(rows, _here);
        _records = scores.Records;
        _scored += rows.Count;
        Flush();
    }

    /// <summary>Writes what was rejected after the last record scored.</summary>
    public void End()
    {
        while (_rejected.TryDequeue(out (long Before, RejectedRecord Record) last)) _format.WriteError(_records++, last.Record);
        Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _format.Dispose();
        _output.Dispose();
    }

    private void Flush()
    {
        _output.Write(_buffer.WrittenSpan);
        _buffer.ResetWrittenCount();
    }
}
