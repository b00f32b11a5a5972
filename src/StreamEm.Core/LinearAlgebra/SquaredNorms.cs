using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>|x|^2 of every lane of a row block, the squares added in the order of the features.</summary>
internal static unsafe class SquaredNorms
{
    /// <summary>norms[i] = sum_d x_id^2.</summary>
    /// <param name="columns">D x Stride.</param>
    /// <param name="dimension">D.</param>
    /// <param name="norms">A value per lane; overwritten.</param>
    /// <param name="count">Rows in the block.</param>
    public static void Of(ReadOnlySpan<double> columns, int dimension, Span<double> norms, int count)
    {
        KernelShape.Require(columns.Length, dimension, RowBlock.Stride, nameof(columns));
        KernelShape.Require(norms.Length, 1, RowBlock.Capacity, nameof(norms));
        int lanes = KernelShape.Lanes(count);
        fixed (double* x = columns, n = norms)
            for (int lane = 0; lane < lanes; lane += Vector256<double>.Count)
            {
                Vector256<double> sum = Vector256<double>.Zero;
                double* at = x + lane;
                for (int d = 0; d < dimension; d++, at += RowBlock.Stride)
                {
                    Vector256<double> v = Vector256.Load(at);
                    sum = Vector256.FusedMultiplyAdd(v, v, sum);
                }
                Vector256.Store(sum, n + lane);
            }
    }

    /// <summary>|x|^2 of one row, to the byte what <see cref="Of(ReadOnlySpan{double}, int, Span{double}, int)"/> makes of it.</summary>
    public static double Of(ReadOnlySpan<double> row)
    {
        double sum = 0;
        foreach (double x in row) sum = Math.FusedMultiplyAdd(x, x, sum);
        return sum;
    }
}
