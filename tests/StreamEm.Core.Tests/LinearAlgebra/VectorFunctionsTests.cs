using System.Runtime.Intrinsics;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class VectorFunctionsTests
{
    /// <summary>The bound that the documentation of both functions states.</summary>
    private const double Bound = 1e-15;

    [Fact]
    public void Exp_WholeRange_StaysWithinItsBound()
    {
        double worst = 0;
        foreach (double x in Points(-708, 709, 200_000).Concat(Points(-1, 1, 200_000)).Concat(Points(-40, 0, 200_000)))
            foreach (double actual in EveryWidthOfExp(x))
                worst = Math.Max(worst, Math.Abs(actual / Math.Exp(x) - 1));
        Assert.InRange(worst, 0, Bound + 1.2e-16); // the reference itself: half an ulp
    }

    [Fact]
    public void Exp_AgainstDigitsBeyondDouble_StaysWithinItsBound()
    {
        foreach (double x in Points(-40, 40, 3000))
            foreach (double actual in EveryWidthOfExp(x))
                Assert.InRange(Math.Abs(WideNumbers.ErrorOfExp(actual, x)), 0, Bound);
    }

    [Fact]
    public void Exp_ExtremeArguments_FollowTheStatedRules()
    {
        foreach ((double x, double expected) in (ReadOnlySpan<(double, double)>)
            [(0, 1), (-0.0, 1), (double.NegativeInfinity, 0), (-709, 0), (-1e300, 0), (double.NaN, double.NaN), (5e-324, 1), (-5e-324, 1)])
            foreach (double actual in EveryWidthOfExp(x))
                Assert.Equal(expected, actual);
    }

    [Fact]
    public void Log_WholeRange_StaysWithinItsBound()
    {
        double worst = 0;
        foreach (double e in Points(-1074, 1023.9, 200_000)) worst = Math.Max(worst, ErrorOfLog(Math.Pow(2, e)));
        foreach (double x in Points(0.5, 2, 200_000).Concat(Points(0.999, 1.001, 100_000)).Concat(Points(1, 64, 100_000)))
            worst = Math.Max(worst, ErrorOfLog(x));
        foreach (double x in (ReadOnlySpan<double>)[
            5e-324, 2.2250738585072009e-308, 2.2250738585072014e-308, double.MaxValue, BitConverter.Int64BitsToDouble(0x3FE6A09E667F3BCD)])
            worst = Math.Max(worst, ErrorOfLog(x));
        Assert.InRange(worst, 0, Bound + 1.2e-16);
    }

    [Fact]
    public void Log_AgainstDigitsBeyondDouble_StaysWithinItsBound()
    {
        foreach (double x in Points(0.3, 70, 3000))
            foreach (double actual in EveryWidthOfLog(x))
                Assert.InRange(Math.Abs(WideNumbers.ErrorOfLog(actual, x) / actual), 0, Bound);
    }

    [Fact]
    public void Log_ExtremeArguments_FollowTheStatedRules()
    {
        foreach ((double x, double expected) in (ReadOnlySpan<(double, double)>)
            [(1, 0), (0, double.NegativeInfinity), (-0.0, double.NegativeInfinity), (double.PositiveInfinity, double.PositiveInfinity),
             (-1, double.NaN), (double.NegativeInfinity, double.NaN), (double.NaN, double.NaN)])
            foreach (double actual in EveryWidthOfLog(x))
                Assert.Equal(expected, actual);
    }

    private static double ErrorOfLog(double x)
    {
        double expected = Math.Log(x), worst = 0;
        foreach (double actual in EveryWidthOfLog(x))
            worst = Math.Max(worst, expected == 0 ? Math.Abs(actual) : Math.Abs(actual / expected - 1));
        return worst;
    }

    private static double[] EveryWidthOfExp(double x)
    {
        (Vector128<double> a, Vector256<double> b, Vector512<double> c) = (Vector128.Create(x), Vector256.Create(x), Vector512.Create(x));
        (Vector128<double> a1, Vector128<double> a2, Vector128<double> a3, Vector128<double> a4) = (a, a, a, a);
        (Vector256<double> b1, Vector256<double> b2, Vector256<double> b3, Vector256<double> b4) = (b, b, b, b);
        (Vector512<double> c1, Vector512<double> c2, Vector512<double> c3, Vector512<double> c4) = (c, c, c, c);
        Lanes2.Exp4(ref a1, ref a2, ref a3, ref a4);
        Lanes4.Exp4(ref b1, ref b2, ref b3, ref b4);
        Lanes8.Exp4(ref c1, ref c2, ref c3, ref c4);
        return [Lanes2.Exp(a)[1], Lanes4.Exp(b)[2], Lanes8.Exp(c)[5], a1[0], a2[0], a3[1], a4[1], b1[0], b2[1], b3[2], b4[3], c1[0], c2[2],
            c3[4], c4[7]];
    }

    private static double[] EveryWidthOfLog(double x) =>
    [
        VectorLog.Log<Lanes2, Vector128<double>>(Vector128.Create(x))[1], VectorLog.Log<Lanes4, Vector256<double>>(Vector256.Create(x))[2],
        VectorLog.Log<Lanes8, Vector512<double>>(Vector512.Create(x))[5],
    ];

    private static IEnumerable<double> Points(double from, double to, int count)
    {
        var random = new Random(count);
        for (int i = 0; i < count; i++) yield return from + (to - from) * random.NextDouble();
    }
}
