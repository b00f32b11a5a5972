using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Scores data that say more together than record by record: all of them are kept until the end, when the most likely path of every
/// sequence is known.
/// </summary>
internal sealed class WholeScores
{
    private readonly Scorer _scorer;
    private readonly Minibatch _all;
    private readonly List<(int Rows, RejectedRecord[] Rejected)> _batches = [];

    /// <summary>Nothing read yet.</summary>
    /// <param name="scorer">What is scored under.</param>
    /// <param name="schema">What the records hold.</param>
    public WholeScores(Scorer scorer, RecordSchema schema)
    {
        _scorer = scorer;
        IReadOnlyList<Feature> features = scorer.Learned.Space.Features;
        _all = new Minibatch(schema.Features.Count, texts: new TextTable(),
            textFeatures: [.. Enumerable.Range(0, features.Count).Where(d => features[d].Kind == FeatureKind.Level)]);
    }

    /// <summary>Keeps the records of a batch.</summary>
    public void Take(RecordBatch batch)
    {
        _all.Append(batch.Records, 0, batch.Count);
        _batches.Add((batch.Count, [.. batch.Rejected]));
    }

    /// <summary>Writes the scores of all that was kept.</summary>
    /// <param name="scores">Writes them.</param>
    /// <param name="written">Called after every batch.</param>
    public void Write(BatchScorer scores, Action written)
    {
        int[] states = SequencePaths.Of(_scorer, _all) ?? throw new InvalidOperationException("The model has no paths.");
        int first = 0;
        foreach ((int rows, RejectedRecord[] rejected) in _batches)
        {
            var part = new Minibatch(_all.Dimension, Math.Max(1, rows)) { Texts = _all.Texts };
            part.Append(_all, first, rows);
            scores.Score(part, rejected, states.AsSpan(first, rows));
            first += rows;
            written();
        }
    }
}
