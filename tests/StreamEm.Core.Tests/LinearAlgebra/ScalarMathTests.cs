using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

/// <summary>Expected values, where they are listed, are those of mpmath 1.3 with 300 bits, rounded to double.</summary>
public sealed class ScalarMathTests
{
    private static readonly (double X, double Y, double Expected)[] Powers =
    [
        (323833.44100039755, -0.575424586962251, 0.0006748782234916102),
        (650934.8221053807, -0.5362181433337714, 0.0007632656412875545),
        (535882.4684246848, -0.6828444584562927, 0.0001224437455629272),
        (57999.86677578203, -0.7537178665947102, 0.0002568738925657982),
        (37496.62094632644, -0.7168228418311929, 0.0005263298015086404),
        (69856.35371919537, -0.5453565066719326, 0.002281291517421831),
        (424519.7646233248, -0.9134260623360191, 7.2332149040198726e-06),
        (123802.83734768444, -0.6116194823035073, 0.0007676915283434048),
        (627433.5949723669, -0.9738544712285029, 2.2595018761624103e-06),
        (577103.3715145501, -0.6983402373253901, 9.477303434475832e-05),
        (976255.1293378145, -0.5232913403088781, 0.0007340292695818023),
        (858468.6005802205, -0.6448046431658381, 0.00014924745904254074), (2.0, -8.655305001446251, 0.0024802392327506616),
        (2.0, -7.067534284702102, 0.007455215212655416), (2.0, -18.50890944611606, 2.6807916967941385e-06),
        (2.0, -48.96758154720188, 1.816724776625007e-15), (2.0, -10.843582795436248, 0.0005441972190309122),
        (2.0, -34.896009819747974, 3.1279104807392036e-11), (2.0, -38.334808135571045, 2.8845154746231285e-12),
        (2.0, -22.343852563543873, 1.878582012702456e-07), (1.0477444657095578, -174.88441001067073, 0.00028684719124811745),
        (0.5596011699662327, -117.61651487226939, 4.504418866773092e+29),
        (1.1803999731817858, -28.963077732238844, 0.008199982833699776),
        (0.8141471703767915, 34.22474540305549, 0.0008786786948958655), (0.9531843763707754, -80.09320125452706, 46.53583598134736),
        (1.2943794815224912, 79.59777349182849, 831486950.1988449), (0.7440965107221529, 29.769484103468415, 0.0001508236805859576),
        (1.0251965038114514, 150.05499822937156, 41.84676024700543), (10.0, 300.0, 1e+300), (3.7, -200.5, 1.1900201758319669e-114),
        (5e-324, 0.5, 2.2227587494850775e-162),
    ];

    private static readonly (double X, double Expected)[] CubeRoots =
    [
        (729.4455599939282, 9.001833206791336), (287.93847695242164, 6.603384222107963), (980.1748673177347, 9.933474643473525),
        (118.06666018918386, 4.905791571887252), (418.1234036624054, 7.477702090796262), (757.1411724243198, 9.114348303808052),
        (151.9853826759701, 5.336632217874018), (488.9636115127051, 7.878173000088949), (39.20821784018061, 3.3972358687716544),
        (668.2161883185387, 8.74256756964272), (764.5711016419469, 9.144064757052128), (573.0263672514436, 8.305992514015909),
        (875.4779363530764, 9.566397043278265), (313.7481991005839, 6.795067061775368), (5e-324, 1.7031839360032603e-108),
        (1.7e+308, 5.539658256754465e+102), (3e-310, 6.694329500821688e-104), (27.0, 3.0), (-8.0, -2.0),
        (1e-200, 2.1544346900318838e-67), (-2.5e+100, -2.9240177382128663e+33),
    ];

