using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>A scale that is linear near zero and logarithmic far from it, cut into bins: how a sketch numbers what it counts.</summary>
internal static unsafe class SignedLog
{
    /// <summary>Doubles of the widest vector.</summary>
    private const int Widest = 8;

    /// <summary>
    /// Overwrites <paramref name="bins"/> by floor(y binsPerUnit), y = sign(v) log(1 + |v|), v = origin - value, held within
    /// +- <paramref name="maxBin"/>; NaN for NaN.
    /// </summary>
    public static void Bins(ReadOnlySpan<double> values, double origin, double binsPerUnit, double maxBin, Span<double> bins) =>
        Bins(Kernels.Path, values, origin, binsPerUnit, maxBin, bins);

    /// <summary>The same on a chosen path.</summary>
    internal static void Bins(
        KernelPath path, ReadOnlySpan<double> values, double origin, double binsPerUnit, double maxBin, Span<double> bins)
    {
        KernelShape.Require(bins.Length, values.Length, 1, nameof(bins));
        fixed (double* from = values, to = bins)
        {
            if (path == KernelPath.Avx512) Run<Lanes8, Vector512<double>>(from, values.Length, origin, binsPerUnit, maxBin, to);
            else if (path == KernelPath.Avx2) Run<Lanes4, Vector256<double>>(from, values.Length, origin, binsPerUnit, maxBin, to);
            else Run<Lanes2, Vector128<double>>(from, values.Length, origin, binsPerUnit, maxBin, to);
        }
    }

    private static void Run<TLanes, TVector>(double* values, int length, double origin, double binsPerUnit, double maxBin, double* bins)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int at = 0;
        for (; at <= length - TLanes.Count; at += TLanes.Count)
            TLanes.Store(Bin<TLanes, TVector>(TLanes.Load(values + at), origin, binsPerUnit, maxBin), bins + at);
        double* rest = stackalloc double[Widest];
        for (; at < length; at++)
        {
            TLanes.Store(Bin<TLanes, TVector>(TLanes.Broadcast(values[at]), origin, binsPerUnit, maxBin), rest);
            bins[at] = rest[0];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Bin<TLanes, TVector>(TVector value, double origin, double binsPerUnit, double maxBin)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector zero = TLanes.Broadcast(0), most = TLanes.Broadcast(maxBin);
        TVector v = TLanes.Subtract(TLanes.Broadcast(origin), value), negated = TLanes.Subtract(zero, v);
        TVector size = TLanes.SelectLess(v, zero, negated, v);
        TVector log = TLanes.Multiply(VectorLog.Log<TLanes, TVector>(TLanes.Add(TLanes.Broadcast(1), size)), TLanes.Broadcast(binsPerUnit));
        log = TLanes.SelectLess(most, log, most, log);
        return TLanes.Floor(TLanes.SelectLess(v, zero, TLanes.Subtract(zero, log), log));
    }
}
