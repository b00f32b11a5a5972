using StreamEm.Core.Calibration;

namespace StreamEm.Core.Tests.Calibration;

/// <summary>
/// The knots of histograms written by hand: where they lie, and how many records are more probable. Bins are numbered from the first on;
/// <see cref="Edge"/> has the log-density of a place among them.
/// </summary>
public sealed class CalibrationKnotsTests
{
    private const int First = 100;

    /// <summary>c = 3, so that u is the place on the sketch's scale.</summary>
    private static readonly double[] Quantiles = [2, 1];

    [Fact]
    public void Of_BinsAlike_AreAKnotAtTheFirstAndEveryFiftieth()
    {
        double[] bins = Bins(300, (0, 98, 10), (98, 1, 10), (200, 1, 10));
        AssertKnots(bins, [], [(0, 0), (1, 10), .. Every(2, 2, 20, 20, 980)], Scale(20, (10, 0.5), (10, 102.5)));
        // Together they are nearer than can be told.
        AssertKnots(Bins(100, (0, 100, 10)), [], [(0, 0), (1, 10), .. Every(2, 2, 20, 20, 980)], 1.0 / 64);
        // Of just 2 % each.
        AssertKnots(Bins(50, (0, 50, 20)), [], [(0, 0), .. Every(1, 1, 20, 20, 980)], 1.0 / 64);
        // Each by itself and of less than 2 %: no ties.
        AssertKnots(Bins(200, Alone(100, 10)), [], [(0, 0), (1, 10), .. Every(3, 4, 20, 20, 980)], 1.0 / 64);
    }

    [Fact]
    public void Of_FewRecords_AreTiesFromFiveOn()
    {
        (double, double)[] steps = [.. Enumerable.Range(0, 25).SelectMany(
            k => ((double, double)[])[(2 * k, 4 * k), (2 * k + 1, 4 * k + 4)])];
        AssertKnots(Bins(49, Alone(25, 4)), [], steps, 1.0 / 16);
        (double, double)[] ties = [.. Enumerable.Range(0, 20).SelectMany(
            k => ((double, double)[])[(2 * k, 5 * k), (k == 19 ? 47 : 2 * k + 2, 5 * k), (k == 19 ? 47 : 2 * k + 2, 5 * k + 5)])];
        AssertKnots(Bins(39, Alone(20, 5)), [], ties, 1.0 / 16);
    }

    /// <summary>1 - 0.98 of 1024, to the last bit, in two bins; and the last bin of weights whose sums are rounded.</summary>
    [Fact]
    public void Of_JustTwoPercentLeft_AreTheTail()
    {
        double inside = 0.98 * 1024, half = 0.5 * ((1 - 0.98) * 1024);
        double[] bins = Bins(200, (0, 1, inside), (5, 1, half), (150, 1, half));
        AssertKnots(bins, [], [(0, 0), (5, 0), (5, inside)], Scale(2 * half, (half, 0.5), (half, 145.5)));
        bins[0] = 0;
        double tie = Edge(2.5), slack = 1e-9 * (1 + Math.Abs(tie));
        AssertKnotsAt(bins, [new Tie(tie, inside)], [(tie + slack, 0), (tie - slack, 0), (tie - slack, inside)],
            Scale(2 * half, (half, 3), (half, 148)));
        Assert.Equal(Edge(98), Of(Bins(100, (0, 100, 1.1)), []).LogDensities[^1]);
    }

    [Fact]
    public void Of_ABinThatHoldsMany_IsATieWithTheEmptyBinsAfterIt()
    {
        // Up to the next that is not empty.
        AssertKnots(Bins(64, (0, 10, 10), (20, 1, 500), (24, 40, 10)), [],
            [(0, 0), (1, 10), .. Every(2, 2, 20, 20, 100), (20, 100), (24, 100), (24, 600), .. Every(26, 2, 620, 20, 980)], 1.0 / 64);
        // Up to eight, the first and the last bin too.
        AssertKnots(Bins(80, (0, 1, 500), (30, 50, 10)), [], [(0, 0), (9, 0), (9, 500), .. Every(32, 2, 520, 20, 980)], 1.0 / 64);
        AssertKnots(Bins(61, (0, 50, 10), (60, 1, 500)), [],
            [(0, 0), (1, 10), .. Every(2, 2, 20, 20, 500), (60, 500), (69, 500), (69, 1000)], 1.0 / 16);
    }

