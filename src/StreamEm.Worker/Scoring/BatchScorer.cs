using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Sources;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Scores decoded records in one session and writes one result per record, rejected ones at their place. One thread at a time.
/// </summary>
internal sealed class BatchScorer
{
    private readonly ScoreSession _session;
    private readonly ScoreFormat _format;
    private readonly IReadOnlyList<string> _componentIds;
    private readonly VectorBlock? _membership;
    private readonly int _width;
    private double[] _logDensities = [], _scores = [], _anomalyScores = [];

    public BatchScorer(ScoreSession session, ScoreFormat format)
    {
        (_session, _format) = (session, format);
        Scorer scorer = session.Scorer;
        _componentIds = scorer.Learned.ComponentIds;
        _width = scorer.Layout.Length;
        _membership = scorer.Learned.Model is ComponentModel model ? scorer.Layout[model.MembershipBlock] : null;
    }

    /// <summary>Records written, rejected ones included: the number of the next one.</summary>
    public long Records { get; set; }

    /// <summary>Records that could not be used.</summary>
    public long Rejected { get; private set; }

    /// <summary>Scores every record of a batch.</summary>
    public void Score(RecordBatch batch) => Score(batch.Records, batch.Rejected);

    /// <summary>Scores every row of a minibatch, rejected records before the row they stand before.</summary>
    public void Score(Minibatch rows, IReadOnlyList<RejectedRecord> rejected)
    {
        if (_logDensities.Length < rows.Count)
        {
            _logDensities = new double[rows.Count];
            _anomalyScores = new double[rows.Count];
            _scores = new double[rows.Count * _width];
        }

        Span<double> scores = _scores.AsSpan(0, rows.Count * _width);
        _session.Score(rows, _logDensities.AsSpan(0, rows.Count), scores, _anomalyScores.AsSpan(0, rows.Count));
        int next = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            while (next < rejected.Count && rejected[next].BeforeRow <= row) WriteError(rejected[next++]);
            Write(rows, row, scores.Slice(row * _width, _width));
        }

        while (next < rejected.Count) WriteError(rejected[next++]);
    }

    private void Write(Minibatch rows, int row, ReadOnlySpan<double> scores)
    {
        int component = _membership is { } block ? Largest(block.Of(scores)) : -1;
        _format.Write(new ScoredRecord
        {
            Record = Records++,
            Key = rows.Texts?.Find(rows.Key(row)),
            Timestamp = rows.Timestamp(row),
            LogDensity = _logDensities[row],
            Scores = scores,
            Component = component,
            ComponentId = component < 0 ? "" : _componentIds[component],
            AnomalyScore = _anomalyScores[row],
        });
    }

    private static int Largest(ReadOnlySpan<double> values)
    {
        int largest = 0;
        for (int k = 1; k < values.Length; k++)
            if (values[k] > values[largest]) largest = k;
        return largest;
    }

    private void WriteError(RejectedRecord rejected)
    {
        Rejected++;
        _format.WriteError(Records++, rejected);
    }
}
