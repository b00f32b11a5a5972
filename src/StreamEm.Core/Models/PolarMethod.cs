using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models;

/// <summary>
/// Two standard normals from a point of the unit disc, by the polar method (Marsaglia &amp; Bray 1964): with s = u^2 + v^2 they are
/// u sqrt(-2 log(s) / s) and v sqrt(-2 log(s) / s).
/// </summary>
internal static class PolarMethod
{
    /// <summary>The pair of two uniforms; false, and NaN, where the point lies outside the disc: draw again.</summary>
    /// <param name="first">Uniform in [0, 1).</param>
    /// <param name="second">Uniform in [0, 1).</param>
    /// <param name="normal">The first normal.</param>
    /// <param name="other">The second, independent of it.</param>
    public static bool TryPair(double first, double second, out double normal, out double other)
    {
        double u = 2 * first - 1, v = 2 * second - 1, square = u * u + v * v;
        bool isInside = square is not (0 or >= 1);
        double factor = isInside ? Math.Sqrt(-2 * ScalarMath.Log(square) / square) : double.NaN;
        (normal, other) = (u * factor, v * factor);
        return isInside;
    }
}