    [Fact]
    public void Of_ABinOfFourTimesItsNeighbour_IsNoTie()
    {
        AssertKnots(Bins(150, (10, 1, 400), (11, 1, 100), (100, 50, 10)), [],
            [(10, 0), (11, 400), (11, 400), (12, 500), .. Every(102, 2, 520, 20, 980)], 1.0 / 64);
        AssertKnots(Bins(150, (10, 1, 100), (11, 1, 400), (100, 50, 10)), [],
            [(10, 0), (11, 100), (11, 100), (12, 500), .. Every(102, 2, 520, 20, 980)], 1.0 / 64);
        AssertKnots(Bins(150, (10, 1, 401), (11, 1, 99), (100, 50, 10)), [],
            [(10, 0), (11, 0), (11, 401), (11, 401), (12, 500), .. Every(102, 2, 520, 20, 980)], 1.0 / 64);
    }

    [Fact]
    public void Of_BinsBeyondThatHoldHalfOfWhatIsLeft_AreTakenAsTheyAre()
    {
        (double, double)[] inside = [(0, 0), (1, 100), .. Every(2, 2, 200, 200, 9800)];
        AssertKnots(Bins(171, (0, 98, 100), (110, 1, 120), (130, 1, 50), (150, 1, 15), (170, 1, 15)), [],
            [.. inside, (110, 9800), (119, 9800), (119, 9920), (130, 9920), (139, 9920), (139, 9970)], Scale(30, (15, 11.5), (15, 31.5)));
        // Just half, and just 20 records.
        AssertKnots(Bins(191, (0, 98, 100), (110, 1, 100), (130, 1, 50), (150, 1, 25), (170, 1, 20), (190, 1, 5)), [],
            [.. inside, (110, 9800), (119, 9800), (119, 9900), (130, 9900), (139, 9900), (139, 9950),
                (150, 9950), (159, 9950), (159, 9975), (170, 9975), (179, 9975), (179, 9995)], Scale(5, (5, 11.5)));
        // Less than half, whatever comes then.
        AssertKnots(Bins(171, (0, 98, 100), (110, 1, 60), (130, 1, 140)), [], inside, Scale(200, (60, 12.5), (140, 32.5)));
    }

    [Fact]
    public void Of_ATie_IsAStepAmongTheBinsAtItsPlace()
    {
        double tie = Edge(40.25), slack = 1e-9 * (1 + Math.Abs(tie)), within = Within(tie, 40);
        double above = 400 + 10 * within;
        AssertKnotsAt(Bins(80, (0, 80, 10)), [new Tie(tie, 200)],
            [.. Inside(400), (tie + slack, above), (tie - slack, above), (tie - slack, above + 200), .. At(Every(42, 2, 620, 20, 980))],
            1.0 / 64);
        // Beside others of its bin, which are many and yet no tie of their own.
        above = 300 + 100 * within;
        AssertKnotsAt(Bins(110, (0, 30, 10), (40, 1, 100), (60, 50, 10)), [new Tie(tie, 100)],
            [.. Inside(300), (tie + slack, above), (tie - slack, above), (tie - slack, above + 100),
                (tie - slack, above + 100), .. At((41, 500)), .. At(Every(62, 2, 520, 20, 980))], 1.0 / 64);
        // At the edge of two bins it is in the second; below the last one it is in the last.
        tie = Edge(41);
        slack = 1e-9 * (1 + Math.Abs(tie));
        AssertKnotsAt(Bins(80, (0, 40, 10), (40, 1, 30), (41, 39, 10)), [new Tie(tie, 180)],
            [.. Inside(400), .. At((40, 400), (41, 430), (41, 430)),
                (tie - slack, 430), (tie - slack, 610), .. At(Every(42, 2, 620, 20, 980))], 1.0 / 64);
        tie = Edge(50);
        slack = 1e-9 * (1 + Math.Abs(tie));
        AssertKnotsAt(Bins(50, (0, 50, 10)), [new Tie(tie, 500)],
            [.. Inside(480), (tie + slack, 500), (tie - slack, 500), (tie - slack, 1000)], 1.0 / 16);
    }

