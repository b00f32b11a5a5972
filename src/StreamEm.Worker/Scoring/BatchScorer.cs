using StreamEm.Core.Data;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;

namespace StreamEm.Worker.Scoring;

/// <summary>Scores decoded records under one snapshot and writes one result per record, rejected ones at their place. One thread at a time.</summary>
internal sealed class BatchScorer(Scorer scorer, ScoreFormat format)
{
    private readonly Minibatch _rows = new(scorer.Dimension);
    private readonly IReadOnlyList<string> _componentIds = scorer.Snapshot.ComponentIds;
    private double[] _logDensities = [], _responsibilities = [], _anomalyScores = [];

    /// <summary>Records written, rejected ones included: the number of the next one.</summary>
    public long Records { get; set; }

    /// <summary>Records that could not be used.</summary>
    public long Rejected { get; private set; }

    /// <summary>Scores every record of a batch.</summary>
    public void Score(RecordBatch batch)
    {
        _rows.Clear();
        for (int row = 0; row < batch.Count; row++) _rows.Add(batch.Row(row));
        Score(_rows, batch.Rejected);
    }

    /// <summary>Scores every row of a minibatch, rejected records before the row they stand before.</summary>
    public void Score(Minibatch rows, IReadOnlyList<RejectedRecord> rejected)
    {
        if (_logDensities.Length < rows.Count)
        {
            _logDensities = new double[rows.Count];
            _anomalyScores = new double[rows.Count];
            _responsibilities = new double[rows.Count * scorer.Components];
        }

        Span<double> responsibilities = _responsibilities.AsSpan(0, rows.Count * scorer.Components);
        scorer.Score(rows, _logDensities.AsSpan(0, rows.Count), responsibilities, _anomalyScores.AsSpan(0, rows.Count));
        int next = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            while (next < rejected.Count && rejected[next].BeforeRow <= row) WriteError(rejected[next++]);
            Write(row, responsibilities.Slice(row * scorer.Components, scorer.Components));
        }

        while (next < rejected.Count) WriteError(rejected[next++]);
    }

    private void Write(int row, ReadOnlySpan<double> responsibilities)
    {
        int component = 0;
        for (int k = 1; k < responsibilities.Length; k++)
            if (responsibilities[k] > responsibilities[component]) component = k;
        format.Write(new ScoredRecord
        {
            Record = Records++,
            LogDensity = _logDensities[row],
            Responsibilities = responsibilities,
            Component = component,
            ComponentId = _componentIds[component],
            AnomalyScore = _anomalyScores[row],
        });
    }

    private void WriteError(RejectedRecord rejected)
    {
        Rejected++;
        format.WriteError(Records++, rejected);
    }
}