    private static readonly (double X, double Expected)[] LogsOfOneMore =
    [
        (1.8116519284672714, 1.0337721855142834), (1.4180425207095717, 0.8829583371122499), (1.3615912967017194, 0.8593356700775063),
        (0.8792007920755108, 0.6308465758585983), (2.3758743439989116, 1.216654355661546), (2.784256270920956, 1.3308493737698088),
        (0.9489835159366135, 0.6673079627865343), (1.6901936013512304, 0.9896131617865158),
        (-0.6633892323708431, -1.0888280083456465), (1.8358188830872533, 1.042330743121089),
        (6.888490211290998e-14, 6.888490211290761e-14), (0.0012013926428028217, 0.0012006715481491547),
        (2.4186319019013398e-18, 2.4186319019013398e-18), (1.1037986592000728e-12, 1.1037986591994636e-12),
        (-2.4704775260783546e-10, -2.4704775263835175e-10), (-1.1480500029551834e-05, -1.1480565930996686e-05),
        (-3.5659680943598204e-06, -3.5659744524391606e-06), (4.42736118511345e-12, 4.427361185103649e-12),
        (2.3435926127852258e-17, 2.3435926127852258e-17), (6.729028344655739e-12, 6.729028344633099e-12),
        (0.0010411781596092616, 0.0010406365095660985), (0.0004872322031721514, 0.00048711354410369576),
        (1.0203380005833808e-06, 1.0203374800389171e-06), (4.03916886076846e-07, 4.0391680450244256e-07),
        (0.019117472202781618, 0.018937029443821987), (-2.5747781160052685e-17, -2.5747781160052685e-17),
        (1000000000000000.0, 34.538776394910684), (1e+300, 690.7755278982137),
    ];

    private static readonly (double X, double Expected)[] ExpsLessOne =
    [
        (-2.092209701301596, -0.8765858740613222), (0.9511000618339809, 1.5885556649298884),
        (-2.9276216409372067, -0.9464758133827792), (1.986561369409718, 6.290421544694366),
        (-1.9059427561128162, -0.8513175947187251), (-1.308415666039574, -0.7297521197183049),
        (-2.1259416452521167, -0.8806794422870566), (0.20754577380062145, 0.23065404726384722),
        (0.6588746115419815, 0.9326161661872048), (-1.0883299133286808, -0.6632215264615585),
        (-2.247050925024138, -0.8942894864408166), (2.155211695231114, 7.629716855516751),
        (-5.79353023055498e-11, -5.793530230387155e-11), (5.85037520026328e-12, 5.850375200280393e-12),
        (5.756129991053565e-17, 5.756129991053565e-17), (1.1434389121390849e-17, 1.1434389121390849e-17),
        (-0.05487180075194131, -0.05339350558415336), (5.74320332986432e-16, 5.743203329864322e-16),
        (1.630660039291733e-08, 1.6306600525869936e-08), (-1.009173394306739e-18, -1.009173394306739e-18),
        (-1.325921141728225e-09, -1.3259211408491915e-09), (2.7135227722095505e-08, 2.7135228090255802e-08),
        (-0.000730550791057783, -0.0007302840037997946), (3.3524186699976793e-16, 3.35241866999768e-16),
        (0.017496710524429755, 0.017650674608222842), (1.1496744370140105e-10, 1.1496744370800981e-10), (-36.5, -0.9999999999999999),
        (-39.99, -1.0), (-41.0, -1.0), (37.5, 1.9321599304402836e+16), (38.9, 7.835294885860035e+16),
        (700.0, 1.0142320547350045e+304), (709.5, 1.3549863193146328e+308),
    ];

    [Fact]
    public void Exp_AgainstDigitsBeyondDouble_StaysBelowSixTenthsOfAnUlp()
    {
        foreach (double x in Points(-40, 40, 4000).Concat(Points(-1, 1, 2000)))
        {
            double actual = ScalarMath.Exp(x);
            Assert.InRange(Math.Abs(WideNumbers.ErrorOfExp(actual, x)) * actual / Ulp(actual), 0, 0.6);
        }
    }

    [Fact]
    public void Log_AgainstDigitsBeyondDouble_StaysBelowSixTenthsOfAnUlp()
    {
        foreach (double x in Points(0.3, 70, 4000).Concat(Points(0.99, 1.01, 2000)))
        {
            double actual = ScalarMath.Log(x);
            Assert.InRange(Math.Abs(WideNumbers.ErrorOfLog(actual, x)) / Ulp(actual), 0, 0.6);
        }
    }

