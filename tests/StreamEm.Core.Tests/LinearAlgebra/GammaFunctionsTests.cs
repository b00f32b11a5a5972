using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

/// <summary>Expected values are those of mpmath 1.3 with 300 bits, rounded to double.</summary>
public sealed class GammaFunctionsTests
{
    [Fact]
    public void LogGamma_AgainstDigitsBeyondDouble_StaysWithinItsBound()
    {
        foreach ((double x, double expected) in (ReadOnlySpan<(double, double)>)
            [
                (1e-300, 690.7755278982137), (1e-10, 23.025850929882736), (0.1, 2.252712651734206), (0.25, 1.2880225246980774),
                (0.4999999, 0.5723651392757274), (0.5, 0.5723649429247001), (0.75, 0.20328095143129538),
                (0.999999999, 5.77215649399226e-10), (1.0000001, -5.772155829918507e-08), (1.25, -0.09827183642181316),
                (1.4616321449683622, -0.12148629053584961), (1.4999, -0.12078588195849393), (1.75, -0.08440112102048555),
                (1.9999999999, -4.2278437004755317e-11), (2.00000001, 4.227843357536779e-09), (2.4999, 0.28461255726068263),
                (2.5000001, 0.2846829407885856), (3.1, 0.7873750832738625), (4.0, 1.791759469228055), (5.7, 4.28396765503158),
                (7.999999, 8.525159345424003), (8.0, 8.525161361065415), (9.3, 11.252022385979148), (12.5, 18.734347511936445),
                (100.25, 360.28455963776423), (1024.0, 6071.28041294445), (12345.678, 103959.91990554606),
                (1e10, 220258509288.81058), (1e+100, 2.2925850929940456e+102), (1e+305, 7.012884533631839e+307),
            ])
            Assert.InRange(
                Math.Abs(BitConverter.DoubleToInt64Bits(expected) - BitConverter.DoubleToInt64Bits(ScalarMath.LogGamma(x))), 0, 5);
        Assert.Equal((0.0, 0.0), (ScalarMath.LogGamma(1), ScalarMath.LogGamma(2)));
        Assert.Equal((double.PositiveInfinity, double.PositiveInfinity), (ScalarMath.LogGamma(0), ScalarMath.LogGamma(double.MaxValue)));
        Assert.Equal((double.NaN, double.NaN), (ScalarMath.LogGamma(-0.5), ScalarMath.LogGamma(double.NaN)));
    }

    [Fact]
    public void LogGamma_Integers_AreLogFactorials()
    {
        double sum = 0;
        for (int n = 1; n < 2000; n++)
            Assert.Equal(sum += Math.Log(n), ScalarMath.LogGamma(n + 1), 1e-14 * Math.Max(1, sum * Math.Sqrt(n)));
    }

    [Fact]
    public void Digamma_AgainstDigitsBeyondDouble_StaysWithinItsBound()
    {
        foreach ((double x, double expected) in (ReadOnlySpan<(double, double)>)
            [
                (1e-300, -9.999999999999999e+299), (1e-10, -10000000000.577215), (0.1, -10.423754940411076), (0.5, -1.9635100260214235),
                (1.0, -0.5772156649015329), (1.25, -0.22745353337626542), (1.4616321449683622, -9.241265521729427e-17),
                (1.75, 0.24747245354686118), (2.0, 0.42278433509846713), (3.1, 0.9615264448703085), (7.9, 2.002238487563571),
                (11.999, 2.442574774329119), (12.0, 2.442661679975812), (30.0, 3.384438132685525), (1024.0, 6.930983444876601),
                (1e10, 23.025850929890456), (1e+100, 230.25850929940458),
            ])
            Assert.InRange(Math.Abs(ScalarMath.Digamma(x) - expected), 0, Math.Max(4e-15, 4 * Ulp(expected)));
        Assert.Equal((double.NaN, double.NaN, double.NaN), (ScalarMath.Digamma(0), ScalarMath.Digamma(-1), ScalarMath.Digamma(double.NaN)));
    }

    [Fact]
    public void Trigamma_AgainstDigitsBeyondDouble_StaysWithinItsBound()
    {
        foreach ((double x, double expected) in (ReadOnlySpan<(double, double)>)
            [
                (1e-10, 1e+20), (0.1, 101.43329915079275), (0.5, 4.934802200544679), (1.0, 1.6449340668482264), (1.25, 1.1973291545071107),
                (1.4616321449683622, 0.9676722454476212), (1.75, 0.7641018698938287), (2.0, 0.6449340668482264),
                (3.1, 0.3800955001865108), (7.9, 0.13493078345663442), (11.999, 0.08690942073224082), (12.0, 0.08690187287176838),
                (30.0, 0.033895060357739946), (1024.0, 0.0009770394923786026), (1e10, 1.00000000005e-10), (1e+100, 1e-100),
            ])
            Assert.InRange(Math.Abs(ScalarMath.Trigamma(x) - expected), 0, 8 * Ulp(expected));
        Assert.Equal((double.NaN, double.NaN), (ScalarMath.Trigamma(0), ScalarMath.Trigamma(double.NaN)));
    }

    [Fact]
    public void GammaUpperRegularized_AgainstDigitsBeyondDouble_StaysWithinItsBound()
    {
        foreach ((double a, double x, double expected) in (ReadOnlySpan<(double, double, double)>)
            [
                (0.5, 0.1, 0.654720846018577), (0.5, 1.4, 0.09426430684121032), (0.5, 18.0, 1.973175290075396e-09),
                (1.0, 20.0, 2.061153622438558e-09), (2.5, 0.01, 0.999997012398468), (2.5, 3.4, 0.2359445376945214),
                (2.5, 3.6, 0.20618591970955588), (8.0, 30.0, 5.2337341670707e-07), (32.0, 80.0, 3.5063988632490826e-10),
                (32.0, 30.0, 0.6186429898084839), (256.0, 400.0, 5.223841071808399e-15), (1000.0, 1200.0, 1.2881606086281433e-09),
                (1000.0, 900.0, 0.9994500977342882),
            ])
            Assert.InRange(Math.Abs(ScalarMath.GammaUpperRegularized(a, x) / expected - 1), 0, 1e-12);
        Assert.Equal((1.0, 0.0, double.NaN), (ScalarMath.GammaUpperRegularized(2, 0),
            ScalarMath.GammaUpperRegularized(2, double.PositiveInfinity), ScalarMath.GammaUpperRegularized(0, 1)));
    }

    private static double Ulp(double x) => Math.BitIncrement(Math.Abs(x)) - Math.Abs(x);
}
