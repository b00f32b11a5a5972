using StreamEm.Core.Data;

namespace StreamEm.Core.Models.Topics;

/// <summary>The terms of a row and how often they stand in it, however the row holds them. Reused; one thread at a time.</summary>
internal sealed class TopicRows(LatentDirichletAllocation model)
{
    private readonly int[] _terms = new int[model.IsText ? 0 : model.Terms];
    private readonly double[] _counts = new double[model.IsText ? 0 : model.Terms];
    private Minibatch? _batch;
    private int _row, _different;

    /// <summary>The different terms of the row last read.</summary>
    public ReadOnlySpan<int> Terms => model.IsText ? _batch!.Terms(_row) : _terms.AsSpan(0, _different);

    /// <summary>How often each stands there.</summary>
    public ReadOnlySpan<double> Counts => model.IsText ? _batch!.CountsOfTerms(_row) : _counts.AsSpan(0, _different);

    /// <summary>Reads a row; false for one without any value. A count that is missing is none.</summary>
    public bool TryRead(Minibatch batch, int row, out double tokens)
    {
        ReadOnlySpan<double> values = batch.Row(row);
        (_batch, _row, _different, tokens) = (batch, row, 0, 0);
        bool isKnown = false;
        foreach (double value in values) isKnown |= !double.IsNaN(value);
        if (!model.IsText)
            for (int term = 0; term < values.Length; term++)
                if (values[term] > 0) (_terms[_different], _counts[_different++]) = (term, values[term]);
        foreach (double count in Counts) tokens += count;
        return isKnown;
    }

    /// <summary>Adds the counts times a factor to a vector over the vocabulary.</summary>
    public void AddTo(Span<double> result, double factor)
    {
        ReadOnlySpan<int> terms = Terms;
        ReadOnlySpan<double> counts = Counts;
        for (int at = 0; at < terms.Length; at++) result[terms[at]] = Math.FusedMultiplyAdd(factor, counts[at], result[terms[at]]);
    }
}
