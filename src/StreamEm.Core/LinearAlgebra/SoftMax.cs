using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary><see cref="LogSumExp"/> for one row whose components are contiguous.</summary>
internal static unsafe class SoftMax
{
    /// <summary>
    /// Overwrites <paramref name="logJoint"/> (a multiple of <see cref="ComponentLanes.Padding"/>, negative infinity where there is no component) by
    /// responsibilities and returns log sum exp; all zero and negative infinity when every entry is negative infinity.
    /// </summary>
    public static double Normalize(Span<double> logJoint) => Normalize(Kernels.Path, logJoint);

    /// <summary>The same on a chosen path.</summary>
    internal static double Normalize(KernelPath path, Span<double> logJoint)
    {
        if (logJoint.Length % ComponentLanes.Padding != 0)
            throw new ArgumentException($"logJoint holds {logJoint.Length} doubles; expected a multiple of {ComponentLanes.Padding}.", nameof(logJoint));
        fixed (double* joint = logJoint)
        {
            if (path == KernelPath.Avx512) return Run<Lanes8, Vector512<double>>(joint, logJoint.Length);
            if (path == KernelPath.Avx2) return Run<Lanes4, Vector256<double>>(joint, logJoint.Length);
            return Run<Lanes2, Vector128<double>>(joint, logJoint.Length);
        }
    }

    private static double Run<TLanes, TVector>(double* joint, int length)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector largest = TLanes.Load(joint);
        for (int k = TLanes.Count; k < length; k += TLanes.Count) largest = TLanes.Max(largest, TLanes.Load(joint + k));
        double* lanes = stackalloc double[ComponentLanes.Padding];
        TLanes.Store(largest, lanes);
        double max = lanes[0];
        for (int lane = 1; lane < TLanes.Count; lane++) max = double.MaxNative(max, lanes[lane]);
        TVector shift = TLanes.Broadcast(double.IsNegativeInfinity(max) ? 0 : max), sums = TLanes.Broadcast(0);
        for (int k = 0; k < length; k += TLanes.Count)
        {
            TVector e = TLanes.Exp(TLanes.Subtract(TLanes.Load(joint + k), shift));
            TLanes.Store(e, joint + k);
            sums = TLanes.Add(sums, e);
        }
        double sum = TLanes.Sum(sums);
        TVector scale = TLanes.Broadcast(sum == 0 ? 0 : 1 / sum);
        for (int k = 0; k < length; k += TLanes.Count) TLanes.Store(TLanes.Multiply(TLanes.Load(joint + k), scale), joint + k);
        return max + Math.Log(sum);
    }
}
