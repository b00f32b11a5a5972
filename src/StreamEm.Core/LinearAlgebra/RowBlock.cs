using StreamEm.Core.Data;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Up to 256 observations, transposed to feature-major so that a SIMD lane is an observation: feature d of observation i is
/// <c>Columns[d * Stride + i]</c>. The lanes of observations that do not exist, and of <see cref="Incomplete"/> ones, hold zero:
/// kernels run over all lanes, and rows with missing values are then treated one by one from <see cref="Row"/>.
/// </summary>
public sealed class RowBlock
{
    /// <summary>Observations per block: the block of a 64-feature model and its accumulators stay in the second-level cache.</summary>
    public const int Capacity = 256;

    /// <summary>
    /// Doubles from one feature to the next: 8 more than <see cref="Capacity"/>, so that features do not share cache sets.
    /// </summary>
    public const int Stride = Capacity + 8;

    private readonly AlignedDoubles _columns;
    private readonly int[] _incomplete = new int[Capacity];
    private readonly List<RowBlock> _selections = [];
    private int _incompleteCount;
    private Minibatch? _batch;
    private int[] _features = [];
    private double[] _rows = [], _scratch = [], _kept = [];
    private object? _keeper;
    private bool _hasRows, _hasColumns = true;

    /// <summary>An empty block for observations of <paramref name="dimension"/> features.</summary>
    public RowBlock(int dimension)
    {
        Dimension = dimension;
        _columns = new AlignedDoubles(Math.Max(1, dimension) * Stride);
    }

    /// <summary>Number of features D.</summary>
    public int Dimension { get; }

    /// <summary>Number of observations in this block, 0 to 256.</summary>
    public int Count { get; private set; }

    /// <summary>D x <see cref="Stride"/> values, feature-major.</summary>
    public ReadOnlySpan<double> Columns
    {
        get
        {
            if (!_hasColumns) Transpose();
            return _columns.Span;
        }
    }

    /// <summary>Indices within the block of observations with at least one missing value, ascending.</summary>
    public ReadOnlySpan<int> Incomplete
    {
        get
        {
            if (_incompleteCount < 0) _incompleteCount = RowTranspose.FindIncomplete(Rows, Count, Dimension, _incomplete);
            return _incomplete.AsSpan(0, _incompleteCount);
        }
    }

    /// <summary>The minibatch the block was filled from, for weights, labels, targets and sequences.</summary>
    public Minibatch Batch => _batch ?? throw new InvalidOperationException("The block has not been filled.");

    /// <summary>Index in <see cref="Batch"/> of the block's first observation.</summary>
    public int First { get; private set; }

    /// <summary>Observation <paramref name="index"/> of the block as it came: D values, NaN = missing.</summary>
    public ReadOnlySpan<double> Row(int index) =>
        _features.Length == 0 ? Batch.Row(First + index) : Gathered().Slice(index * Dimension, Dimension);

    /// <summary>The block's observations as they came: <see cref="Count"/> x D values, row-major.</summary>
    public ReadOnlySpan<double> Rows =>
        _features.Length == 0 ? Batch.Values.Slice(First * Dimension, Count * Dimension) : Gathered();

    /// <summary>
    /// Overwrites the block with rows <paramref name="first"/> .. <paramref name="first"/> + <paramref name="count"/> of a minibatch.
    /// </summary>
    /// <param name="batch">The minibatch; unchanged as long as the block is used.</param>
    /// <param name="first">Its first row here.</param>
    /// <param name="count">How many.</param>
    /// <param name="withColumns">False where rows are read as they come: columns, and which rows are incomplete, are then found when they
    /// are asked for.</param>
    public void Fill(Minibatch batch, int first, int count, bool withColumns = true)
    {
        if ((uint)count > Capacity) throw new ArgumentOutOfRangeException(nameof(count), count, $"A block holds {Capacity} observations.");
        (_batch, First, Count, _keeper) = (batch, first, count, null);
        if (withColumns) Transpose();
        else _incompleteCount = RowTranspose.FindIncomplete(Rows, count, Dimension, _incomplete);
        _hasColumns = withColumns;
        foreach (RowBlock selection in _selections) selection.Count = -1;
    }

    /// <summary>
    /// The same observations in some of their features: a block of its own, filled once for every <see cref="Fill"/> of this one. Columns
    /// are copied; rows are gathered only when asked for.
    /// </summary>
    /// <param name="part">A number of the selection, 0, 1, ...: the same features for the same number.</param>
    /// <param name="features">Which of this block's features, in the order they have there.</param>
    public RowBlock Select(int part, int[] features)
    {
        while (_selections.Count <= part) _selections.Add(new RowBlock(features.Length) { Count = -1 });
        RowBlock selection = _selections[part];
        if (selection.Dimension != features.Length) selection = _selections[part] = new RowBlock(features.Length) { Count = -1 };
        if (selection.Count < 0) selection.CopyFrom(this, features);
        return selection;
    }

    /// <summary>
    /// Memory of the thread that works on the block: at least so many doubles. What is written there stays until the next call that asks
    /// for more, so an emission may keep something from its log-densities to its statistics.
    /// </summary>
    public Span<double> Scratch(int length)
    {
        if (_scratch.Length < length) Array.Resize(ref _scratch, Math.Max(length, 2 * _scratch.Length));
        return _scratch.AsSpan(0, length);
    }

    /// <summary>
    /// Memory in which an emission keeps something of these rows from its log-densities to its statistics: what it writes there is there
    /// until the block is filled again, or another one keeps something.
    /// </summary>
    /// <param name="keeper">Whose it is.</param>
    /// <param name="length">Doubles.</param>
    public Span<double> Keep(object keeper, int length)
    {
        _keeper = keeper;
        if (_kept.Length < length) _kept = new double[length];
        return _kept.AsSpan(0, length);
    }

    /// <summary>What was kept of these rows; empty where nothing was.</summary>
    /// <param name="keeper">Whose it is.</param>
    /// <param name="length">Doubles.</param>
    public ReadOnlySpan<double> Kept(object keeper, int length) => _keeper == keeper ? _kept.AsSpan(0, length) : default;

    private void Transpose()
    {
        _incompleteCount = RowTranspose.ToColumns(Rows, Count, Dimension, _columns.Span, _incomplete);
        _hasColumns = true;
    }

    private void CopyFrom(RowBlock source, int[] features)
    {
        _keeper = null;
        (_batch, First, Count, _features, _hasRows, _incompleteCount) = (source._batch, source.First, source.Count, features, false, 0);
        Span<double> columns = _columns.Span;
        for (int at = 0; at < features.Length; at++)
            source.Columns.Slice(features[at] * Stride, Stride).CopyTo(columns[(at * Stride)..]);
        foreach (int index in source.Incomplete)
        {
            ReadOnlySpan<double> row = source.Row(index);
            bool isComplete = true;
            foreach (int feature in features) isComplete &= !double.IsNaN(row[feature]);
            if (!isComplete) _incomplete[_incompleteCount++] = index;
            else
                for (int at = 0; at < features.Length; at++) columns[at * Stride + index] = row[features[at]];
        }
    }

    private ReadOnlySpan<double> Gathered()
    {
        if (!_hasRows)
        {
            if (_rows.Length == 0) _rows = new double[Capacity * Dimension];
            for (int index = 0; index < Count; index++)
            {
                ReadOnlySpan<double> row = Batch.Row(First + index);
                for (int at = 0; at < _features.Length; at++) _rows[index * Dimension + at] = row[_features[at]];
            }
            _hasRows = true;
        }
        return _rows.AsSpan(0, Count * Dimension);
    }
}
