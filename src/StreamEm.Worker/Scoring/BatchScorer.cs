using StreamEm.Core.Features;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Scores decoded records in one session and writes one result per record, rejected ones at their place. One thread at a time.
/// </summary>
internal sealed class BatchScorer
{
    private readonly RowScores _rows = new();
    private readonly ScoreFormat _format;
    private readonly FeatureStream? _features;

    public BatchScorer(ScoreSession session, ScoreFormat format)
    {
        _format = format;
        _features = FeatureStream.Of(session.Scorer.Learned.Schema);
        _rows.Begin(session);
    }

    /// <summary>Records written, rejected ones included: the number of the next one.</summary>
    public long Records { get; private set; }

    /// <summary>Records that could not be used.</summary>
    public long Rejected { get; private set; }

    /// <summary>Scores every record of a batch, rejected ones before the row they stand before.</summary>
    public void Score(RecordBatch batch)
    {
        _rows.Score(_features?.Make(batch.Records, 0, batch.Count) ?? batch.Records);
        int next = 0;
        for (int row = 0; row < batch.Count; row++)
        {
            while (next < batch.Rejected.Count && batch.Rejected[next].BeforeRow <= row) WriteError(batch.Rejected[next++]);
            _format.Write(_rows.Of(row, Records++));
        }

        while (next < batch.Rejected.Count) WriteError(batch.Rejected[next++]);
    }

    private void WriteError(RejectedRecord rejected)
    {
        Rejected++;
        _format.WriteError(Records++, rejected);
    }
}