    [Fact]
    public void ExpAndLog_WholeRange_AreThoseOfTheLibraryToAnUlp()
    {
        foreach (double x in Points(-745, 709.7, 20_000)) AssertUlps(Math.Exp(x), ScalarMath.Exp(x), 1);
        foreach (double e in Points(-1074, 1023.9, 20_000)) AssertUlps(Math.Log(Math.Pow(2, e)), ScalarMath.Log(Math.Pow(2, e)), 1);
    }

    [Theory]
    [InlineData(0, 1), InlineData(-0.0, 1), InlineData(double.NegativeInfinity, 0), InlineData(-745.2, 0)]
    [InlineData(710, double.PositiveInfinity)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity), InlineData(double.NaN, double.NaN), InlineData(-745.13, 5e-324)]
    [InlineData(709.782712893384, 1.7976931348622732e308)]
    public void Exp_Extreme_FollowsTheStatedRules(double x, double expected) => Assert.Equal(expected, ScalarMath.Exp(x));

    [Theory]
    [InlineData(1, 0), InlineData(0, double.NegativeInfinity), InlineData(-0.0, double.NegativeInfinity), InlineData(-1, double.NaN)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity), InlineData(double.NaN, double.NaN)]
    public void Log_Extreme_FollowsTheStatedRules(double x, double expected) => Assert.Equal(expected, ScalarMath.Log(x));

    [Fact]
    public void Pow_AgainstDigitsBeyondDouble_StaysWithinItsBound()
    {
        foreach ((double x, double y, double expected) in Powers)
            AssertUlps(expected, ScalarMath.Pow(x, y), Math.Abs(y * Math.Log(x)) < 50 ? 1 : 3);
    }

    [Theory]
    [InlineData(0, 0, 1), InlineData(0, 2, 0), InlineData(0, -2, double.PositiveInfinity), InlineData(-1, 2, double.NaN)]
    [InlineData(7, 0, 1)]
    [InlineData(10, 400, double.PositiveInfinity), InlineData(10, -400, 0), InlineData(double.PositiveInfinity, -1, 0)]
    [InlineData(1, double.PositiveInfinity, 1), InlineData(2, double.NaN, double.NaN), InlineData(2, 1e308, double.PositiveInfinity)]
    public void Pow_Extreme_FollowsTheStatedRules(double x, double y, double expected) => Assert.Equal(expected, ScalarMath.Pow(x, y));

    [Fact]
    public void CbrtLog1PExpm1_AgainstDigitsBeyondDouble_StayWithinTheirBounds()
    {
        foreach ((double x, double expected) in CubeRoots) AssertUlps(expected, ScalarMath.Cbrt(x), 1);
        foreach ((double x, double expected) in LogsOfOneMore) AssertUlps(expected, ScalarMath.Log1P(x), 1);
        foreach ((double x, double expected) in ExpsLessOne) AssertUlps(expected, ScalarMath.Expm1(x), 1);
        foreach (double x in (double[])[0, double.NaN, double.PositiveInfinity])
            Assert.Equal((x, x, x), (ScalarMath.Cbrt(x), ScalarMath.Log1P(x), ScalarMath.Expm1(x)));
        Assert.Equal((double.NegativeInfinity, double.NaN, -1.0),
            (ScalarMath.Log1P(-1), ScalarMath.Log1P(-1.5), ScalarMath.Expm1(double.NegativeInfinity)));
    }

    /// <summary>The distance from <paramref name="expected"/>, itself off by half an ulp, in ulp.</summary>
    private static void AssertUlps(double expected, double actual, int most) =>
        Assert.True(Math.Abs(BitConverter.DoubleToInt64Bits(expected) - BitConverter.DoubleToInt64Bits(actual)) <= most,
            $"expected {expected:R}, was {actual:R}");

    private static double Ulp(double x) => Math.BitIncrement(Math.Abs(x)) - Math.Abs(x);

    private static IEnumerable<double> Points(double from, double to, int count)
    {
        var random = new Random(count);
        for (int i = 0; i < count; i++) yield return from + (to - from) * random.NextDouble();
    }
}