    [Fact]
    public void Of_ATieAfterWhichTheTailIsLeft_IsTheLastKnot()
    {
        double tie = Edge(90.5), slack = 1e-9 * (1 + Math.Abs(tie));
        (double, double)[] Knots(double each) => [.. At((0, 0), (1, each)), .. At(Every(2, 2, 2 * each, 2 * each, 78 * each)),
            (tie + slack, 78 * each), (tie - slack, 78 * each), (tie - slack, 98 * each)];
        // 980 of 1000.
        AssertKnotsAt(Bins(132, (0, 78, 10), (130, 1, 8), (131, 1, 7)), [new Tie(tie, 200), new Tie(Edge(120.5), 5)],
            Knots(10), Scale(20, (5, 30), (8, 40), (7, 41)));
        // 1960 of 2000; where ties are known, bins beyond are the tail however much they hold.
        AssertKnotsAt(Bins(141, (0, 78, 20), (130, 1, 30), (140, 1, 10)), [new Tie(tie, 400)],
            Knots(20), Scale(40, (30, 40), (10, 50)));
    }

    /// <summary>Of 20 records it is taken as it is, beyond knots at half of what is left each; of fewer it is of the tail.</summary>
    [Fact]
    public void Of_ATieBeyondTheTailsBegin_IsTakenAsItIsWhereItIsHeavy()
    {
        double tie = Edge(120.5), slack = 1e-9 * (1 + Math.Abs(tie));
        (double, double)[] inside = [.. At((0, 0), (1, 20)), .. At(Every(2, 2, 40, 40, 1960))];
        AssertKnotsAt(Bins(130, (0, 98, 20), (98, 1, 10), (99, 2, 5)), [new Tie(tie, 20)],
            [.. inside, .. At((101, 1980)), (tie + slack, 1980), (tie - slack, 1980), (tie - slack, 2000)], 1.0 / 16);
        AssertKnotsAt(Bins(141, (0, 98, 20), (130, 1, 18), (140, 1, 17)), [new Tie(tie, 5)],
            inside, Scale(40, (5, 22.5), (18, 32.5), (17, 42.5)));
    }

    private static double Edge(double place) => LogDensitySketch.LogDensity((First + place) / 256);

    private static (double, double)[] At(params (double Place, double Above)[] knots) =>
        [.. knots.Select(knot => (Edge(knot.Place), knot.Above))];

    /// <summary>Of bins of 10 of 1000 records from the first on.</summary>
    private static (double, double)[] Inside(double last) => At([(0, 0), (1, 10), .. Every(2, 2, 20, 20, last)]);

    /// <summary>The share of a bin that is more probable.</summary>
    private static double Within(double logDensity, int bin) => (Edge(bin) - logDensity) / (Edge(bin) - Edge(bin + 1));

    /// <summary>Knots so many bins and records apart.</summary>
    private static (double Place, double Above)[] Every(int place, int places, double above, double records, double last) =>
        [.. Enumerable.Range(0, 1 + (int)Math.Round((last - above) / records)).Select(
            k => ((double)(place + k * places), above + k * records))];

    /// <summary>Every other bin.</summary>
    private static (int, int, double)[] Alone(int count, double weight) => [.. Enumerable.Range(0, count).Select(k => (2 * k, 1, weight))];

    private static double[] Bins(int length, params (int At, int Count, double Weight)[] runs)
    {
        double[] bins = new double[length];
        foreach ((int at, int count, double weight) in runs) bins.AsSpan(at, count).Fill(weight);
        return bins;
    }

    /// <summary>Mean excess, in bins, of so much weight each, with one record of 1/16.</summary>
    private static double Scale(double beyond, params (double Weight, double Bins)[] excesses) =>
        (1.0 / 16 + excesses.Sum(excess => excess.Weight * excess.Bins / 256)) / (beyond + 1);

    private static AnomalyCalibration Of(double[] bins, Tie[] ties) =>
        CalibrationKnots.Of(bins, First, ties, bins.Sum() + ties.Sum(tie => tie.Weight), Quantiles);

    private static void AssertKnots(double[] bins, Tie[] ties, (double Place, double Above)[] knots, double scale) =>
        AssertKnotsAt(bins, ties, At(knots), scale);

    private static void AssertKnotsAt(double[] bins, Tie[] ties, (double LogDensity, double Above)[] knots, double scale)
    {
        AnomalyCalibration found = Of(bins, ties);
        Assert.Equal(knots.Select(knot => knot.LogDensity), found.LogDensities, (one, other) => Math.Abs(one - other) < 1e-13);
        Assert.Equal(knots.Select(knot => knot.Above / (found.Records + 1)), found.Scores, (one, other) => Math.Abs(one - other) < 1e-13);
        Assert.Equal(Math.Log(4 - knots[^1].LogDensity), found.TailStart, 1e-12);
        // Where the last knot is a tie, it is not just at its place.
        Assert.Equal(scale, found.TailScale, 1e-8);
    }
}
