using System.Numerics;

namespace StreamEm.Core.Tests.LinearAlgebra;

/// <summary>Fixed-point numbers with 240 bits behind the point: exact doubles, and exp to some 170 bits.</summary>
internal static class WideNumbers
{
    private const int Bits = 240;
    private static readonly BigInteger One = BigInteger.One << Bits;

    /// <summary>actual / exp(x) - 1, for |x| up to some 40.</summary>
    public static double ErrorOfExp(double actual, double x) => Quotient(Exact(actual), Exp(x));

    /// <summary>actual - log(x), which is exp(actual) / x - 1 to first order.</summary>
    public static double ErrorOfLog(double actual, double x) => Quotient(Exp(actual), Exact(x));

    private static double Quotient(BigInteger a, BigInteger b) => (double)(((a - b) << 100) / b) / Math.Pow(2, 100);

    private static BigInteger Exact(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)((bits >> 52) & 0x7FF) - 1075;
        BigInteger mantissa = (bits & 0xFFFFFFFFFFFFF) | (1L << 52);
        BigInteger scaled = exponent + Bits >= 0 ? mantissa << (exponent + Bits) : mantissa >> -(exponent + Bits);
        return bits < 0 ? -scaled : scaled;
    }

    private static BigInteger Exp(double x)
    {
        const int Halvings = 12;
        BigInteger r = Exact(x) >> Halvings, term = One, sum = One;
        for (int n = 1; !term.IsZero && n < 100; n++)
        {
            term = ((term * r) >> Bits) / n;
            sum += term;
        }
        for (int i = 0; i < Halvings; i++) sum = (sum * sum) >> Bits;
        return sum;
    }
}
