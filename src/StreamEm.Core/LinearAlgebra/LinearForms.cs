using System.Runtime.CompilerServices;
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
            if (path == KernelPath.Avx512) Run<Lanes8, Vector512<double>>(x, dimension, components, w, c, joint, lanes);
            else if (path == KernelPath.Avx2) Run<Lanes4, Vector256<double>>(x, dimension, components, w, c, joint, lanes);
            else Run<Lanes2, Vector128<double>>(x, dimension, components, w, c, joint, lanes);
        }
    }

    /// <summary>Four components at a time, each sum in the order of the features; what is left of them goes one by one.</summary>
    private static void Run<TLanes, TVector>(double* x, int dimension, int components, double* w, double* c, double* joint, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int k = 0;
        for (; k + 4 <= components; k += 4)
        {
            double* target = joint + k * RowBlock.Stride;
            if (TLanes.Count == 8) FourByFour<TLanes, TVector>(x, dimension, w + k * dimension, c + k, target, lanes);
            else FourByTwo<TLanes, TVector>(x, dimension, w + k * dimension, c + k, target, lanes);
        }
        for (; k < components; k++) One<TLanes, TVector>(x, dimension, w + k * dimension, c[k], joint + k * RowBlock.Stride, lanes);
    }

    /// <summary>4 components by 4 vectors: 21 registers of 32. A loaded x serves four components, a weight four vectors.</summary>
    private static void FourByFour<TLanes, TVector>(double* columns, int dimension, double* w, double* c, double* joint, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* w1 = w + dimension, w2 = w1 + dimension, w3 = w2 + dimension;
        for (int lane = 0; lane < lanes; lane += 4 * TLanes.Count)
        {
            double* x = columns + lane;
            TVector s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33;
            s00 = s01 = s02 = s03 = TLanes.Broadcast(c[0]);
            s10 = s11 = s12 = s13 = TLanes.Broadcast(c[1]);
            s20 = s21 = s22 = s23 = TLanes.Broadcast(c[2]);
            s30 = s31 = s32 = s33 = TLanes.Broadcast(c[3]);
            for (int d = 0; d < dimension; d++, x += RowBlock.Stride)
            {
                TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + TLanes.Count), x2 = TLanes.Load(x + 2 * TLanes.Count),
                    x3 = TLanes.Load(x + 3 * TLanes.Count), v = TLanes.Broadcast(w[d]);
                s00 = TLanes.Fma(v, x0, s00); s01 = TLanes.Fma(v, x1, s01); s02 = TLanes.Fma(v, x2, s02); s03 = TLanes.Fma(v, x3, s03);
                v = TLanes.Broadcast(w1[d]);
                s10 = TLanes.Fma(v, x0, s10); s11 = TLanes.Fma(v, x1, s11); s12 = TLanes.Fma(v, x2, s12); s13 = TLanes.Fma(v, x3, s13);
                v = TLanes.Broadcast(w2[d]);
                s20 = TLanes.Fma(v, x0, s20); s21 = TLanes.Fma(v, x1, s21); s22 = TLanes.Fma(v, x2, s22); s23 = TLanes.Fma(v, x3, s23);
                v = TLanes.Broadcast(w3[d]);
                s30 = TLanes.Fma(v, x0, s30); s31 = TLanes.Fma(v, x1, s31); s32 = TLanes.Fma(v, x2, s32); s33 = TLanes.Fma(v, x3, s33);
            }
            double* target = joint + lane;
            AddTo<TLanes, TVector>(target, s00, s01);
            AddTo<TLanes, TVector>(target + 2 * TLanes.Count, s02, s03);
            AddTo<TLanes, TVector>(target + RowBlock.Stride, s10, s11);
            AddTo<TLanes, TVector>(target + RowBlock.Stride + 2 * TLanes.Count, s12, s13);
            AddTo<TLanes, TVector>(target + 2 * RowBlock.Stride, s20, s21);
            AddTo<TLanes, TVector>(target + 2 * RowBlock.Stride + 2 * TLanes.Count, s22, s23);
            AddTo<TLanes, TVector>(target + 3 * RowBlock.Stride, s30, s31);
            AddTo<TLanes, TVector>(target + 3 * RowBlock.Stride + 2 * TLanes.Count, s32, s33);
        }
    }

    /// <summary>4 components by 2 vectors: 11 registers of 16.</summary>
    private static void FourByTwo<TLanes, TVector>(double* columns, int dimension, double* w, double* c, double* joint, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* w1 = w + dimension, w2 = w1 + dimension, w3 = w2 + dimension;
        for (int lane = 0; lane < lanes; lane += 2 * TLanes.Count)
        {
            double* x = columns + lane;
            TVector s00, s01, s10, s11, s20, s21, s30, s31;
            s00 = s01 = TLanes.Broadcast(c[0]);
            s10 = s11 = TLanes.Broadcast(c[1]);
            s20 = s21 = TLanes.Broadcast(c[2]);
            s30 = s31 = TLanes.Broadcast(c[3]);
            for (int d = 0; d < dimension; d++, x += RowBlock.Stride)
            {
                TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + TLanes.Count), v = TLanes.Broadcast(w[d]);
                s00 = TLanes.Fma(v, x0, s00); s01 = TLanes.Fma(v, x1, s01);
                v = TLanes.Broadcast(w1[d]);
                s10 = TLanes.Fma(v, x0, s10); s11 = TLanes.Fma(v, x1, s11);
                v = TLanes.Broadcast(w2[d]);
                s20 = TLanes.Fma(v, x0, s20); s21 = TLanes.Fma(v, x1, s21);
                v = TLanes.Broadcast(w3[d]);
                s30 = TLanes.Fma(v, x0, s30); s31 = TLanes.Fma(v, x1, s31);
            }
            AddTo<TLanes, TVector>(joint + lane, s00, s01);
            AddTo<TLanes, TVector>(joint + lane + RowBlock.Stride, s10, s11);
            AddTo<TLanes, TVector>(joint + lane + 2 * RowBlock.Stride, s20, s21);
            AddTo<TLanes, TVector>(joint + lane + 3 * RowBlock.Stride, s30, s31);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo<TLanes, TVector>(double* target, TVector a, TVector b)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TLanes.Store(TLanes.Add(TLanes.Load(target), a), target);
        TLanes.Store(TLanes.Add(TLanes.Load(target + TLanes.Count), b), target + TLanes.Count);
    }

    private static void One<TLanes, TVector>(double* columns, int dimension, double* w, double constant, double* joint, int lanes)
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
