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

    /// <summary>Doubles from one feature to the next: 8 more than <see cref="Capacity"/>, so that features do not share cache sets.</summary>
    public const int Stride = Capacity + 8;

    private readonly AlignedDoubles _columns;
    private readonly int[] _incomplete = new int[Capacity];
    private int _incompleteCount;
    private Minibatch? _batch;
    private int _first;

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
    public ReadOnlySpan<double> Columns => _columns.Span;

    /// <summary>Indices within the block of observations with at least one missing value, ascending.</summary>
    public ReadOnlySpan<int> Incomplete => _incomplete.AsSpan(0, _incompleteCount);

    /// <summary>The minibatch the block was filled from, for targets, sequences and sparse rows.</summary>
    public Minibatch Batch => _batch ?? throw new InvalidOperationException("The block has not been filled.");

    /// <summary>Index in <see cref="Batch"/> of the block's first observation.</summary>
    public int First => _first;

    /// <summary>Observation <paramref name="index"/> of the block as it came: D values, NaN = missing.</summary>
    public ReadOnlySpan<double> Row(int index) => Batch.Row(_first + index);

    /// <summary>The block's observations as they came: <see cref="Count"/> x D values, row-major.</summary>
    public ReadOnlySpan<double> Rows => Batch.Values.Slice(_first * Dimension, Count * Dimension);

    /// <summary>Overwrites the block with rows <paramref name="first"/> .. <paramref name="first"/> + <paramref name="count"/> of a minibatch.</summary>
    public void Fill(Minibatch batch, int first, int count)
    {
        if ((uint)count > Capacity) throw new ArgumentOutOfRangeException(nameof(count), count, $"A block holds {Capacity} observations.");
        _batch = batch;
        _first = first;
        Count = count;
        _incompleteCount = RowTranspose.ToColumns(batch.Values.Slice(first * Dimension, count * Dimension), count, Dimension, _columns.Span, _incomplete);
    }
}
