using StreamEm.Core;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Full covariances from 100 records: maximum likelihood against a conjugate prior, by dimension.</summary>
internal sealed class MapAgainstMl : Experiment
{
    private const int Sets = 20, Rows = 100, Held = 1000, Components = 3;
    private const double Least = 1e-4;

    private static readonly int[] Dimensions = [2, 5, 10, 15, 20, 30, 40];

    public override string Name => "map-and-ml";

    public override string Title => "A prior instead of singular covariances";

    public override string Claim =>
        "Maximum likelihood for mixtures of full Gaussians breaks down as the dimension grows towards the number of records: "
        + "covariances become singular. MAP with an inverse Wishart prior does not.";

    public override string Source => "Murphy 2012, section 11.4.2.8 and figure 11.13; Fraley & Raftery 2007.";

    public override Verdict Verdict => Verdict.HoldsInPart;

    public override string Setting =>
        $"{Rows} records of {Components} unit Gaussians whose means are N(0, 2^2) in every feature, {Sets} sets for each dimension; "
        + $"`gaussian_mixture` with {Components} components, `reg_covar: 0`, `prior: none` and `prior: conjugate`, 100 iterations from "
        + $"means at k-means++ centres. Broken down: an eigenvalue of a covariance below {Fits.Text(Least)}, or a covariance that "
        + $"cannot be factored. Beside it the log-likelihood of {Held} other records, per record and feature, of the fits that stand.";

    public override Finding Run()
    {
        double[] ml = new double[Dimensions.Length], map = new double[Dimensions.Length], mlHeld = new double[Dimensions.Length],
            mapHeld = new double[Dimensions.Length];
        for (int at = 0; at < Dimensions.Length; at++)
        {
            (ml[at], mlHeld[at]) = Try(Dimensions[at], Prior.None);
            (map[at], mapHeld[at]) = Try(Dimensions[at], Prior.Conjugate);
        }
        double[] x = [.. Dimensions.Select(d => (double)d)];
        return new Finding(
            ml[0] < 0.2 && ml[^1] > 0.95 && map.All(share => share == 0)
                && mapHeld[5] > mlHeld[5] && mapHeld[4] < mlHeld[4],
            $"With {Rows} records maximum likelihood breaks down in {Fits.Text(100 * ml[0], "F0")} % of the fits in two dimensions, "
            + $"{Fits.Text(100 * ml[^2], "F0")} % in {Dimensions[^2]} and {Fits.Text(100 * ml[^1], "F0")} % in {Dimensions[^1]}; with "
            + $"the prior in {Fits.Text(100 * map.Max(), "F0")} %. But a fit that stands is not a good one: the mode of "
            + "this prior divides a component's scatter by n + 2 D + 4 instead of n records, and its own part, the variance of all "
            + "records over K^(1 / D), does not make up for it: variances come out too small, and up to "
            + $"{Dimensions[4]} dimensions other records are less likely with it ({Fits.Text(mapHeld[4], "F2")} against "
            + $"{Fits.Text(mlHeld[4], "F2")} nats a record and feature), and in "
            + $"{Dimensions[5]} more ({Fits.Text(mapHeld[5], "F2")} against {Fits.Text(mlHeld[5], "F2")}).",
            Figure.Of(
                new Chart("Fits that break down", "features D", "share of the fits") { MustShowUp = [0, 1] }
                    .Line("maximum likelihood", x, ml, dots: true).Line("conjugate prior", x, map, dots: true),
                new Chart("Log-likelihood of other records", "features D", "nats per record and feature") { Least = -8 }
                    .Line("maximum likelihood", x, mlHeld, dots: true).Line("conjugate prior", x, mapHeld, dots: true)),
            $"Share of {Sets} fits with a singular covariance, and what the others are worth",
            new NumberTable(["D", "ML breaks down", "MAP breaks down", "ML, other records", "MAP, other records"],
                [.. Dimensions.Select((d, at) => (IReadOnlyList<string>)[$"{d}", Fits.Text(ml[at], "F2"), Fits.Text(map[at], "F2"),
                    double.IsNaN(mlHeld[at]) ? "none stands" : Fits.Text(mlHeld[at], "F3"), Fits.Text(mapHeld[at], "F3")])]));
    }

    private (double Broken, double HeldOut) Try(int dimension, Prior prior)
    {
        double broken = 0, sum = 0;
        for (int set = 0; set < Sets; set++)
        {
            var draws = new RandomDraws(Seed + (ulong)(100 * dimension + set));
            double[][] means =
                [.. Enumerable.Range(0, Components).Select(_ => Enumerable.Range(0, dimension).Select(_ => 2 * draws.Normal()).ToArray())];
            var truth = Truth.Spheres(means);
            Minibatch rows = truth.Draw(Rows, draws), others = truth.Draw(Held, draws);
            LatentModel model = ModelCatalog.MixtureOf(new GaussianOptions { RegCovar = 0, Prior = prior }, Components)
                .Create(FeatureSpace.Unscaled(dimension).Learn(rows));
            double[] identity = [.. Enumerable.Range(0, Components * dimension * dimension)
                .Select(at => at / dimension % dimension == at % dimension ? 5.0 : 0)];
            double[] theta = Fits.Theta(model, [.. Enumerable.Repeat(1.0 / Components, Components)],
                CentreSelection.Choose(InitializationMethod.KMeansPlusPlus, rows, Components, new SplitMix64((ulong)set)), identity);
            try
            {
                theta = BatchEm.Run(
                    model, rows, theta, new BatchEmOptions { MaxIterations = 100, Tolerance = 1e-8, Threads = 1 }).Parameters;
                var facts = new Dictionary<string, double>(StringComparer.Ordinal);
                model.Health(theta, facts);
                if (facts["min_covariance_eigenvalue"] < Least) broken++;
                else sum += Fits.LogLikelihood(model, others, theta) / dimension;
            }
            catch (ArithmeticException)
            {
                broken++;
            }
        }
        return (broken / Sets, sum / (Sets - broken));
    }
}
