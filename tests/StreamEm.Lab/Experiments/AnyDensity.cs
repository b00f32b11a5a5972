using StreamEm.Core;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Initialization;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>L1 distance of Gaussian mixtures to densities that are none, by K.</summary>
internal sealed class AnyDensity : Experiment
{
    private const int Rows = 6000;

    private static readonly int[] Counts = [1, 2, 4, 8, 16, 32];

    public override string Name => "any-density";

    public override string Title => "Any density by enough Gaussians";

    public override string Claim => "Mixtures of Gaussians come as near to any density as one likes, with enough components.";

    public override string Source =>
        "McLachlan & Peel 2000, section 6.1; Bishop 2006, section 2.3.9. The claw: Marron & Wand 1992 (Annals of Statistics 20).";

    public override Verdict Verdict => Verdict.HoldsInPart;

    public override string Setting =>
        $"{Rows} records of the claw (a normal with five narrow ones on it), of a uniform density on (0, 1), and of a ring of radius 3 "
        + "and width 0.3 in the plane. `gaussian_mixture`, K = 1 to 32, batch EM from k-means++ centres, 300 iterations at most. L1 "
        + "distance to the true density on a grid, between 0 and 2.";

    public override Finding Run()
    {
        (string Name, Minibatch Rows, double[] Low, double[] High, Func<double[], double> Density)[] targets = Targets();
        double[][] distances = [.. targets.Select(_ => new double[Counts.Length])];
        double[] grid = Fits.Grid(-3, 3, 301);
        var claw = new Chart("The claw and two mixtures", "x", "density")
            .Line("truth", grid, [.. grid.Select(x => targets[0].Density([x]))]);
        for (int target = 0; target < targets.Length; target++)
            for (int at = 0; at < Counts.Length; at++)
            {
                (_, Minibatch rows, double[] low, double[] high, Func<double[], double> density) = targets[target];
                Mixture model = Fits.Gaussians(Counts[at], rows.Dimension, regCovar: 1e-6);
                double[] theta = Fit(model, rows);
                (Minibatch points, double cell) = Points(low, high);
                double[] found = Fits.LogDensities(model, points, theta);
                for (int n = 0; n < points.Count; n++)
                    distances[target][at] += cell * Math.Abs(ScalarMath.Exp(found[n]) - density(points.Row(n).ToArray()));
                if (target == 0 && Counts[at] is 4 or 16 && rows.Dimension == 1 && target == 0)
                    claw.Line($"K = {Counts[at]}", grid,
                        [.. Fits.LogDensities(model, Fits.Rows(grid.Select(x => new[] { x })), theta).Select(ScalarMath.Exp)]);
            }
        double[] ks = [.. Counts.Select(k => (double)k)];
        var chart = new Chart("L1 distance to the density", "components K", "L1 distance") { IsLogAcross = true, MustShowUp = [0] };
        for (int target = 0; target < targets.Length; target++) chart.Line(targets[target].Name, ks, distances[target], dots: true);
        return new Finding(
            distances.All(one => one.Min() < 0.45 * one[0]) && distances[1][^1] > 0.04,
            "The distances fall, the more slowly the less smooth the density: "
            + string.Join(", ", targets.Select((target, at) =>
                $"{target.Name} from {Fits.Text(distances[at][0], "F2")} to {Fits.Text(distances[at].Min(), "F3")}"))
            + $" (K up to {Counts[^1]}). From {Rows} records they do not go to 0: with many components the noise of the records is fitted.",
            Figure.Of(chart, claw),
            "Distances by K, and what mixtures make of the claw",
            new NumberTable(["K", .. targets.Select(target => target.Name)],
                [.. Counts.Select((k, at) => (IReadOnlyList<string>)[$"{k}", .. distances.Select(one => Fits.Text(one[at], "F3"))])]));
    }

    private (string, Minibatch, double[], double[], Func<double[], double>)[] Targets()
    {
        var draws = new RandomDraws(Seed);
        double[] weights = [0.5, 0.1, 0.1, 0.1, 0.1, 0.1], means = [0, -1, -0.5, 0, 0.5, 1], deviations = [1, 0.1, 0.1, 0.1, 0.1, 0.1];
        double Claw(double[] x) => weights.Select((weight, k) =>
            weight * ScalarMath.Exp(NormalDistribution.LogDensity((x[0] - means[k]) / deviations[k])) / deviations[k]).Sum();
        // Radius 3 + 0.3 N(0, 1), any angle; the radius is never near 0.
        double Ring(double[] x)
        {
            double radius = Math.Sqrt(x[0] * x[0] + x[1] * x[1]);
            return ScalarMath.Exp(NormalDistribution.LogDensity((radius - 3) / 0.3)) / 0.3 / (2 * Math.PI * Math.Max(radius, 1e-9));
        }
        return
        [
            ("claw", Fits.Rows(Enumerable.Range(0, Rows).Select(_ =>
            {
                int k = draws.Category(weights);
                return new[] { means[k] + deviations[k] * draws.Normal() };
            })), [-4], [4], Claw),
            ("uniform", Fits.Rows(Enumerable.Range(0, Rows).Select(_ => new[] { draws.Uniform() })), [-0.5], [1.5],
                x => x[0] is >= 0 and <= 1 ? 1 : 0),
            ("ring", Fits.Rows(Enumerable.Range(0, Rows).Select(_ =>
            {
                (double sine, double cosine) = ScalarMath.Turn(draws.Uniform());
                double radius = 3 + 0.3 * draws.Normal();
                return new[] { radius * cosine, radius * sine };
            })), [-5, -5], [5, 5], Ring),
        ];
    }

    private double[] Fit(Mixture model, Minibatch rows)
    {
        int k = model.Components, dimension = rows.Dimension;
        double[] centres = CentreSelection.Choose(InitializationMethod.KMeansPlusPlus, rows, k, new SplitMix64(Seed));
        double[] covariances = new double[k * dimension * dimension];
        for (int at = 0; at < covariances.Length; at++)
            covariances[at] = at / dimension % dimension == at % dimension
                ? (dimension == 2 ? 4.5 : rows.Row(0)[0] is >= 0 and <= 1 ? 0.08 : 0.6) / k
                : 0;
        return BatchEm.Run(model, rows, Fits.Theta(model, [.. Enumerable.Repeat(1.0 / k, k)], centres, covariances),
            new BatchEmOptions { MaxIterations = 300, Tolerance = 1e-6, Threads = 1 }).Parameters;
    }

    private static (Minibatch Points, double Cell) Points(double[] low, double[] high)
    {
        int side = low.Length == 1 ? 2000 : 100;
        double[][] axes = [.. low.Select((from, d) => Fits.Grid(from, high[d], side))];
        IEnumerable<double[]> points = low.Length == 1
            ? axes[0].Select(x => new[] { x })
            : axes[0].SelectMany(x => axes[1].Select(y => new[] { x, y }));
        return (Fits.Rows(points), low.Select((from, d) => (high[d] - from) / (side - 1)).Aggregate(1.0, (a, b) => a * b));
    }
}
