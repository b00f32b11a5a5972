using System.Runtime.CompilerServices;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Elementary functions of one double whose bits are the same on every machine. The C library's (<c>Math.Exp</c> and its like) differ in
/// the last bit from one to the next, and what is learned must not depend on where; only additions, multiplications, divisions, roots and
/// fused multiply-adds are used here, which IEEE 754 defines to the bit. Errors are stated in units in the last place (ulp) of the result
/// and tested, of exp and log against 240-bit fixed point.
/// </summary>
/// <remarks>Whole vectors of rows take <see cref="VectorExp"/> and <see cref="VectorLog"/>: faster, up to five ulp.</remarks>
internal static partial class ScalarMath
{
    private const double Log2E = 1.4426950408889634;

    /// <summary>ln 2 in two parts; the first has 21 trailing zeros, so that its product with an exponent is exact.</summary>
    private const double Ln2High = 0.6931471803691238, Ln2Low = 1.9082149292705877e-10;

    /// <summary>1.5 * 2^52: adding and subtracting it rounds to an integer, ties to even.</summary>
    private const double Rounder = 6755399441055744;
    private const double SmallestNormal = 2.2250738585072014e-308, TwoTo54 = 18014398509481984;

    /// <summary>exp(x), below 0.6 ulp; 0 below -745.14, infinity above 709.79, NaN of NaN.</summary>
    public static double Exp(double x) => Exp(x, 0);

    /// <summary>exp(x) - 1 without cancellation near 0, below 1.1 ulp.</summary>
    public static double Expm1(double x)
    {
        if (double.IsNaN(x) || x == 0) return x;
        if (x > 709) return Exp(x) - 1;
        if (x < -40) return -1;
        double n = Reduce(x, 0, out double r, out double rest);
        double low = Math.FusedMultiplyAdd(r * r, ExpTail(r), rest);
        if (n == 0) return r + low;
        // 2^n (1 + r + low) - 1, the integer part of it exact while n stays below 54.
        double scale = PowerOfTwo((int)n), head = n < 54 ? scale - 1 : scale, less = n < 54 ? 0 : 1;
        double sum = Math.FusedMultiplyAdd(scale, r, head), error = Math.FusedMultiplyAdd(scale, r, head - sum);
        return sum + (Math.FusedMultiplyAdd(scale, low, error) - less);
    }

    /// <summary>The natural logarithm, below 0.6 ulp; -infinity of 0, NaN below 0.</summary>
    public static double Log(double x) => Log(x, out double low) is var high && double.IsFinite(high) ? high + low : high;

    /// <summary>log(1 + x) without cancellation near 0, below 1.1 ulp.</summary>
    public static double Log1P(double x)
    {
        double sum = 1 + x;
        if (sum == 1 || double.IsPositiveInfinity(x)) return x;
        if (!(sum > 0)) return Log(sum);
        double lost = x > 1 ? 1 - (sum - x) : x - (sum - 1), high = Log(sum, out double low);
        return high + (low + lost / sum);
    }

    /// <summary>
    /// x^y for x &gt;= 0, below 1 ulp where |y log x| is below 50, else below 3; by exp(y log x), the logarithm in two parts. 0^0 = 1.
    /// </summary>
    public static double Pow(double x, double y)
    {
        if (y == 0 || x == 1) return 1;
        if (double.IsNaN(x) || double.IsNaN(y) || x < 0) return double.NaN;
        if (x == 0 || double.IsPositiveInfinity(x)) return (x == 0) == (y > 0) ? 0 : double.PositiveInfinity;
        double high = Log(x, out double low), product = y * high;
        // Past every finite result, where the parts of an infinite product would be NaN.
        if (!(Math.Abs(product) < 1000)) return product > 0 ? double.PositiveInfinity : 0;
        return Exp(product, Math.FusedMultiplyAdd(y, low, Math.FusedMultiplyAdd(y, high, -product)));
    }

