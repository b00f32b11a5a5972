using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Linear log-densities: constant_k + sum_d w_kd x_d for all lanes of a row block. One FMA per (row, component, feature).
/// </summary>
internal static unsafe class LinearForms
{
    /// <summary>Adds the form to <paramref name="logJoint"/>.</summary>
    /// <param name="columns">D x Stride.</param>
    /// <param name="dimension">D.</param>
    /// <param name="components">K.</param>
    /// <param name="slopes">w, K x D.</param>
    /// <param name="constants">K.</param>
    /// <param name="logJoint">K x Stride, added to.</param>
    /// <param name="count">Rows in the block.</param>
    public static void Add(
        ReadOnlySpan<double> columns, int dimension, int components, ReadOnlySpan<double> slopes, ReadOnlySpan<double> constants,
        Span<double> logJoint, int count) =>
        Add(Kernels.Path, columns, dimension, components, slopes, constants, logJoint, count);

    /// <summary>The same on a chosen path.</summary>
    internal static void Add(
        KernelPath path, ReadOnlySpan<double> columns, int dimension, int components, ReadOnlySpan<double> slopes,
        ReadOnlySpan<double> constants, Span<double> logJoint, int count)
    {
        KernelShape.Require(columns.Length, dimension, RowBlock.Stride, nameof(columns));
        KernelShape.Require(slopes.Length, components, dimension, nameof(slopes));
        KernelShape.Require(constants.Length, components, 1, nameof(constants));
        KernelShape.Require(logJoint.Length, components, RowBlock.Stride, nameof(logJoint));
        int lanes = KernelShape.Lanes(count);
        fixed (double* x = columns, w = slopes, c = constants, joint = logJoint)
        {
            for (int k = 0; k < components; k++)
            {
                if (path == KernelPath.Avx512)
                    Run<Lanes8, Vector512<double>>(x, dimension, w + k * dimension, c[k], joint + k * RowBlock.Stride, lanes);
                else if (path == KernelPath.Avx2)
                    Run<Lanes4, Vector256<double>>(x, dimension, w + k * dimension, c[k], joint + k * RowBlock.Stride, lanes);
                else Run<Lanes2, Vector128<double>>(x, dimension, w + k * dimension, c[k], joint + k * RowBlock.Stride, lanes);
            }
        }
    }

    private static void Run<TLanes, TVector>(double* columns, int dimension, double* w, double constant, double* joint, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int c1 = TLanes.Count, c2 = 2 * TLanes.Count, c3 = 3 * TLanes.Count;
        for (int lane = 0; lane < lanes; lane += 4 * TLanes.Count)
        {
            double* x = columns + lane;
            double* target = joint + lane;
            TVector s0, s1, s2, s3;
            s0 = s1 = s2 = s3 = TLanes.Broadcast(constant);
            for (int d = 0; d < dimension; d++, x += RowBlock.Stride)
            {
                TVector slope = TLanes.Broadcast(w[d]);
                s0 = TLanes.Fma(slope, TLanes.Load(x), s0);
                s1 = TLanes.Fma(slope, TLanes.Load(x + c1), s1);
                s2 = TLanes.Fma(slope, TLanes.Load(x + c2), s2);
                s3 = TLanes.Fma(slope, TLanes.Load(x + c3), s3);
            }
            TLanes.Store(TLanes.Add(TLanes.Load(target), s0), target);
            TLanes.Store(TLanes.Add(TLanes.Load(target + c1), s1), target + c1);
            TLanes.Store(TLanes.Add(TLanes.Load(target + c2), s2), target + c2);
            TLanes.Store(TLanes.Add(TLanes.Load(target + c3), s3), target + c3);
        }
    }
}
