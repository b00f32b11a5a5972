using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;
using StreamEm.Core.Models;

namespace StreamEm.Lab.Yardsticks;

/// <summary>Draws from normals that are known by their precision P: N(P^-1 b, P^-1), the conditional of a coefficient vector in a Gibbs
/// sampler.</summary>
internal static class PrecisionNormal
{
    /// <summary>A draw: with P = L L', the mean P^-1 b and L'^-1 times standard normals.</summary>
    /// <param name="precision">P, factored.</param>
    /// <param name="product">b.</param>
    /// <param name="draws">Chance.</param>
    public static Vector<double> Draw(Cholesky<double> precision, Vector<double> product, RandomDraws draws)
    {
        Matrix<double> lower = precision.Factor;
        Vector<double> result = Vector<double>.Build.Dense(product.Count, _ => draws.Normal());
        for (int row = result.Count - 1; row >= 0; row--)
        {
            for (int below = row + 1; below < result.Count; below++) result[row] -= lower[below, row] * result[below];
            result[row] /= lower[row, row];
        }
        return precision.Solve(product) + result;
    }
}
