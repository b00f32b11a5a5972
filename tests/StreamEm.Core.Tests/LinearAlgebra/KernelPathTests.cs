using System.Runtime.Intrinsics;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class KernelPathTests
{
    [Theory]
    [InlineData("portable", "Portable")]
    [InlineData("avx2", "Avx2")]
    [InlineData("AVX512", "Avx512")]
    public void Choose_Named_IsTaken(string name, string path) => Assert.Equal(path, Kernels.Choose(name).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Choose_NotNamed_IsTheWidestAccelerated(string? name) =>
        Assert.Equal(
            Vector512.IsHardwareAccelerated ? KernelPath.Avx512 : Vector256.IsHardwareAccelerated ? KernelPath.Avx2 : KernelPath.Portable, Kernels.Choose(name));

    [Theory]
    [InlineData("sse9")]
    [InlineData("7")]
    public void Choose_Unknown_SaysWhatIsExpected(string name) =>
        Assert.Contains("expected portable, avx2 or avx512", Assert.Throws<InvalidOperationException>(() => Kernels.Choose(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void Kernels_WarmedUp_AllocateNothing()
    {
        var data = new KernelData(13, 3, 251);
        double[] joint = new double[3 * RowBlock.Stride], densities = new double[RowBlock.Stride];
        double[] columns = new double[data.Columns.Length], first = new double[39], second = new double[39], outer = new double[3 * Packed.Length(13)], masses = new double[3];
        var incomplete = new int[RowBlock.Capacity];
        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run()
        {
            foreach (KernelPath path in (ReadOnlySpan<KernelPath>)[KernelPath.Portable, KernelPath.Avx2, KernelPath.Avx512])
            {
                RowTranspose.ToColumns(path, data.Rows, 251, 13, columns, incomplete);
                joint.AsSpan().Clear();
                QuadraticForms.AddTriangular(path, columns, 13, 3, data.Triangles, data.Biases, data.Constants, joint);
                QuadraticForms.AddDiagonal(path, columns, 13, 3, data.Factors, data.Biases, data.Constants, joint);
                LogSumExp.Normalize(path, joint, 3, densities);
                WeightedSums.AddMasses(path, joint, 3, masses);
                WeightedSums.AddDiagonal(path, columns, 13, joint, 3, first, second);
                WeightedSums.AddOuter(path, columns, 13, joint, 3, first, outer);
            }
        }
    }
}
