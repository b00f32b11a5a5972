namespace StreamEm.Core.LinearAlgebra;

/// <summary>Log-densities of Gaussian kind for all lanes of a row block: the E-step's inner loops.</summary>
internal static class QuadraticForms
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
    public static void AddTriangular(
        ReadOnlySpan<double> columns, int dimension, int components,
        ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants, Span<double> logJoint)
    {
        int packed = Packed.Length(dimension);
        for (int k = 0; k < components; k++)
        {
            ReadOnlySpan<double> w = factors.Slice(k * packed, packed);
            ReadOnlySpan<double> b = biases.Slice(k * dimension, dimension);
            Span<double> lanes = logJoint.Slice(k * RowBlock.Stride, RowBlock.Capacity);
            for (int i = 0; i < lanes.Length; i++)
            {
                double squares = 0;
                for (int row = 0, at = 0; row < dimension; row++)
                {
                    double y = -b[row];
                    for (int d = 0; d <= row; d++) y = Math.FusedMultiplyAdd(w[at++], columns[d * RowBlock.Stride + i], y);
                    squares = Math.FusedMultiplyAdd(y, y, squares);
                }
                lanes[i] += Math.FusedMultiplyAdd(-0.5, squares, constants[k]);
            }
        }
    }

    /// <summary>
    /// Adds <c>constants[k] - sum_d (a_kd x_id - b_kd)^2 / 2</c> to <c>logJoint[k * Stride + i]</c>; a and b are K x D, a the inverse standard
    /// deviations and b = a mu.
    /// </summary>
    public static void AddDiagonal(
        ReadOnlySpan<double> columns, int dimension, int components,
        ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants, Span<double> logJoint)
    {
        for (int k = 0; k < components; k++)
        {
            Span<double> lanes = logJoint.Slice(k * RowBlock.Stride, RowBlock.Capacity);
            for (int i = 0; i < lanes.Length; i++)
            {
                double squares = 0;
                for (int d = 0; d < dimension; d++)
                {
                    double y = Math.FusedMultiplyAdd(factors[k * dimension + d], columns[d * RowBlock.Stride + i], -biases[k * dimension + d]);
                    squares = Math.FusedMultiplyAdd(y, y, squares);
                }
                lanes[i] += Math.FusedMultiplyAdd(-0.5, squares, constants[k]);
            }
        }
    }
}
