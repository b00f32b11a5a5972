using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Lab.Yardsticks;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Probit regression by EM, Newton and Gibbs, under three priors.</summary>
internal sealed class ProbitThreeWays : Experiment
{
    private const int Rows = 150, Sweeps = 3000, Most = 400;

    private static readonly double[] Precisions = [0, 1, 10];

    public override string Name => "probit";

    public override string Title => "Probit regression by EM, Newton and Gibbs";

    public override string Claim =>
        "EM for probit regression reaches the same estimate as Newton's method, in more and cheaper iterations; a stronger prior makes "
        + "EM faster; the sampler's mean is near it.";

    public override string Source => "Albert & Chib 1993 (JASA 88); Murphy 2012, section 11.4.6 and figure 11.15.";

    public override string Setting =>
        $"{Rows} records with two features, target by w = (0.5, -1, 1.5); `probit_regression` with `prior_precision` 0, 1 and 10, batch "
        + $"EM from 0. The distance of w from the estimate (the largest coefficient's) after each iteration; and the mean of {Sweeps} "
        + "sweeps of the sampler, with its standard deviations.";

    public override Finding Run()
    {
        Minibatch rows = Draw();
        var lines =
            new Chart("Distance from the estimate", "iterations", "largest difference of a coefficient") { IsLogUp = true, Least = 1e-10 };
        double[] em = new double[3], newton = new double[3], far = new double[3];
        double apart = 0;
        var cells = new List<IReadOnlyList<string>>();
        for (int at = 0; at < 3; at++)
        {
            LatentModel model = Fits.Model("probit_regression", FeatureSpace.Unscaled(["a", "b", "y"]),
                ("prior_precision", Fits.Text(Precisions[at])));
            var yardstick = new Probit(rows, Precisions[at]);
            List<double[]> steps = yardstick.Newton([0, 0, 0], 12);
            double[] goal = steps[^1], theta = Fits.Theta(model, [0, 0, 0]);
            var distances = new List<double>();
            for (int iteration = 0; iteration <= Most; iteration++)
            {
                distances.Add(Distance(theta[..3], goal));
                if (distances[^1] < 1e-10) break;
                theta = Fits.Step(model, rows, theta);
            }
            apart = Math.Max(apart, distances[^1]);
            em[at] = distances.FindIndex(distance => distance < 1e-6);
            newton[at] = steps.FindIndex(step => Distance(step, goal) < 1e-6);
            (double[] mean, double[] deviation) = yardstick.Gibbs(Sweeps, new RandomDraws(Seed + 5));
            far[at] = mean.Zip(goal, deviation).Max(one => Math.Abs(one.First - one.Second) / one.Third);
            string name = Precisions[at] == 0 ? "none" : $"precision {Fits.Text(Precisions[at])}";
            lines.Line($"EM, {name}", [.. distances.Select((_, t) => (double)t)], distances);
            if (at == 0)
                lines.Line("Newton, none", [.. steps.Select((_, t) => (double)t)], [.. steps.Select(step => Distance(step, goal))],
                    dots: true);
            cells.Add([name, Shown(goal), Shown(mean), Fits.Text(em[at]), Fits.Text(newton[at])]);
        }
        return new Finding(
            apart < 1e-7 && em[0] > em[1] && em[1] > em[2] && newton.Max() < 10 && em.Min() > newton.Max() && far.Max() < 0.6,
            $"EM ends where Newton does, to 1e-7. To be within 1e-6 it takes {Fits.Text(em[0])} iterations without a prior, "
            + $"{Fits.Text(em[1])} with precision 1 and {Fits.Text(em[2])} with precision 10; Newton takes {Fits.Text(newton[0])}, "
            + $"{Fits.Text(newton[1])} and {Fits.Text(newton[2])}. The sampler's means are within {Fits.Text(far.Max(), "F2")} of its "
            + "standard deviations.",
            Figure.Of(lines),
            "How EM and Newton come near the estimate",
            new NumberTable(["prior", "w, EM and Newton", "w, mean of the sampler", "iterations, EM", "iterations, Newton"], cells));
    }

    private static double Distance(double[] one, double[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();

    private static string Shown(double[] w) => string.Join(", ", w.Select(value => Fits.Text(value, "F3")));

    private Minibatch Draw()
    {
        var draws = new RandomDraws(Seed);
        return Fits.Rows(Enumerable.Range(0, Rows).Select(_ =>
        {
            double a = draws.Normal(), b = draws.Normal();
            return new[] { a, b, draws.Uniform() < NormalDistribution.Cumulative(0.5 - a + 1.5 * b) ? 1 : 0 };
        }));
    }
}
