using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Lab.Yardsticks;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Means of a sampler's parameters say nothing, means of its densities do.</summary>
internal sealed class LabelSwitching : Experiment
{
    private const int Rows = 200, Sweeps = 4000;
    private const double Apart = 3.0;

    public override string Name => "label-switching";

    public override string Title => "Averaged parameters fail, averaged predictions do not";

    public override string Claim =>
        "The components of a mixture have no names in the posterior. The mean of sampled parameters is one point in the middle; the "
        + "mean of sampled densities is as good as a fit.";

    public override string Source => "Stephens 2000 (JRSS B 62); Murphy 2012, section 24.2.4.";

    public override string Setting =>
        $"{Rows} records of 0.5 N(-1.5, 1) + 0.5 N(1.5, 1). A Gibbs sampler of the two means, {Sweeps} sweeps, names exchanged at "
        + "random between sweeps, and batch EM of the same two means (`fixed: [weights, covariances]`). Densities are compared by their "
        + "L1 distance to the truth, on a grid.";

    public override Finding Run()
    {
        Minibatch rows = Truth.Spheres([[-Apart / 2], [Apart / 2]]).Draw(Rows, new RandomDraws(Seed));
        (double First, double Second)[] draws = TwoMeansSampler.Draw(rows, Sweeps, new RandomDraws(Seed + 1));
        LatentModel model = Fits.Gaussians(2, 1);
        model.Hold(new BlockNames(["weights", "covariances"]));
        double[] fit = Core.Estimation.BatchEm.Run(
            model, rows, Fits.Theta(model, [0.5, 0.5], [-0.5, 0.5], [1, 1]), Fits.Exact).Parameters;
        double[] em = Fits.Block(model, fit, "means");
        double first = draws.Average(draw => draw.First), second = draws.Average(draw => draw.Second);

        double[] grid = Fits.Grid(-6, 6, 481), truth = Density(grid, -Apart / 2, Apart / 2), ofEm = Density(grid, em[0], em[1]),
            ofMeans = Density(grid, first, second), ofDensities = new double[grid.Length];
        foreach ((double one, double other) in draws)
        {
            double[] density = Density(grid, one, other);
            for (int at = 0; at < grid.Length; at++) ofDensities[at] += density[at] / draws.Length;
        }
        double far = Distance(truth, ofMeans), near = Distance(truth, ofDensities), fitted = Distance(truth, ofEm);
        bool holds = Math.Abs(first - second) < 0.2 && far > 5 * near && near < fitted + 0.02;
        int shown = 300;
        return new Finding(
            holds,
            $"The sampled means average to {Fits.Text(first, "F2")} and {Fits.Text(second, "F2")} - EM finds {Fits.Text(em[0], "F2")} "
            + $"and {Fits.Text(em[1], "F2")} - and the density of those averages is {Fits.Text(far, "F3")} from the truth (L1, at most "
            + $"2); the average of the sampled densities is {Fits.Text(near, "F3")} from it, EM's fit {Fits.Text(fitted, "F3")}.",
            Figure.Of(
                new Chart($"The first {shown} draws of the two means", "sweep", "mean")
                    .Points("mu_1", [.. Enumerable.Range(0, shown).Select(at => (double)at)],
                        [.. draws.Take(shown).Select(draw => draw.First)])
                    .Points("mu_2", [.. Enumerable.Range(0, shown).Select(at => (double)at)],
                        [.. draws.Take(shown).Select(draw => draw.Second)]),
                new Chart("Densities", "x", "density").Line("truth", grid, truth).Line("of averaged parameters", grid, ofMeans)
                    .Line("averaged", grid, ofDensities).Line("EM", grid, ofEm, dashed: true)),
            "Names change between sweeps; averages over them",
            new NumberTable(["density", "L1 distance to the truth"],
            [
                ["at the averaged parameters", Fits.Text(far, "F4")], ["averaged over the draws", Fits.Text(near, "F4")],
                ["at EM's maximum", Fits.Text(fitted, "F4")],
            ]));
    }

    private static double[] Density(double[] grid, double one, double other) =>
    [
        .. grid.Select(x => 0.5 * ScalarMath.Exp(NormalDistribution.LogDensity(x - one))
            + 0.5 * ScalarMath.Exp(NormalDistribution.LogDensity(x - other))),
    ];

    private static double Distance(double[] one, double[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Sum() * 12 / 480;
}
