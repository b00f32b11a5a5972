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

    /// <summary>exp of a smaller number is 0 beside the 1 of the largest; so is its product with this one, for which it is taken.</summary>
    private const double Least = -1000;

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
        Normalize(Kernels.Path, logJoint, components, logDensities, [], count);

    /// <summary>
    /// The same, and the entropy of each lane's responsibilities: with e_k = exp(d_k), d_k = l_k - max l, and S = sum e_k it is
    /// log S - sum_k e_k d_k / S, without a logarithm of any of them.
    /// </summary>
    /// <param name="logJoint">K x Stride: log weight plus log density; overwritten.</param>
    /// <param name="components">K.</param>
    /// <param name="logDensities">Stride; overwritten, in nats.</param>
    /// <param name="entropies">Stride; overwritten, in nats; 0 of a lane whose entries are all negative infinity.</param>
    /// <param name="count">Rows in the block.</param>
    public static void Normalize(
        Span<double> logJoint, int components, Span<double> logDensities, Span<double> entropies, int count = RowBlock.Capacity)
    {
        KernelShape.Require(entropies.Length, 1, RowBlock.Capacity, nameof(entropies));
        Normalize(Kernels.Path, logJoint, components, logDensities, entropies, count);
    }

    /// <summary>The responsibilities alone, on a chosen path.</summary>
    internal static void Normalize(
        KernelPath path, Span<double> logJoint, int components, Span<double> logDensities, int count = RowBlock.Capacity) =>
        Normalize(path, logJoint, components, logDensities, [], count);

    /// <summary>The same on a chosen path; entropies may be left out.</summary>
    internal static void Normalize(
        KernelPath path, Span<double> logJoint, int components, Span<double> logDensities, Span<double> entropies, int count)
    {
        KernelShape.Require(logJoint.Length, components, RowBlock.Stride, nameof(logJoint));
        KernelShape.Require(logDensities.Length, 1, RowBlock.Capacity, nameof(logDensities));
        int lanes = KernelShape.Lanes(count);
        fixed (double* joint = logJoint, densities = logDensities, spreads = entropies)
        {
            if (path == KernelPath.Avx512) Run<Lanes8, Vector512<double>>(joint, components, densities, spreads, lanes);
            else if (path == KernelPath.Avx2) Run<Lanes4, Vector256<double>>(joint, components, densities, spreads, lanes);
            else Run<Lanes2, Vector128<double>>(joint, components, densities, spreads, lanes);
        }
    }

    [SkipLocalsInit]
    private static void Run<TLanes, TVector>(double* logJoint, int components, double* logDensities, double* entropies, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* memory = stackalloc double[(Sums + 1) * 8 * TLanes.Count + 8];
        double* sums = (double*)(((nint)memory + 63) & ~63), falls = entropies == null ? null : sums + Sums * 8 * TLanes.Count;
        double* end = logJoint + (nint)components * RowBlock.Stride;
        int lane = 0;
        if (TLanes.Count == 8)
            for (; lane + 8 * TLanes.Count <= lanes; lane += 8 * TLanes.Count)
            {
                EightExponentials<TLanes, TVector>(logJoint + lane, end, logDensities + lane, sums, falls);
                Logs<TLanes, TVector>(logDensities + lane, sums, falls, entropies + lane, 8);
                Scale<TLanes, TVector>(logJoint + lane, end, sums);
                Scale<TLanes, TVector>(logJoint + lane + 4 * TLanes.Count, end, sums + 4 * TLanes.Count);
            }
        for (; lane < lanes; lane += 4 * TLanes.Count)
        {
            Exponentials<TLanes, TVector>(logJoint + lane, end, logDensities + lane, sums, falls);
            Logs<TLanes, TVector>(logDensities + lane, sums, falls, entropies + lane, 4);
            Scale<TLanes, TVector>(logJoint + lane, end, sums);
        }
    }

    /// <summary>Turns maxima into log-densities, and the first of the four sums into the factor of their exponentials.</summary>
    private static void Logs<TLanes, TVector>(double* maxima, double* sums, double* falls, double* entropies, int vectors)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        for (int at = 0, next = vectors * TLanes.Count; at < next; at += TLanes.Count)
        {
            TVector sum = TLanes.Add(
                TLanes.Add(TLanes.Load(sums + at), TLanes.Load(sums + at + 2 * next)),
                TLanes.Add(TLanes.Load(sums + at + next), TLanes.Load(sums + at + 3 * next))), zero = TLanes.Broadcast(0);
            TVector log = VectorLog.LogOfSum<TLanes, TVector>(sum), one = TLanes.Broadcast(1);
            TLanes.Store(TLanes.Add(TLanes.Load(maxima + at), log), maxima + at);
            TVector factor = TLanes.SelectLess(zero, sum, TLanes.Divide(one, sum), sum);
            TLanes.Store(factor, sums + at);
            if (falls == null) continue;
            TVector entropy = TLanes.Subtract(log, TLanes.Multiply(TLanes.Load(falls + at), factor));
            TLanes.Store(TLanes.SelectLess(zero, sum, entropy, zero), entropies + at);
        }
    }

    /// <summary>Turns the exponentials of four vectors of lanes into responsibilities.</summary>
    private static void Scale<TLanes, TVector>(double* logJoint, double* end, double* sums)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int c1 = TLanes.Count, c2 = 2 * TLanes.Count, c3 = 3 * TLanes.Count;
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

    /// <summary>
    /// Overwrites four vectors of lanes by exp(logJoint - maximum); writes the maxima and the sums, and, where asked for, the sums of the
    /// exponentials times their arguments.
    /// </summary>
    private static void Exponentials<TLanes, TVector>(double* logJoint, double* end, double* maxima, double* sums, double* falls)
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
        for (int at = 0; at < 4 * TLanes.Count && falls != null; at += TLanes.Count) TLanes.Store(zero, falls + at);
        double* first = sums, last = sums + (Sums - 1) * 4 * TLanes.Count;
        for (double* p = logJoint; p < end; p += RowBlock.Stride, sums = sums == last ? first : sums + 4 * TLanes.Count)
        {
            TVector e0 = TLanes.Subtract(TLanes.Load(p), TLanes.Load(maxima)),
                e1 = TLanes.Subtract(TLanes.Load(p + c1), TLanes.Load(maxima + c1));
            TVector e2 = TLanes.Subtract(TLanes.Load(p + c2), TLanes.Load(maxima + c2)),
                e3 = TLanes.Subtract(TLanes.Load(p + c3), TLanes.Load(maxima + c3));
            TLanes.Exp4(ref e0, ref e1, ref e2, ref e3);
            if (falls != null)
            {
                Fall<TLanes, TVector>(e0, p, maxima, falls, 0);
                Fall<TLanes, TVector>(e1, p, maxima, falls, 1);
                Fall<TLanes, TVector>(e2, p, maxima, falls, 2);
                Fall<TLanes, TVector>(e3, p, maxima, falls, 3);
            }
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

    /// <summary><see cref="Exponentials"/> of eight vectors, for 32 registers.</summary>
    private static void EightExponentials<TLanes, TVector>(double* logJoint, double* end, double* maxima, double* sums, double* falls)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector none = TLanes.Broadcast(double.NegativeInfinity), zero = TLanes.Broadcast(0);
        TVector m0 = none, m1 = none, m2 = none, m3 = none, m4 = none, m5 = none, m6 = none, m7 = none;
        for (double* p = logJoint; p < end; p += RowBlock.Stride)
        {
            m0 = TLanes.Max(m0, TLanes.Load(p));
            m1 = TLanes.Max(m1, TLanes.Load(p + 1 * TLanes.Count));
            m2 = TLanes.Max(m2, TLanes.Load(p + 2 * TLanes.Count));
            m3 = TLanes.Max(m3, TLanes.Load(p + 3 * TLanes.Count));
            m4 = TLanes.Max(m4, TLanes.Load(p + 4 * TLanes.Count));
            m5 = TLanes.Max(m5, TLanes.Load(p + 5 * TLanes.Count));
            m6 = TLanes.Max(m6, TLanes.Load(p + 6 * TLanes.Count));
            m7 = TLanes.Max(m7, TLanes.Load(p + 7 * TLanes.Count));
        }
        TLanes.Store(TLanes.SelectLess(none, m0, m0, zero), maxima);
        TLanes.Store(TLanes.SelectLess(none, m1, m1, zero), maxima + 1 * TLanes.Count);
        TLanes.Store(TLanes.SelectLess(none, m2, m2, zero), maxima + 2 * TLanes.Count);
        TLanes.Store(TLanes.SelectLess(none, m3, m3, zero), maxima + 3 * TLanes.Count);
        TLanes.Store(TLanes.SelectLess(none, m4, m4, zero), maxima + 4 * TLanes.Count);
        TLanes.Store(TLanes.SelectLess(none, m5, m5, zero), maxima + 5 * TLanes.Count);
        TLanes.Store(TLanes.SelectLess(none, m6, m6, zero), maxima + 6 * TLanes.Count);
        TLanes.Store(TLanes.SelectLess(none, m7, m7, zero), maxima + 7 * TLanes.Count);
        for (int at = 0; at < Sums * 8 * TLanes.Count; at += TLanes.Count) TLanes.Store(zero, sums + at);
        for (int at = 0; at < 8 * TLanes.Count && falls != null; at += TLanes.Count) TLanes.Store(zero, falls + at);
        double* first = sums, last = sums + (Sums - 1) * 8 * TLanes.Count;
        for (double* p = logJoint; p < end; p += RowBlock.Stride, sums = sums == last ? first : sums + 8 * TLanes.Count)
        {
            TVector e0 = Difference<TLanes, TVector>(p, maxima, 0);
            TVector e1 = Difference<TLanes, TVector>(p, maxima, 1);
            TVector e2 = Difference<TLanes, TVector>(p, maxima, 2);
            TVector e3 = Difference<TLanes, TVector>(p, maxima, 3);
            TVector e4 = Difference<TLanes, TVector>(p, maxima, 4);
            TVector e5 = Difference<TLanes, TVector>(p, maxima, 5);
            TVector e6 = Difference<TLanes, TVector>(p, maxima, 6);
            TVector e7 = Difference<TLanes, TVector>(p, maxima, 7);
            VectorExp.EightPolynomials<TLanes, TVector>(ref e0, ref e1, ref e2, ref e3, ref e4, ref e5, ref e6, ref e7);
            if (falls != null)
            {
                Fall<TLanes, TVector>(e0, p, maxima, falls, 0);
                Fall<TLanes, TVector>(e1, p, maxima, falls, 1);
                Fall<TLanes, TVector>(e2, p, maxima, falls, 2);
                Fall<TLanes, TVector>(e3, p, maxima, falls, 3);
                Fall<TLanes, TVector>(e4, p, maxima, falls, 4);
                Fall<TLanes, TVector>(e5, p, maxima, falls, 5);
                Fall<TLanes, TVector>(e6, p, maxima, falls, 6);
                Fall<TLanes, TVector>(e7, p, maxima, falls, 7);
            }
            Keep<TLanes, TVector>(e0, p, sums, 0);
            Keep<TLanes, TVector>(e1, p, sums, 1);
            Keep<TLanes, TVector>(e2, p, sums, 2);
            Keep<TLanes, TVector>(e3, p, sums, 3);
            Keep<TLanes, TVector>(e4, p, sums, 4);
            Keep<TLanes, TVector>(e5, p, sums, 5);
            Keep<TLanes, TVector>(e6, p, sums, 6);
            Keep<TLanes, TVector>(e7, p, sums, 7);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Difference<TLanes, TVector>(double* logJoint, double* maxima, int vector)
        where TLanes : ILanes<TVector>
        where TVector : struct =>
        TLanes.Subtract(TLanes.Load(logJoint + vector * TLanes.Count), TLanes.Load(maxima + vector * TLanes.Count));

    /// <summary>falls += e d, d the argument whose exponential e is, which is still where it was.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fall<TLanes, TVector>(TVector exponential, double* logJoint, double* maxima, double* falls, int vector)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector argument = TLanes.Max(Difference<TLanes, TVector>(logJoint, maxima, vector), TLanes.Broadcast(Least));
        falls += vector * TLanes.Count;
        TLanes.Store(TLanes.Fma(exponential, argument, TLanes.Load(falls)), falls);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep<TLanes, TVector>(TVector exponential, double* target, double* sums, int vector)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TLanes.Store(exponential, target + vector * TLanes.Count);
        sums += vector * TLanes.Count;
        TLanes.Store(TLanes.Add(TLanes.Load(sums), exponential), sums);
    }
}
