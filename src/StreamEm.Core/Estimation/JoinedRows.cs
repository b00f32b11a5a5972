using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Estimation;

/// <summary>
/// The rows of a minibatch, each sequence followed by the rows ahead of it (<see cref="Minibatch.Ahead"/>), which weigh nothing: an E-step
/// that takes rows by their weights learns from the first in the light of the others. Reused.
/// </summary>
internal sealed class JoinedRows
{
    private Minibatch? _rows;
    private InfluenceBound? _bound;
    private Pass _outer;
    private int[] _places = [];
    private bool[] _isAhead = [];
    private double[] _comparable = [];
    private int _learned;

    /// <summary>The rows.</summary>
    public Minibatch Rows => _rows ?? throw new InvalidOperationException("No rows were joined.");

    /// <summary>log p(x) of every row, to be overwritten by the E-step.</summary>
    public double[] LogDensities { get; private set; } = [];

    /// <summary>Joins the rows of a minibatch that has rows ahead.</summary>
    /// <param name="batch">The minibatch.</param>
    /// <param name="pass">What the E-step may know of it.</param>
    /// <returns>The same of the joined rows.</returns>
    public Pass Join(Minibatch batch, Pass pass)
    {
        Minibatch ahead = batch.Ahead!, rows = _rows ??= new Minibatch(batch.Dimension, batch.Count + ahead.Count);
        rows.Clear();
        Reserve(batch.Count, batch.Count + ahead.Count);
        (_outer, _learned) = (pass, batch.Count);
        ReadOnlySpan<int> starts = batch.SequenceStarts, after = ahead.SequenceStarts;
        for (int sequence = 0; sequence < starts.Length; sequence++)
        {
            int first = starts[sequence], count = EndOf(starts, sequence, batch.Count) - first;
            for (int row = 0; row < count; row++) _places[first + row] = rows.Count + row;
            rows.Append(batch, first, count);
            int slot = batch.Key(first), from = after[sequence], end = EndOf(after, sequence, ahead.Count);
            for (int row = from; row < end; row++)
            {
                _isAhead[rows.Count] = true;
                rows.Add(ahead.Row(row), weight: 0, rows.TakeLabel(ahead, row), ahead.Target(row), slot, ahead.Timestamp(row));
            }
        }
        return pass with
        {
            Ahead = _isAhead,
            Bound = pass.Bound is { } bound ? BoundOf(bound) : null,
            Comparable = pass.Comparable is null ? null : _comparable,
        };
    }

    /// <summary>Hands over what the E-step found of the rows that are learned from.</summary>
    /// <param name="logDensities">Overwritten, one per row of the minibatch.</param>
    public void HandOver(double[] logDensities)
    {
        for (int row = 0; row < _learned; row++) logDensities[row] = LogDensities[_places[row]];
        if (_outer.Comparable is { } comparable)
            for (int row = 0; row < _learned; row++) comparable[row] = _comparable[_places[row]];
        _outer.Bound?.TakeFrom(_bound!, _places.AsSpan(0, _learned));
    }

    private static int EndOf(ReadOnlySpan<int> starts, int sequence, int count) =>
        sequence + 1 < starts.Length ? starts[sequence + 1] : count;

    private InfluenceBound BoundOf(InfluenceBound bound)
    {
        _bound ??= bound.Another();
        _bound.BeginAs(bound, Rows.Count, _places.AsSpan(0, _learned));
        return _bound;
    }

    private void Reserve(int learned, int rows)
    {
        if (_places.Length < learned) _places = new int[learned];
        if (_isAhead.Length < rows) (_isAhead, LogDensities, _comparable) = (new bool[rows], new double[rows], new double[rows]);
        else Array.Clear(_isAhead);
    }
}
