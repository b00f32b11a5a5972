using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// <see cref="LogSumExp"/> for one row whose components are contiguous, to the same bytes: two vectors at a time; AVX-512 takes 256-bit
/// ones, of which eight components are two.
/// </summary>
internal static unsafe class SoftMax
{
    /// <summary>
    /// Overwrites <paramref name="logJoint"/> (a multiple of <see cref="ComponentLanes.Padding"/>, negative infinity where there is no
    /// component) by responsibilities and returns log sum exp; all zero and negative infinity when every entry is negative infinity.
    /// </summary>
    public static double Normalize(Span<double> logJoint) => Normalize(Kernels.Path, logJoint);

    /// <summary>The same on a chosen path.</summary>
    internal static double Normalize(KernelPath path, Span<double> logJoint)
    {
        if (logJoint.Length % ComponentLanes.Padding != 0)
            throw new ArgumentException(
                $"logJoint holds {logJoint.Length} doubles; expected a multiple of {ComponentLanes.Padding}.", nameof(logJoint));
        fixed (double* joint = logJoint)
        {
            if (path == KernelPath.Portable) return Run<Lanes2, Vector128<double>>(joint, logJoint.Length);
            return Run<Lanes4, Vector256<double>>(joint, logJoint.Length);
        }
    }

    private static double Run<TLanes, TVector>(double* joint, int length)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int next = TLanes.Count;
        TVector max = TLanes.Max(TLanes.Load(joint), TLanes.Load(joint + next));
        for (int k = 2 * next; k < length; k += 2 * next)
            max = TLanes.Max(max, TLanes.Max(TLanes.Load(joint + k), TLanes.Load(joint + k + next)));
        TVector zero = TLanes.Broadcast(0), none = TLanes.Broadcast(double.NegativeInfinity), sum = zero, other = zero;
        max = TLanes.LargestLane(max);
        max = TLanes.SelectLess(none, max, max, zero);
        for (int k = 0; k < length; k += 2 * next)
        {
            TVector a = TLanes.Exp(TLanes.Subtract(TLanes.Load(joint + k), max)),
                b = TLanes.Exp(TLanes.Subtract(TLanes.Load(joint + k + next), max));
            TLanes.Store(a, joint + k);
            TLanes.Store(b, joint + k + next);
            // Every fourth component has a sum of its own: of four lanes one vector holds them all, of two each vector half.
            if (TLanes.Count == LaneSums.Fours) sum = TLanes.Add(TLanes.Add(sum, a), b);
            else (sum, other) = (TLanes.Add(sum, a), TLanes.Add(other, b));
        }
        sum = TLanes.SumOfLanes(TLanes.Add(sum, other));
        TVector scale = TLanes.SelectLess(zero, sum, TLanes.Divide(TLanes.Broadcast(1), sum), sum);
        for (int k = 0; k < length; k += TLanes.Count) TLanes.Store(TLanes.Multiply(TLanes.Load(joint + k), scale), joint + k);
        return TLanes.First(TLanes.Add(max, VectorLog.LogOfSum<TLanes, TVector>(sum)));
    }
}
