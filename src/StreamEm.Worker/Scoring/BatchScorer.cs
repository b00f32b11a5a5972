using StreamEm.Core.Data;
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
    public void Score(RecordBatch batch) => Score(batch.Records, batch.Rejected, []);

    /// <summary>Scores records, rejected ones before the row they stand before.</summary>
    /// <param name="rows">Those that could be used.</param>
    /// <param name="rejected">Those that could not.</param>
    /// <param name="path">The state of every row on the most likely path; empty where that is not told.</param>
    public void Score(Minibatch rows, IReadOnlyList<RejectedRecord> rejected, ReadOnlySpan<int> path)
    {
        _rows.Score(_features?.Make(rows, 0, rows.Count) ?? rows);
        int next = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            while (next < rejected.Count && rejected[next].BeforeRow <= row) WriteError(rejected[next++]);
            _format.Write(_rows.Of(row, Records++, pathState: path.IsEmpty ? -1 : path[row]));
        }

        while (next < rejected.Count) WriteError(rejected[next++]);
    }

    private void WriteError(RejectedRecord rejected)
    {
        Rejected++;
        _format.WriteError(Records++, rejected);
    }
}
