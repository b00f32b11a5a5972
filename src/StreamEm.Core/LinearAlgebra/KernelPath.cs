using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>Which vector width the kernels run with.</summary>
internal enum KernelPath
{
    /// <summary>128-bit vectors through the cross-platform API: every machine, AdvSimd and SSE2 included.</summary>
    Portable,

    /// <summary>256-bit vectors, tiles for 16 registers: AVX2 with FMA.</summary>
    Avx2,

    /// <summary>512-bit vectors, tiles for 32 registers: AVX-512.</summary>
    Avx512,
}

/// <summary>Which width of vectors this process computes with: chosen once.</summary>
public static class Kernels
{
    /// <summary>
    /// Environment variable, and <see cref="AppContext"/> datum, that forces a path: <c>portable</c>, <c>avx2</c> or <c>avx512</c>.
    /// </summary>
    public const string Switch = "STREAMEM_KERNELS";

    /// <summary>The path of this process. The choice changes speed and nothing else, not a bit (<see cref="LaneSums"/>).</summary>
    internal static readonly KernelPath Path = Choose(AppContext.GetData(Switch) as string ?? Environment.GetEnvironmentVariable(Switch));

    /// <summary>Its name: portable, avx2 or avx512.</summary>
    public static string Name => Path switch
    {
        KernelPath.Avx512 => "avx512",
        KernelPath.Avx2 => "avx2",
        _ => "portable",
    };

    /// <summary>The path that <paramref name="forced"/> names, or the widest this machine accelerates when it is null or empty.</summary>
    /// <exception cref="InvalidOperationException">No such path.</exception>
    internal static KernelPath Choose(string? forced)
    {
        if (string.IsNullOrEmpty(forced)) return Widest();
        return Enum.TryParse(forced, ignoreCase: true, out KernelPath path) && Enum.IsDefined(path)
            ? path
            : throw new InvalidOperationException(
                $"{Switch} is '{forced}'; expected portable, avx2 or avx512. Unset it to let the machine choose.");
    }

    private static KernelPath Widest()
    {
        if (Vector512.IsHardwareAccelerated) return KernelPath.Avx512;
        return Vector256.IsHardwareAccelerated ? KernelPath.Avx2 : KernelPath.Portable;
    }
}
