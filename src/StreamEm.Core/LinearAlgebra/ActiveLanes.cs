using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>Which lanes of a block a component is to be computed for, and those lanes put together: the active list of every component.
/// </summary>
internal static unsafe class ActiveLanes
{
    [ThreadStatic]
    private static AlignedDoubles? _columns;

    /// <summary>The component with the largest value in every lane, the lowest number among equals.</summary>
    /// <param name="values">K x Stride.</param>
    /// <param name="components">K.</param>
    /// <param name="best">[Capacity]; overwritten.</param>
    [SkipLocalsInit]
    public static void Best(ReadOnlySpan<double> values, int components, Span<int> best)
    {
        KernelShape.Require(values.Length, components, RowBlock.Stride, nameof(values));
        KernelShape.Require(best.Length, 1, RowBlock.Capacity, nameof(best));
        double* most = stackalloc double[RowBlock.Capacity], numbers = stackalloc double[RowBlock.Capacity];
        new Span<double>(most, RowBlock.Capacity).Fill(double.NegativeInfinity);
        new Span<double>(numbers, RowBlock.Capacity).Clear();
        fixed (double* value = values)
            for (int k = 0; k < components; k++)
            {
                Vector256<double> number = Vector256.Create((double)k);
                for (int i = 0; i < RowBlock.Capacity; i += 4)
                {
                    Vector256<double> v = Vector256.Load(value + k * RowBlock.Stride + i), before = Vector256.Load(most + i);
                    Vector256<double> above = Vector256.GreaterThan(v, before);
                    Vector256.Store(Vector256.ConditionalSelect(above, v, before), most + i);
                    Vector256.Store(Vector256.ConditionalSelect(above, number, Vector256.Load(numbers + i)), numbers + i);
                }
            }
        for (int i = 0; i < RowBlock.Capacity; i++) best[i] = (int)numbers[i];
    }

    /// <summary>How many values are above their lane's limit.</summary>
    /// <param name="values">K x Stride.</param>
    /// <param name="components">K.</param>
    /// <param name="limits">[Capacity].</param>
    public static int CountAbove(ReadOnlySpan<double> values, int components, ReadOnlySpan<double> limits)
    {
        KernelShape.Require(values.Length, components, RowBlock.Stride, nameof(values));
        KernelShape.Require(limits.Length, 1, RowBlock.Capacity, nameof(limits));
        int count = 0;
        fixed (double* value = values, limit = limits)
            for (int k = 0; k < components; k++)
                for (int i = 0; i < RowBlock.Capacity; i += 4)
                    count += BitOperations.PopCount(Above(value + k * RowBlock.Stride + i, limit + i));
        return count;
    }

    /// <summary>The lanes whose value is above their limit, ascending.</summary>
    /// <param name="values">[Capacity].</param>
    /// <param name="limits">[Capacity].</param>
    /// <param name="lanes">Overwritten at its beginning.</param>
    /// <returns>How many.</returns>
    public static int WriteAbove(ReadOnlySpan<double> values, ReadOnlySpan<double> limits, Span<int> lanes)
    {
        KernelShape.Require(values.Length, 1, RowBlock.Capacity, nameof(values));
        KernelShape.Require(limits.Length, 1, RowBlock.Capacity, nameof(limits));
        int count = 0;
        fixed (double* value = values, limit = limits)
            for (int i = 0; i < RowBlock.Capacity; i += 4)
                for (uint bits = Above(value + i, limit + i); bits != 0; bits &= bits - 1)
                    lanes[count++] = i + BitOperations.TrailingZeroCount(bits);
        return count;
    }

    /// <summary>Some rows as columns, the first of them in lane 0: the thread's memory, good until the next call.</summary>
    /// <param name="rows">Row-major, D values each.</param>
    /// <param name="lanes">Which rows.</param>
    /// <param name="dimension">D.</param>
    public static ReadOnlySpan<double> Gather(ReadOnlySpan<double> rows, ReadOnlySpan<int> lanes, int dimension)
    {
        foreach (int lane in lanes) KernelShape.Require(rows.Length, lane + 1, dimension, nameof(rows));
        if (_columns is null || _columns.Length < dimension * RowBlock.Stride)
            _columns = new AlignedDoubles(dimension * RowBlock.Stride);
        fixed (double* row = rows)
        fixed (int* lane = lanes)
            RowTranspose.Gather(Kernels.Path, row, lane, lanes.Length, dimension, _columns.Pointer);
        return _columns.Span;
    }

    private static uint Above(double* value, double* limit) =>
        Vector256.GreaterThan(Vector256.Load(value), Vector256.Load(limit)).ExtractMostSignificantBits();
}
