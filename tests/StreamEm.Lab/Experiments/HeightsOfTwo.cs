using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Heights of two sexes without the sexes: the means come back although the density has one hump.</summary>
internal sealed class HeightsOfTwo : Experiment
{
    private const int Rows = 4000;
    private const double Women = 164, Men = 177, Deviation = 7;

    public override string Name => "heights";

    public override string Title => "Heights of women and men, without knowing who is who";

    public override string Claim =>
        "From heights alone EM finds the two sexes; yet equal halves of one variance show two humps only where the means are more than "
        + "two standard deviations apart, so that a histogram need not show them.";

    public override string Source =>
        "The introductory example of mixtures; the condition for two humps: Schilling, Watkins & Watkins 2002, The American "
        + "Statistician 56.";

    public override string Setting =>
        $"{Rows} heights, women N({Women}, {Deviation}^2), men N({Men}, {Deviation}^2), each with probability 1/2; `gaussian_mixture` "
        + "with `covariance_type: tied`, batch EM from the means 160 and 180 with standard deviation 10. The density of all has its "
        + "humps counted on a grid of 0.01 cm.";

    public override Finding Run()
    {
        var sexes = new List<int>();
        Minibatch rows = new Truth([0.5, 0.5], [[Women], [Men]], [[Deviation], [Deviation]]).Draw(Rows, new RandomDraws(Seed), sexes);
        Mixture model = Fits.Gaussians(2, 1, CovarianceType.Tied);
        BatchEmResult fit = BatchEm.Run(model, rows, Fits.Theta(model, [0.5, 0.5], [160, 180], [100]), Fits.Exact);
        double[] means = Fits.Block(model, fit.Parameters, "means"), weights = Fits.Block(model, fit.Parameters, "weights");
        double deviation = Math.Sqrt(Fits.Block(model, fit.Parameters, "covariances")[0]);
        double[] responsibilities = Fits.Scores(model, rows, fit.Parameters, "responsibilities").Block;
        double right = Enumerable.Range(0, Rows).Count(n => responsibilities[2 * n + 1] > 0.5 == (sexes[n] == 1)) / (double)Rows;
        double bayes = NormalDistribution.Cumulative((Men - Women) / (2 * Deviation));

        double[] heights = Fits.Grid(140, 205, 6501);
        double[] density = [.. heights.Select(height => Density(height, Men - Women))];
        int humps = Enumerable.Range(1, heights.Length - 2).Count(at => density[at] > density[at - 1] && density[at] > density[at + 1]);
        heights = Fits.Grid(140, 205, 131);
        double[] fitted = [.. heights.Select(height => Enumerable.Range(0, 2).Sum(k => weights[k] * Normal(height, means[k], deviation)))];
        (double[] centres, double[] shares) = Histogram(rows);
        bool holds = Math.Abs(means[0] - Women) < 1 && Math.Abs(means[1] - Men) < 1 && Math.Abs(deviation - Deviation) < 0.5
            && Math.Abs(right - bayes) < 0.02 && humps == 1;
        return new Finding(
            holds,
            $"The density has {humps} hump (the means are {Fits.Text((Men - Women) / Deviation, "F2")} standard deviations apart), and "
            + $"EM finds {Fits.Text(means[0], "F1")} and {Fits.Text(means[1], "F1")} cm with standard deviation "
            + $"{Fits.Text(deviation, "F2")}. Of the sexes it guesses {Fits.Text(100 * right, "F1")} % right; who knows the truth can "
            + $"reach {Fits.Text(100 * bayes, "F1")} %.",
            Figure.Of(
                new Chart("4000 heights and what EM makes of them", "height, cm", "density")
                    .Points("histogram", centres, shares, 2.5).Line("mixture", heights, fitted)
                    .Line("women", heights, [.. heights.Select(height => weights[0] * Normal(height, means[0], deviation))], dashed: true)
                    .Line("men", heights, [.. heights.Select(height => weights[1] * Normal(height, means[1], deviation))], dashed: true),
                new Chart("Two equal halves: one hump or two", "standard deviations from the middle", "density")
                    .Line("1.5 apart", Fits.Grid(-4, 4, 201), [.. Fits.Grid(-4, 4, 201).Select(z => Halves(z, 1.5))])
                    .Line("2 apart", Fits.Grid(-4, 4, 201), [.. Fits.Grid(-4, 4, 201).Select(z => Halves(z, 2))])
                    .Line("3 apart", Fits.Grid(-4, 4, 201), [.. Fits.Grid(-4, 4, 201).Select(z => Halves(z, 3))])),
            "The histogram, the mixture found in it with its two parts, and where two humps begin",
            new NumberTable(["", "truth", "found"],
            [
                ["mean of women, cm", Fits.Text(Women), Fits.Text(means[0], "F2")],
                ["mean of men, cm", Fits.Text(Men), Fits.Text(means[1], "F2")],
                ["standard deviation, cm", Fits.Text(Deviation), Fits.Text(deviation, "F2")],
                ["share of women", "0.5", Fits.Text(weights[0], "F3")],
            ]));
    }

    private static double Density(double height, double apart) =>
        Halves((height - (Women + Men) / 2) / Deviation, apart / Deviation) / Deviation;

    private static double Halves(double z, double apart) =>
        (ScalarMath.Exp(NormalDistribution.LogDensity(z - apart / 2)) + ScalarMath.Exp(NormalDistribution.LogDensity(z + apart / 2))) / 2;

    private static double Normal(double x, double mean, double deviation) =>
        ScalarMath.Exp(NormalDistribution.LogDensity((x - mean) / deviation)) / deviation;

    private static (double[] Centres, double[] Densities) Histogram(Minibatch rows)
    {
        double[] centres = [.. Enumerable.Range(0, 33).Select(bin => 141.0 + 2 * bin)], counts = new double[33];
        for (int row = 0; row < rows.Count; row++)
            if ((int)((rows.Row(row)[0] - 140) / 2) is >= 0 and < 33 and var bin) counts[bin]++;
        return (centres, [.. counts.Select(count => count / rows.Count / 2)]);
    }
}