    /// <summary>The cube root of x, below 1 ulp.</summary>
    public static double Cbrt(double x)
    {
        if (x == 0 || !double.IsFinite(x)) return x;
        double size = Math.Abs(x), scale = 1;
        if (size < SmallestNormal) (size, scale) = (size * TwoTo54, 1.0 / (1 << 18));
        if (size > 1e300) (size, scale) = (size / TwoTo54, 1 << 18);
        // A third of the exponent and a mean of the mantissa: 5 bits, then three at a time by Halley's step.
        double root = BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(size) / 3 + 0x2A9F7893782DA1CEL);
        for (int step = 0; step < 3; step++)
        {
            double cube = root * root * root;
            root *= (cube + (size + size)) / (cube + cube + size);
        }
        double square = root * root, error = Math.FusedMultiplyAdd(root, root, -square);
        double left = Math.FusedMultiplyAdd(-square, root, size) - error * root;
        return Math.CopySign((root + left / (3 * square)) * scale, x);
    }

    /// <summary>exp(x + low), |low| far below 1: what a logarithm in two parts needs.</summary>
    private static double Exp(double x, double low)
    {
        if (double.IsNaN(x)) return x;
        if (x > 709.7827128933841) return double.PositiveInfinity;
        if (x < -745.1332191019412) return 0;
        double n = Reduce(x, low, out double r, out double rest);
        rest = Math.FusedMultiplyAdd(r * r, ExpTail(r), rest);
        double sum = 1 + r, result = sum + (r - (sum - 1) + rest);
        int exponent = (int)n;
        // 2^1024 is no double, and a subnormal result is to be rounded once.
        if (exponent > 1023) return result * 2 * PowerOfTwo(exponent - 1);
        return exponent < -1021 ? result * PowerOfTwo(exponent + 100) * PowerOfTwo(-100) : result * PowerOfTwo(exponent);
    }

    /// <summary>x + low = n ln 2 + r + rest, |r| at most ln 2 / 2, rest below an ulp of it (Cody &amp; Waite 1980, chapter 6).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Reduce(double x, double low, out double r, out double rest)
    {
        double n = Math.FusedMultiplyAdd(x, Log2E, Rounder) - Rounder;
        double high = Math.FusedMultiplyAdd(-n, Ln2High, x), less = Math.FusedMultiplyAdd(n, Ln2Low, -low);
        r = high - less;
        rest = high - r - less;
        return n;
    }

    /// <summary>(exp(r) - 1 - r) / r^2 for |r| at most ln 2 / 2: the series to r^13 / 13!, the rest below 5e-18.</summary>
    private static double ExpTail(double r)
    {
        double p = Math.FusedMultiplyAdd(1.0 / 6227020800, r, 1.0 / 479001600);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 39916800);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 3628800);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 362880);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 40320);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 5040);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 720);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 120);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 24);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 6);
        return Math.FusedMultiplyAdd(p, r, 0.5);
    }

    /// <summary>
    /// log x = the result + <paramref name="low"/> to 60 bits: x = 2^e m, m in [sqrt(1/2), sqrt 2), log m = 2 atanh(s), s = (m - 1) / (m +
    /// 1) with its rounding error, and the series to s^25 / 25.
    /// </summary>
    private static double Log(double x, out double low)
    {
        low = 0;
        if (!(x > 0) || double.IsPositiveInfinity(x)) return x == 0 ? double.NegativeInfinity : x < 0 ? double.NaN : x;
        int e = 0;
        if (x < SmallestNormal) (x, e) = (x * TwoTo54, -54);
        long bits = BitConverter.DoubleToInt64Bits(x), exponent = (bits - 0x3FE6A09E667F3BCDL) >> 52;
        double f = BitConverter.Int64BitsToDouble(bits - (exponent << 52)) - 1, n = e + exponent;
        double sum = 2 + f, lost = f - (sum - 2), s = f / sum;
        double rest = Math.FusedMultiplyAdd(-s, lost, Math.FusedMultiplyAdd(-s, sum, f)) / sum;
        double z = s * s, p = Math.FusedMultiplyAdd(2.0 / 25, z, 2.0 / 23);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 21);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 19);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 17);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 15);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 13);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 11);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 9);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 7);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 5);
        p = Math.FusedMultiplyAdd(p, z, 2.0 / 3);
        double head = n * Ln2High, twice = s + s, high = head + twice;
        low = head - high + twice + Math.FusedMultiplyAdd(n, Ln2Low, Math.FusedMultiplyAdd(z * s, p, rest + rest));
        double total = high + low;
        low = high - total + low;
        return total;
    }

    /// <summary>2^n, n in [-1022, 1023].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double PowerOfTwo(int n) => BitConverter.Int64BitsToDouble((long)(n + 1023) << 52);
}
