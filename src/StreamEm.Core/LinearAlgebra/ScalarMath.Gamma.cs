namespace StreamEm.Core.LinearAlgebra;

/// <summary>The gamma function and its relatives (DLMF chapters 5 and 8), for positive arguments.</summary>
internal static partial class ScalarMath
{
    /// <summary>log(2 pi) / 2.</summary>
    public const double HalfLogTwoPi = 0.9189385332046728;

    /// <summary>1 - Euler's constant: the slope of log Gamma at 2.</summary>
    private const double SlopeAtTwo = 0.42278433509846713;

    /// <summary>(-1)^k (zeta(k) - 1) / k, k = 2 .. 30: log Gamma round 2 (DLMF 5.7.3).</summary>
    private static ReadOnlySpan<double> AroundTwo =>
    [
        0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986, 0.0028905103307415234,
        -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939, 9.945751278180853e-05, -4.492623673813314e-05,
        2.050721277567069e-05, -9.439488275268397e-06, 4.374866789907488e-06, -2.039215753801366e-06, 9.55141213040742e-07,
        -4.492469198764566e-07, 2.1207184805554665e-07, -1.0043224823968099e-07, 4.7698101693639804e-08, -2.2711094608943164e-08,
        1.0838659214896955e-08, -5.183475041970047e-09, 2.4836745438024785e-09, -1.1921401405860912e-09, 5.731367241678862e-10,
        -2.7595228851242334e-10, 1.330476437424449e-10, -6.4229645638381e-11, 3.1044247747322276e-11,
    ];

    /// <summary>
    /// log Gamma(x), x &gt;= 0: below 5 ulp, also beside its zeros 1 and 2. Stirling's series (DLMF 5.11.1) from 8 on, the recurrence down
    /// to the series round 2 below. Infinity at 0, NaN below.
    /// </summary>
    public static double LogGamma(double x)
    {
        if (double.IsNaN(x) || x < 0) return double.NaN;
        if (x == 0 || x > 2.5e305) return double.PositiveInfinity;
        if (x >= 8) return Stirling(x);
        if (x < 0.5) return LogGamma(1 + x) - Log(x);
        if (x < 1.5) return LogGammaAfterTwo(x - 1) - Log1P(x - 1);
        double product = 1;
        while (x > 2.5) product *= x -= 1;
        return product == 1 ? LogGammaAfterTwo(x - 2) : Log(product) + LogGammaAfterTwo(x - 2);
    }

    /// <summary>
    /// The derivative of log Gamma at x &gt; 0, absolute error below 4e-15 or 4 ulp, whichever is more: recurrence and DLMF 5.11.2. NaN for
    /// others.
    /// </summary>
    public static double Digamma(double x)
    {
        if (!(x > 0)) return double.NaN;
        double below = 0;
        for (; x < 12; x++) below += 1 / x;
        double inverse = 1 / x, z = inverse * inverse, p = Math.FusedMultiplyAdd(-z, 1.0 / 12, 691.0 / 32760);
        p = Math.FusedMultiplyAdd(-z, p, 1.0 / 132);
        p = Math.FusedMultiplyAdd(-z, p, 1.0 / 240);
        p = Math.FusedMultiplyAdd(-z, p, 1.0 / 252);
        p = Math.FusedMultiplyAdd(-z, p, 1.0 / 120);
        p = Math.FusedMultiplyAdd(-z, p, 1.0 / 12);
        return Log(x) - (0.5 * inverse + z * p) - below;
    }

    /// <summary>The second derivative of log Gamma at x &gt; 0, below 8 ulp: recurrence and DLMF 5.15.8. NaN for others.</summary>
    public static double Trigamma(double x)
    {
        if (!(x > 0)) return double.NaN;
        double below = 0;
        for (; x < 12; x++) below += 1 / (x * x);
        double inverse = 1 / x, z = inverse * inverse, p = Math.FusedMultiplyAdd(z, 7.0 / 6, -691.0 / 2730);
        p = Math.FusedMultiplyAdd(z, p, 5.0 / 66);
        p = Math.FusedMultiplyAdd(z, p, -1.0 / 30);
        p = Math.FusedMultiplyAdd(z, p, 1.0 / 42);
        p = Math.FusedMultiplyAdd(z, p, -1.0 / 30);
        p = Math.FusedMultiplyAdd(z, p, 1.0 / 6);
        return inverse + (0.5 * z + z * inverse * p) + below;
    }

    /// <summary>
    /// Q(a, x) = Gamma(a, x) / Gamma(a), a &gt; 0: the probability that a gamma variable of shape a exceeds x. By the series of P below a
    /// + 1 (DLMF 8.11.4), by the continued fraction above (DLMF 8.9.2, Lentz's method); relative error below 1e-12 for a up to 1000.
    /// </summary>
    public static double GammaUpperRegularized(double a, double x)
    {
        if (!(a > 0) || double.IsNaN(x)) return double.NaN;
        if (x <= 0) return 1;
        if (double.IsPositiveInfinity(x)) return 0;
        double factor = Exp(Math.FusedMultiplyAdd(a, Log(x), -x) - LogGamma(a));
        if (x < a + 1)
        {
            double term = 1 / a, sum = term;
            for (double n = a + 1; term > sum * 1e-17; n++) sum += term *= x / n;
            return 1 - factor * sum;
        }
        double b = x + 1 - a, c = double.MaxValue, d = 1 / b, fraction = d, change = 0;
        for (int n = 1; n < 100_000 && Math.Abs(change - 1) > 1e-16; n++)
        {
            double numerator = n * (a - n);
            b += 2;
            d = 1 / (numerator * d + b);
            c = b + numerator / c;
            fraction *= change = c * d;
        }
        return factor * fraction;
    }

    /// <summary>log Gamma(2 + z), |z| at most 1/2.</summary>
    private static double LogGammaAfterTwo(double z)
    {
        double p = AroundTwo[^1];
        for (int at = AroundTwo.Length - 2; at >= 0; at--) p = Math.FusedMultiplyAdd(p, z, AroundTwo[at]);
        return Math.FusedMultiplyAdd(p, z, SlopeAtTwo) * z;
    }

    /// <summary>(x - 1/2) log x - x + log(2 pi) / 2 and the series to x^-15; the rest is below 1e-16 from 8 on.</summary>
    private static double Stirling(double x)
    {
        double inverse = 1 / x, z = inverse * inverse, p = Math.FusedMultiplyAdd(z, -0.029550653594771242, 0.00641025641025641);
        p = Math.FusedMultiplyAdd(p, z, -0.0019175269175269176);
        p = Math.FusedMultiplyAdd(p, z, 0.0008417508417508417);
        p = Math.FusedMultiplyAdd(p, z, -0.0005952380952380953);
        p = Math.FusedMultiplyAdd(p, z, 0.0007936507936507937);
        p = Math.FusedMultiplyAdd(p, z, -0.002777777777777778);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 12);
        double log = Log(x, out double low), product = (x - 0.5) * log;
        double rest = Math.FusedMultiplyAdd(x - 0.5, log, -product) + (x - 0.5) * low;
        return product - x + (rest + Math.FusedMultiplyAdd(p, inverse, HalfLogTwoPi));
    }
}
