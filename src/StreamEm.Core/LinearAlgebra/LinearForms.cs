using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Linear log-densities: constant_k + sum_d w_kd x_d for all lanes of a row block, as a matrix product. One FMA per (row, component,
/// feature). The rows of a tile stay in the first-level cache while all components pass.
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
        Add(Kernels.Path, columns, dimension, components, slopes, constants, [], [], logJoint, count);

    /// <summary>The same on a chosen path.</summary>
    internal static void Add(
        KernelPath path, ReadOnlySpan<double> columns, int dimension, int components, ReadOnlySpan<double> slopes,
        ReadOnlySpan<double> constants, Span<double> logJoint, int count) =>
        Add(path, columns, dimension, components, slopes, constants, [], [], logJoint, count);

    /// <summary>
    /// Adds constant_k + c_k n_i + sum_d w_kd x_id, in this order, to <paramref name="logJoint"/>: with n = |x|^2, c = -1 / (2 sigma^2) and
    /// w = mu / sigma^2 the log-density of spheres.
    /// </summary>
    /// <param name="path">Width of the vectors.</param>
    /// <param name="columns">D x Stride.</param>
    /// <param name="dimension">D.</param>
    /// <param name="components">K.</param>
    /// <param name="slopes">w, K x D.</param>
    /// <param name="constants">K.</param>
    /// <param name="curvatures">c, K; empty for none.</param>
    /// <param name="norms">n, a value per lane; empty for none.</param>
    /// <param name="logJoint">K x Stride, added to.</param>
    /// <param name="count">Rows in the block.</param>
    internal static void Add(
        KernelPath path, ReadOnlySpan<double> columns, int dimension, int components, ReadOnlySpan<double> slopes,
        ReadOnlySpan<double> constants, ReadOnlySpan<double> curvatures, ReadOnlySpan<double> norms, Span<double> logJoint, int count)
    {
        KernelShape.Require(columns.Length, dimension, RowBlock.Stride, nameof(columns));
        KernelShape.Require(slopes.Length, components, dimension, nameof(slopes));
        KernelShape.Require(constants.Length, components, 1, nameof(constants));
        KernelShape.Require(logJoint.Length, components, RowBlock.Stride, nameof(logJoint));
        if (!norms.IsEmpty) KernelShape.Require(norms.Length, 1, RowBlock.Capacity, nameof(norms));
        if (!norms.IsEmpty) KernelShape.Require(curvatures.Length, components, 1, nameof(curvatures));
        int lanes = KernelShape.Lanes(count);
        fixed (double* x = columns, w = slopes, c = constants, h = curvatures, n = norms, joint = logJoint)
        {
            if (path == KernelPath.Avx512) Run<Lanes8, Vector512<double>>(x, dimension, components, w, c, h, n, joint, lanes);
            else if (path == KernelPath.Avx2) Run<Lanes4, Vector256<double>>(x, dimension, components, w, c, h, n, joint, lanes);
            else Run<Lanes2, Vector128<double>>(x, dimension, components, w, c, h, n, joint, lanes);
        }
    }

    /// <summary>
    /// Four vectors of lanes, and of them four components at a time, each sum in the order of the features; what is left of the components
    /// goes one by one.
    /// </summary>
    private static void Run<TLanes, TVector>(
        double* x, int dimension, int components, double* w, double* c, double* h, double* n, double* joint, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        for (int lane = 0; lane < lanes; lane += 4 * TLanes.Count, x += 4 * TLanes.Count, joint += 4 * TLanes.Count)
        {
            double* norms = n == null ? null : n + lane, target = joint;
            int k = 0;
            for (; k + 4 <= components; k += 4, target += 4 * RowBlock.Stride)
            {
                double* slopes = w + (nint)k * dimension, curvatures = n == null ? null : h + k;
                if (TLanes.Count == 8)
                {
                    FourByFour<TLanes, TVector>(x, dimension, slopes, c + k, curvatures, norms, target);
                    continue;
                }
                FourByTwo<TLanes, TVector>(x, dimension, slopes, c + k, curvatures, norms, target);
                FourByTwo<TLanes, TVector>(
                    x + 2 * TLanes.Count, dimension, slopes, c + k, curvatures, norms == null ? null : norms + 2 * TLanes.Count,
                    target + 2 * TLanes.Count);
            }
            for (; k < components; k++, target += RowBlock.Stride)
                One<TLanes, TVector>(x, dimension, w + (nint)k * dimension, c + k, n == null ? null : h + k, norms, target);
        }
    }

    /// <summary>4 components by 4 vectors: 21 registers of 32. A loaded x serves four components, a weight four vectors.</summary>
    private static void FourByFour<TLanes, TVector>(
        double* x, int dimension, double* w, double* c, double* h, double* norms, double* target)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* w1 = w + dimension, w2 = w1 + dimension, w3 = w2 + dimension;
        int c1 = TLanes.Count, c2 = 2 * TLanes.Count, c3 = 3 * TLanes.Count;
        TVector s00 = From<TLanes, TVector>(c, h, norms, 0, 0), s01 = From<TLanes, TVector>(c, h, norms, 0, c1),
            s02 = From<TLanes, TVector>(c, h, norms, 0, c2), s03 = From<TLanes, TVector>(c, h, norms, 0, c3);
        TVector s10 = From<TLanes, TVector>(c, h, norms, 1, 0), s11 = From<TLanes, TVector>(c, h, norms, 1, c1),
            s12 = From<TLanes, TVector>(c, h, norms, 1, c2), s13 = From<TLanes, TVector>(c, h, norms, 1, c3);
        TVector s20 = From<TLanes, TVector>(c, h, norms, 2, 0), s21 = From<TLanes, TVector>(c, h, norms, 2, c1),
            s22 = From<TLanes, TVector>(c, h, norms, 2, c2), s23 = From<TLanes, TVector>(c, h, norms, 2, c3);
        TVector s30 = From<TLanes, TVector>(c, h, norms, 3, 0), s31 = From<TLanes, TVector>(c, h, norms, 3, c1),
            s32 = From<TLanes, TVector>(c, h, norms, 3, c2), s33 = From<TLanes, TVector>(c, h, norms, 3, c3);
        for (int d = 0; d < dimension; d++, x += RowBlock.Stride)
        {
            TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + c1), x2 = TLanes.Load(x + c2), x3 = TLanes.Load(x + c3),
                v = TLanes.Broadcast(w[d]);
            s00 = TLanes.Fma(v, x0, s00); s01 = TLanes.Fma(v, x1, s01); s02 = TLanes.Fma(v, x2, s02); s03 = TLanes.Fma(v, x3, s03);
            v = TLanes.Broadcast(w1[d]);
            s10 = TLanes.Fma(v, x0, s10); s11 = TLanes.Fma(v, x1, s11); s12 = TLanes.Fma(v, x2, s12); s13 = TLanes.Fma(v, x3, s13);
            v = TLanes.Broadcast(w2[d]);
            s20 = TLanes.Fma(v, x0, s20); s21 = TLanes.Fma(v, x1, s21); s22 = TLanes.Fma(v, x2, s22); s23 = TLanes.Fma(v, x3, s23);
            v = TLanes.Broadcast(w3[d]);
            s30 = TLanes.Fma(v, x0, s30); s31 = TLanes.Fma(v, x1, s31); s32 = TLanes.Fma(v, x2, s32); s33 = TLanes.Fma(v, x3, s33);
        }
        AddTo<TLanes, TVector>(target, s00, s01);
        AddTo<TLanes, TVector>(target + c2, s02, s03);
        AddTo<TLanes, TVector>(target + RowBlock.Stride, s10, s11);
        AddTo<TLanes, TVector>(target + RowBlock.Stride + c2, s12, s13);
        AddTo<TLanes, TVector>(target + 2 * RowBlock.Stride, s20, s21);
        AddTo<TLanes, TVector>(target + 2 * RowBlock.Stride + c2, s22, s23);
        AddTo<TLanes, TVector>(target + 3 * RowBlock.Stride, s30, s31);
        AddTo<TLanes, TVector>(target + 3 * RowBlock.Stride + c2, s32, s33);
    }

    /// <summary>4 components by 2 vectors: 11 registers of 16.</summary>
    private static void FourByTwo<TLanes, TVector>(
        double* x, int dimension, double* w, double* c, double* h, double* norms, double* target)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* w1 = w + dimension, w2 = w1 + dimension, w3 = w2 + dimension;
        int c1 = TLanes.Count;
        TVector s00 = From<TLanes, TVector>(c, h, norms, 0, 0), s01 = From<TLanes, TVector>(c, h, norms, 0, c1);
        TVector s10 = From<TLanes, TVector>(c, h, norms, 1, 0), s11 = From<TLanes, TVector>(c, h, norms, 1, c1);
        TVector s20 = From<TLanes, TVector>(c, h, norms, 2, 0), s21 = From<TLanes, TVector>(c, h, norms, 2, c1);
        TVector s30 = From<TLanes, TVector>(c, h, norms, 3, 0), s31 = From<TLanes, TVector>(c, h, norms, 3, c1);
        for (int d = 0; d < dimension; d++, x += RowBlock.Stride)
        {
            TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + c1), v = TLanes.Broadcast(w[d]);
            s00 = TLanes.Fma(v, x0, s00); s01 = TLanes.Fma(v, x1, s01);
            v = TLanes.Broadcast(w1[d]);
            s10 = TLanes.Fma(v, x0, s10); s11 = TLanes.Fma(v, x1, s11);
            v = TLanes.Broadcast(w2[d]);
            s20 = TLanes.Fma(v, x0, s20); s21 = TLanes.Fma(v, x1, s21);
            v = TLanes.Broadcast(w3[d]);
            s30 = TLanes.Fma(v, x0, s30); s31 = TLanes.Fma(v, x1, s31);
        }
        AddTo<TLanes, TVector>(target, s00, s01);
        AddTo<TLanes, TVector>(target + RowBlock.Stride, s10, s11);
        AddTo<TLanes, TVector>(target + 2 * RowBlock.Stride, s20, s21);
        AddTo<TLanes, TVector>(target + 3 * RowBlock.Stride, s30, s31);
    }

    /// <summary>Where the sum of a component starts: its constant, and what it makes of the norms where there are any.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector From<TLanes, TVector>(double* constants, double* curvatures, double* norms, int component, int lane)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector constant = TLanes.Broadcast(constants[component]);
        return norms == null ? constant : TLanes.Fma(TLanes.Broadcast(curvatures[component]), TLanes.Load(norms + lane), constant);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo<TLanes, TVector>(double* target, TVector a, TVector b)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TLanes.Store(TLanes.Add(TLanes.Load(target), a), target);
        TLanes.Store(TLanes.Add(TLanes.Load(target + TLanes.Count), b), target + TLanes.Count);
    }

    private static void One<TLanes, TVector>(double* x, int dimension, double* w, double* c, double* h, double* norms, double* target)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int c1 = TLanes.Count, c2 = 2 * TLanes.Count, c3 = 3 * TLanes.Count;
        TVector s0 = From<TLanes, TVector>(c, h, norms, 0, 0), s1 = From<TLanes, TVector>(c, h, norms, 0, c1);
        TVector s2 = From<TLanes, TVector>(c, h, norms, 0, c2), s3 = From<TLanes, TVector>(c, h, norms, 0, c3);
        for (int d = 0; d < dimension; d++, x += RowBlock.Stride)
        {
            TVector slope = TLanes.Broadcast(w[d]);
            s0 = TLanes.Fma(slope, TLanes.Load(x), s0);
            s1 = TLanes.Fma(slope, TLanes.Load(x + c1), s1);
            s2 = TLanes.Fma(slope, TLanes.Load(x + c2), s2);
            s3 = TLanes.Fma(slope, TLanes.Load(x + c3), s3);
        }
        AddTo<TLanes, TVector>(target, s0, s1);
        AddTo<TLanes, TVector>(target + c2, s2, s3);
    }
}
