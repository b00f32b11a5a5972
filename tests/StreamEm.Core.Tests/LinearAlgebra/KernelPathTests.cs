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
            Vector512.IsHardwareAccelerated ? KernelPath.Avx512 : Vector256.IsHardwareAccelerated ? KernelPath.Avx2 : KernelPath.Portable,
            Kernels.Choose(name));

    [Theory]
    [InlineData("sse9")]
    [InlineData("7")]
    public void Choose_Unknown_SaysWhatIsExpected(string name) =>
        Assert.Contains("expected portable, avx2 or avx512", Assert.Throws<InvalidOperationException>(() => Kernels.Choose(name)).Message,
            StringComparison.Ordinal);

    [Theory, MemberData(nameof(KernelData.Shapes), MemberType = typeof(KernelData))]
    public void Kernels_FewRows_EqualThoseOfTheWholeBlock(string path, int dimension, int components)
    {
        var chosen = Enum.Parse<KernelPath>(path);
        foreach (int count in (int[])[1, 31, 32, 33, 200])
        {
            var data = new KernelData(dimension, components, count);
            double[] Of(int length, int rows, Action<double[], int> run)
            {
                var values = new double[length];
                run(values, rows);
                return values;
            }
            void Same(int length, double tolerance, Action<double[], int> run) =>
                KernelData.Close(Of(length, RowBlock.Capacity, run), Of(length, count, run), tolerance);
            Same(components * dimension, 2e-13,
                (sums, rows) =>
                    WeightedSums.AddDiagonal(chosen, data.Columns, dimension, data.Responsibilities, components, sums, default, rows));
            Same(components, 2e-13, (sums, rows) => WeightedSums.AddMasses(chosen, data.Responsibilities, components, sums, rows));
            Same(components * Packed.Length(dimension), 2e-13,
                (sums, rows) =>
                    WeightedSums.AddOuter(chosen, data.Columns, dimension, data.Responsibilities, components, default, sums, rows));

            double[] joint = new double[components * RowBlock.Stride], whole = new double[joint.Length],
                densities = new double[RowBlock.Stride], wholeDensities = new double[RowBlock.Stride];
            QuadraticForms.AddTriangular(
                chosen, data.Columns, dimension, components, data.Triangles, data.Biases, data.Constants, joint, count);
            QuadraticForms.AddDiagonal(
                chosen, data.Columns, dimension, components, data.Factors, data.Biases, data.Constants, joint, count);
            LogSumExp.Normalize(chosen, joint, components, densities, count);
            QuadraticForms.AddTriangular(chosen, data.Columns, dimension, components, data.Triangles, data.Biases, data.Constants, whole);
            QuadraticForms.AddDiagonal(chosen, data.Columns, dimension, components, data.Factors, data.Biases, data.Constants, whole);
            LogSumExp.Normalize(chosen, whole, components, wholeDensities);
            Assert.Equal(wholeDensities[..count], densities[..count]);
            for (int k = 0; k < components; k++)
                Assert.Equal(whole.AsSpan(k * RowBlock.Stride, count).ToArray(), joint.AsSpan(k * RowBlock.Stride, count).ToArray());
        }
    }

    [Fact]
    public void Kernels_WarmedUp_AllocateNothing()
    {
        var data = new KernelData(13, 3, 251);
        double[] joint = new double[3 * RowBlock.Stride], densities = new double[RowBlock.Stride];
        double[] columns = new double[data.Columns.Length], first = new double[39], second = new double[39],
            outer = new double[3 * Packed.Length(13)], masses = new double[3];
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
                SparseWeightedSums.AddMomentsAndOuterProducts(path, data.Rows, 251, 13, joint, 3, 1e-3, first, outer);
            }
        }
    }
}
