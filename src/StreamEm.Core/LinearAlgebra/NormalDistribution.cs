namespace StreamEm.Core.LinearAlgebra;

/// <summary>The standard normal distribution function Phi, where it is far below any double as well.</summary>
internal static class NormalDistribution
{
    /// <summary>Below this the ratio of tail and density is a continued fraction, above it Phi a series.</summary>
    private const double Tail = -2;

    /// <summary>Terms of the fraction: at 2 what is left out is below 1e-18 of it, beyond less.</summary>
    private const int FractionTerms = 64;

    /// <summary>log phi(x), phi the density.</summary>
    public static double LogDensity(double x) => -0.5 * x * x - ScalarMath.HalfLogTwoPi;

    /// <summary>Phi(x), to a relative error of 1e-14 in the lower tail.</summary>
    public static double Cumulative(double x) =>
        x < Tail ? ScalarMath.Exp(LogDensity(x)) * TailRatio(-x) : x > -Tail ? 1 - Cumulative(-x) : 0.5 + CentralPart(x);

    /// <summary>log Phi(x) and phi(x) / Phi(x), the inverse Mills ratio: the mean of a normal value above -x, less its centre.</summary>
    public static double LogCumulative(double x, out double ratio)
    {
        double logDensity = LogDensity(x);
        if (x < Tail)
        {
            double tail = TailRatio(-x);
            ratio = 1 / tail;
            return logDensity + ScalarMath.Log(tail);
        }
        double log = x > -Tail ? ScalarMath.Log1P(-Cumulative(-x)) : ScalarMath.Log(0.5 + CentralPart(x));
        ratio = ScalarMath.Exp(logDensity - log);
        return log;
    }

    /// <summary>(1 - Phi(t)) / phi(t) = 1 / (t + 1 / (t + 2 / (t + 3 / ...))), t &gt;= 2 (Abramowitz &amp; Stegun 26.2.14).</summary>
    private static double TailRatio(double t)
    {
        double fraction = t;
        for (int term = FractionTerms; term >= 1; term--) fraction = t + term / fraction;
        return 1 / fraction;
    }

    /// <summary>Phi(x) - 1/2 = phi(x) (x + x^3 / 3 + x^5 / 15 + x^7 / 105 + ...) (Abramowitz &amp; Stegun 26.2.11).</summary>
    private static double CentralPart(double x)
    {
        double term = x, sum = x, square = x * x;
        for (int odd = 3; Math.Abs(term) > 1e-17 * Math.Abs(sum); odd += 2)
        {
            term *= square / odd;
            sum += term;
        }
        return ScalarMath.Exp(LogDensity(x)) * sum;
    }
}
