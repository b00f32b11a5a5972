using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Posterior normalisation in log space, the row maximum taken out. The exponentials of a row are added as four sums of every fourth
/// component, (s0 + s2) + (s1 + s3): the order in which <see cref="SoftMax"/>, whose lanes are components, adds them.
/// </summary>
internal static unsafe class LogSumExp
{
    /// <summary>Sums of every fourth component.</summary>
    private const int Sums = 4;

    /// <summary>
    /// For every lane i: <c>logDensities[i] = log sum_k exp(logJoint[k, i])</c>, and <paramref name="logJoint"/> is overwritten by the
    /// responsibilities <c>exp(logJoint[k, i] - logDensities[i])</c>. A lane whose entries are all negative infinity gets negative infinity
    /// and responsibilities zero.
    /// </summary>
    /// <param name="logJoint">K x Stride: log weight plus log density; overwritten.</param>
    /// <param name="components">K.</param>
    /// <param name="logDensities">Stride; overwritten, in nats.</param>
    /// <param name="count">Rows in the block: lanes from here on, rounded up to whole tiles, are left alone.</param>
    public static void Normalize(Span<double> logJoint, int components, Span<double> logDensities, int count = RowBlock.Capacity) =>
        Normalize(Kernels.Path, logJoint, components, logDensities, count);

    /// <summary>The same on a chosen path.</summary>
    internal static void Normalize(
        KernelPath path, Span<double> logJoint, int components, Span<double> logDensities, int count = RowBlock.Capacity)
    {
        KernelShape.Require(logJoint.Length, components, RowBlock.Stride, nameof(logJoint));
        KernelShape.Require(logDensities.Length, 1, RowBlock.Capacity, nameof(logDensities));
        int lanes = KernelShape.Lanes(count);
        fixed (double* joint = logJoint, densities = logDensities)
        {
            if (path == KernelPath.Avx512) Run<Lanes8, Vector512<double>>(joint, components, densities, lanes);
            else if (path == KernelPath.Avx2) Run<Lanes4, Vector256<double>>(joint, components, densities, lanes);
            else Run<Lanes2, Vector128<double>>(joint, components, densities, lanes);
        }
    }

    [SkipLocalsInit]
    private static void Run<TLanes, TVector>(double* logJoint, int components, double* logDensities, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* memory = stackalloc double[Sums * 4 * TLanes.Count + 8];
        double* sums = (double*)(((nint)memory + 63) & ~63);
        double* end = logJoint + (nint)components * RowBlock.Stride;
        for (int lane = 0; lane < lanes; lane += 4 * TLanes.Count)
        {
            Exponentials<TLanes, TVector>(logJoint + lane, end, logDensities + lane, sums);
            Quotients<TLanes, TVector>(logJoint + lane, end, logDensities + lane, sums);
        }
    }

    /// <summary>Turns maxima and sums into log-densities, and exponentials into responsibilities.</summary>
    private static void Quotients<TLanes, TVector>(double* logJoint, double* end, double* maxima, double* sums)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int c1 = TLanes.Count, c2 = 2 * TLanes.Count, c3 = 3 * TLanes.Count;
        for (int at = 0, next = 4 * TLanes.Count; at < next; at += TLanes.Count)
        {
            TVector sum = TLanes.Add(
                TLanes.Add(TLanes.Load(sums + at), TLanes.Load(sums + at + 2 * next)),
                TLanes.Add(TLanes.Load(sums + at + next), TLanes.Load(sums + at + 3 * next))), zero = TLanes.Broadcast(0);
            TLanes.Store(TLanes.Add(TLanes.Load(maxima + at), VectorLog.LogOfSum<TLanes, TVector>(sum)), maxima + at);
            TLanes.Store(TLanes.SelectLess(zero, sum, TLanes.Divide(TLanes.Broadcast(1), sum), sum), sums + at);
        }
        TVector scale0 = TLanes.Load(sums), scale1 = TLanes.Load(sums + c1), scale2 = TLanes.Load(sums + c2),
            scale3 = TLanes.Load(sums + c3);
        for (double* p = logJoint; p < end; p += RowBlock.Stride)
        {
            TLanes.Store(TLanes.Multiply(TLanes.Load(p), scale0), p);
            TLanes.Store(TLanes.Multiply(TLanes.Load(p + c1), scale1), p + c1);
            TLanes.Store(TLanes.Multiply(TLanes.Load(p + c2), scale2), p + c2);
            TLanes.Store(TLanes.Multiply(TLanes.Load(p + c3), scale3), p + c3);
        }
    }

    /// <summary>Overwrites four vectors of lanes by exp(logJoint - maximum); writes the maxima and the sums.</summary>
    private static void Exponentials<TLanes, TVector>(double* logJoint, double* end, double* maxima, double* sums)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int c1 = TLanes.Count, c2 = 2 * TLanes.Count, c3 = 3 * TLanes.Count;
        TVector none = TLanes.Broadcast(double.NegativeInfinity), max0 = none, max1 = none, max2 = none, max3 = none,
            zero = TLanes.Broadcast(0);
        for (double* p = logJoint; p < end; p += RowBlock.Stride)
        {
            max0 = TLanes.Max(max0, TLanes.Load(p));
            max1 = TLanes.Max(max1, TLanes.Load(p + c1));
            max2 = TLanes.Max(max2, TLanes.Load(p + c2));
            max3 = TLanes.Max(max3, TLanes.Load(p + c3));
        }

        // A lane of negative infinities subtracts 0 instead of its maximum, so that every exponential is 0 and not NaN.
        TLanes.Store(TLanes.SelectLess(none, max0, max0, zero), maxima);
        TLanes.Store(TLanes.SelectLess(none, max1, max1, zero), maxima + c1);
        TLanes.Store(TLanes.SelectLess(none, max2, max2, zero), maxima + c2);
        TLanes.Store(TLanes.SelectLess(none, max3, max3, zero), maxima + c3);
        for (int at = 0; at < Sums * 4 * TLanes.Count; at += TLanes.Count) TLanes.Store(zero, sums + at);
        double* first = sums, last = sums + (Sums - 1) * 4 * TLanes.Count;
        for (double* p = logJoint; p < end; p += RowBlock.Stride, sums = sums == last ? first : sums + 4 * TLanes.Count)
        {
            TVector e0 = TLanes.Subtract(TLanes.Load(p), TLanes.Load(maxima)),
                e1 = TLanes.Subtract(TLanes.Load(p + c1), TLanes.Load(maxima + c1));
            TVector e2 = TLanes.Subtract(TLanes.Load(p + c2), TLanes.Load(maxima + c2)),
                e3 = TLanes.Subtract(TLanes.Load(p + c3), TLanes.Load(maxima + c3));
            TLanes.Exp4(ref e0, ref e1, ref e2, ref e3);
            TLanes.Store(e0, p);
            TLanes.Store(e1, p + c1);
            TLanes.Store(e2, p + c2);
            TLanes.Store(e3, p + c3);
            TLanes.Store(TLanes.Add(TLanes.Load(sums), e0), sums);
            TLanes.Store(TLanes.Add(TLanes.Load(sums + c1), e1), sums + c1);
            TLanes.Store(TLanes.Add(TLanes.Load(sums + c2), e2), sums + c2);
            TLanes.Store(TLanes.Add(TLanes.Load(sums + c3), e3), sums + c3);
        }
    }
}
