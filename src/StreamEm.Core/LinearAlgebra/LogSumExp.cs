using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>Posterior normalisation in log space, the row maximum taken out.</summary>
internal static unsafe class LogSumExp
{
    /// <summary>
    /// For every lane i: <c>logDensities[i] = log sum_k exp(logJoint[k, i])</c>, and <paramref name="logJoint"/> is overwritten by the
    /// responsibilities <c>exp(logJoint[k, i] - logDensities[i])</c>. A lane whose entries are all negative infinity gets negative infinity and
    /// responsibilities zero.
    /// </summary>
    /// <param name="logJoint">K x Stride: log weight plus log density; overwritten.</param>
    /// <param name="components">K.</param>
    /// <param name="logDensities">Stride; overwritten, in nats.</param>
    public static void Normalize(Span<double> logJoint, int components, Span<double> logDensities) =>
        Normalize(Kernels.Path, logJoint, components, logDensities);

    /// <summary>The same on a chosen path.</summary>
    internal static void Normalize(KernelPath path, Span<double> logJoint, int components, Span<double> logDensities)
    {
        KernelShape.Require(logJoint.Length, components, RowBlock.Stride, nameof(logJoint));
        KernelShape.Require(logDensities.Length, 1, RowBlock.Capacity, nameof(logDensities));
        fixed (double* joint = logJoint, densities = logDensities)
        {
            if (path == KernelPath.Avx512) Run<Lanes8, Vector512<double>>(joint, components, densities);
            else if (path == KernelPath.Avx2) Run<Lanes4, Vector256<double>>(joint, components, densities);
            else Run<Lanes2, Vector128<double>>(joint, components, densities);
        }
    }

    private static void Run<TLanes, TVector>(double* logJoint, int components, double* logDensities)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        for (int lane = 0; lane < RowBlock.Capacity; lane += 2 * TLanes.Count)
            TwoVectors<TLanes, TVector>(logJoint + lane, components, logDensities + lane);
    }

    /// <summary>Two vectors of lanes side by side: while one waits for its polynomial, the other uses the ports.</summary>
    private static void TwoVectors<TLanes, TVector>(double* logJoint, int components, double* logDensities)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* end = logJoint + (nint)components * RowBlock.Stride;
        TVector none = TLanes.Broadcast(double.NegativeInfinity), max0 = none, max1 = none;
        for (double* p = logJoint; p < end; p += RowBlock.Stride)
        {
            max0 = TLanes.Max(max0, TLanes.Load(p));
            max1 = TLanes.Max(max1, TLanes.Load(p + TLanes.Count));
        }

        // A lane of negative infinities subtracts 0 instead of its maximum, so that every exponential is 0 and not NaN.
        TVector zero = TLanes.Broadcast(0), sum0 = zero, sum1 = zero;
        max0 = TLanes.SelectLess(none, max0, max0, zero);
        max1 = TLanes.SelectLess(none, max1, max1, zero);
        for (double* p = logJoint; p < end; p += RowBlock.Stride)
        {
            TVector e0 = TLanes.Exp(TLanes.Subtract(TLanes.Load(p), max0));
            TVector e1 = TLanes.Exp(TLanes.Subtract(TLanes.Load(p + TLanes.Count), max1));
            TLanes.Store(e0, p);
            TLanes.Store(e1, p + TLanes.Count);
            sum0 = TLanes.Add(sum0, e0);
            sum1 = TLanes.Add(sum1, e1);
        }
        TLanes.Store(TLanes.Add(max0, VectorLog.Log<TLanes, TVector>(sum0)), logDensities);
        TLanes.Store(TLanes.Add(max1, VectorLog.Log<TLanes, TVector>(sum1)), logDensities + TLanes.Count);

        TVector one = TLanes.Broadcast(1);
        TVector scale0 = TLanes.SelectLess(zero, sum0, TLanes.Divide(one, sum0), sum0);
        TVector scale1 = TLanes.SelectLess(zero, sum1, TLanes.Divide(one, sum1), sum1);
        for (double* p = logJoint; p < end; p += RowBlock.Stride)
        {
            TLanes.Store(TLanes.Multiply(TLanes.Load(p), scale0), p);
            TLanes.Store(TLanes.Multiply(TLanes.Load(p + TLanes.Count), scale1), p + TLanes.Count);
        }
    }
}
