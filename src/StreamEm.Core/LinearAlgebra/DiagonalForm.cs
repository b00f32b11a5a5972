using System.Runtime.CompilerServices;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// constant_k - sum_d (a_kd x_d - b_kd)^2 / 2 for all lanes: tiles of 2 components by 4 vectors of lanes, so that a loaded x serves two
/// components and a broadcast coefficient four vectors. Two FMAs per (row, component, feature), nothing else but loads.
/// </summary>
internal static unsafe class DiagonalForm
{
    /// <summary>Adds the form to <paramref name="logJoint"/>.</summary>
    public static void Add<TLanes, TVector>(
        double* columns, int dimension, int components, double* factors, double* biases, double* constants, double* logJoint, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int k = 0;
        for (; k + 2 <= components; k += 2)
            for (int lane = 0; lane < lanes; lane += 4 * TLanes.Count)
                Two<TLanes, TVector>(
                    columns + lane, dimension, factors + k * dimension, biases + k * dimension, constants + k,
                    logJoint + k * RowBlock.Stride + lane);
        if (k == components) return;
        for (int lane = 0; lane < lanes; lane += 4 * TLanes.Count)
            One<TLanes, TVector>(
                columns + lane, dimension, factors + k * dimension, biases + k * dimension, constants + k,
                logJoint + k * RowBlock.Stride + lane);
    }

    private static void Two<TLanes, TVector>(double* x, int dimension, double* a, double* b, double* constants, double* logJoint)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector p0, p1, p2, p3, q0, q1, q2, q3;
        p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = TLanes.Broadcast(0);
        for (int d = 0; d < dimension; d++, x += RowBlock.Stride)
        {
            TVector scale0 = TLanes.Broadcast(a[d]), shift0 = TLanes.Broadcast(-b[d]);
            TVector scale1 = TLanes.Broadcast(a[dimension + d]), shift1 = TLanes.Broadcast(-b[dimension + d]);
            TVector v = TLanes.Load(x);
            TVector y = TLanes.Fma(scale0, v, shift0), z = TLanes.Fma(scale1, v, shift1);
            p0 = TLanes.Fma(y, y, p0);
            q0 = TLanes.Fma(z, z, q0);
            v = TLanes.Load(x + TLanes.Count);
            y = TLanes.Fma(scale0, v, shift0);
            z = TLanes.Fma(scale1, v, shift1);
            p1 = TLanes.Fma(y, y, p1);
            q1 = TLanes.Fma(z, z, q1);
            v = TLanes.Load(x + 2 * TLanes.Count);
            y = TLanes.Fma(scale0, v, shift0);
            z = TLanes.Fma(scale1, v, shift1);
            p2 = TLanes.Fma(y, y, p2);
            q2 = TLanes.Fma(z, z, q2);
            v = TLanes.Load(x + 3 * TLanes.Count);
            y = TLanes.Fma(scale0, v, shift0);
            z = TLanes.Fma(scale1, v, shift1);
            p3 = TLanes.Fma(y, y, p3);
            q3 = TLanes.Fma(z, z, q3);
        }
        AddTo<TLanes, TVector>(logJoint, constants[0], p0, p1, p2, p3);
        AddTo<TLanes, TVector>(logJoint + RowBlock.Stride, constants[1], q0, q1, q2, q3);
    }

    private static void One<TLanes, TVector>(double* x, int dimension, double* a, double* b, double* constants, double* logJoint)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector p0, p1, p2, p3;
        p0 = p1 = p2 = p3 = TLanes.Broadcast(0);
        for (int d = 0; d < dimension; d++, x += RowBlock.Stride)
        {
            TVector scale = TLanes.Broadcast(a[d]), shift = TLanes.Broadcast(-b[d]);
            TVector y0 = TLanes.Fma(scale, TLanes.Load(x), shift), y1 = TLanes.Fma(scale, TLanes.Load(x + TLanes.Count), shift);
            TVector y2 = TLanes.Fma(scale, TLanes.Load(x + 2 * TLanes.Count), shift),
                y3 = TLanes.Fma(scale, TLanes.Load(x + 3 * TLanes.Count), shift);
            p0 = TLanes.Fma(y0, y0, p0);
            p1 = TLanes.Fma(y1, y1, p1);
            p2 = TLanes.Fma(y2, y2, p2);
            p3 = TLanes.Fma(y3, y3, p3);
        }
        AddTo<TLanes, TVector>(logJoint, constants[0], p0, p1, p2, p3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo<TLanes, TVector>(double* target, double constant, TVector p0, TVector p1, TVector p2, TVector p3)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector half = TLanes.Broadcast(-0.5), c = TLanes.Broadcast(constant);
        double* target1 = target + TLanes.Count, target2 = target1 + TLanes.Count, target3 = target2 + TLanes.Count;
        TLanes.Store(TLanes.Add(TLanes.Load(target), TLanes.Fma(half, p0, c)), target);
        TLanes.Store(TLanes.Add(TLanes.Load(target1), TLanes.Fma(half, p1, c)), target1);
        TLanes.Store(TLanes.Add(TLanes.Load(target2), TLanes.Fma(half, p2, c)), target2);
        TLanes.Store(TLanes.Add(TLanes.Load(target3), TLanes.Fma(half, p3, c)), target3);
    }
}
