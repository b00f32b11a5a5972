using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>Log-densities of Gaussian kind for all lanes of a row block: the E-step's inner loops.</summary>
internal static unsafe class QuadraticForms
{
    /// <summary>
    /// Adds <c>constants[k] - |W_k x_i - b_k|^2 / 2</c> to <c>logJoint[k * Stride + i]</c> for all K components and lanes.
    /// </summary>
    /// <param name="columns">D x Stride, feature-major.</param>
    /// <param name="dimension">D.</param>
    /// <param name="components">K.</param>
    /// <param name="factors">W_k: K packed lower triangles, the inverse Cholesky factors.</param>
    /// <param name="biases">b_k = W_k mu_k: K x D.</param>
    /// <param name="constants">K.</param>
    /// <param name="logJoint">K x Stride, added to.</param>
    /// <param name="count">Rows in the block: lanes from here on, rounded up to whole tiles, are left alone.</param>
    public static void AddTriangular(
        ReadOnlySpan<double> columns, int dimension, int components,
        ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants, Span<double> logJoint,
        int count = RowBlock.Capacity) =>
        AddTriangular(Kernels.Path, columns, dimension, components, factors, biases, constants, logJoint, count);

    /// <summary>
    /// Adds <c>constants[k] - sum_d (a_kd x_id - b_kd)^2 / 2</c> to <c>logJoint[k * Stride + i]</c>; a and b are K x D, a the inverse
    /// standard deviations and b = a mu.
    /// </summary>
    public static void AddDiagonal(
        ReadOnlySpan<double> columns, int dimension, int components,
        ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants, Span<double> logJoint,
        int count = RowBlock.Capacity) =>
        AddDiagonal(Kernels.Path, columns, dimension, components, factors, biases, constants, logJoint, count);

    /// <summary><c>AddTriangular</c> on a chosen path.</summary>
    internal static void AddTriangular(
        KernelPath path, ReadOnlySpan<double> columns, int dimension, int components,
        ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants, Span<double> logJoint,
        int count = RowBlock.Capacity)
    {
        Require(columns, dimension, components, biases, constants, logJoint);
        KernelShape.Require(factors.Length, components, Packed.Length(dimension), nameof(factors));
        int lanes = KernelShape.Lanes(count);
        fixed (double* x = columns, w = factors, b = biases, c = constants, joint = logJoint)
        {
            if (path == KernelPath.Avx512)
                TriangularForm.AddWide<Lanes8, Vector512<double>>(x, dimension, components, w, b, c, joint, lanes);
            else if (path == KernelPath.Avx2)
                TriangularForm.Add<Lanes4, Vector256<double>>(x, dimension, components, w, b, c, joint, lanes);
            else TriangularForm.Add<Lanes2, Vector128<double>>(x, dimension, components, w, b, c, joint, lanes);
        }
    }

    /// <summary><c>AddDiagonal</c> on a chosen path.</summary>
    internal static void AddDiagonal(
        KernelPath path, ReadOnlySpan<double> columns, int dimension, int components,
        ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants, Span<double> logJoint,
        int count = RowBlock.Capacity)
    {
        Require(columns, dimension, components, biases, constants, logJoint);
        KernelShape.Require(factors.Length, components, dimension, nameof(factors));
        int lanes = KernelShape.Lanes(count);
        fixed (double* x = columns, a = factors, b = biases, c = constants, joint = logJoint)
        {
            if (path == KernelPath.Avx512) DiagonalForm.Add<Lanes8, Vector512<double>>(x, dimension, components, a, b, c, joint, lanes);
            else if (path == KernelPath.Avx2) DiagonalForm.Add<Lanes4, Vector256<double>>(x, dimension, components, a, b, c, joint, lanes);
            else DiagonalForm.Add<Lanes2, Vector128<double>>(x, dimension, components, a, b, c, joint, lanes);
        }
    }

    private static void Require(
        ReadOnlySpan<double> columns, int dimension, int components, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants,
        Span<double> logJoint)
    {
        KernelShape.Require(columns.Length, dimension, RowBlock.Stride, nameof(columns));
        KernelShape.Require(biases.Length, components, dimension, nameof(biases));
        KernelShape.Require(constants.Length, components, 1, nameof(constants));
        KernelShape.Require(logJoint.Length, components, RowBlock.Stride, nameof(logJoint));
    }
}
