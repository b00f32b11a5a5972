using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Monte Carlo EM of counts of a level that walks at random, against the exact step.</summary>
internal sealed class FishSeries : Experiment
{
    private const int Seeds = 20;
    private const double ExactRate = 1.4423561908787483, ExactVariance = 0.6584424599543308;

    private static readonly int[] Particles = [100, 300, 1000, 3000, 10_000, 30_000];

    public override string Name => "fish";

    public override string Title => "Fish that are caught, fish that are there";

    public override string Claim =>
        "Where the E-step has no closed form, averages over sampled paths take its place, with an error that falls like one over the "
        + "root of their number; all parameters of the series can be learned.";

    public override string Source => "Wei & Tanner 1990 (JASA 85) for Monte Carlo EM; the series is a lecture-room example.";

    public override Verdict Verdict => Verdict.HoldsInPart;

    public override string Setting =>
        "Catches 6, 9, 7; x_t ~ Poisson(rate z_t), z_(t+1) ~ N(z_t, variance), z_1 ~ N(5, 1), paths that fall to 0 or below count "
        + $"nothing. One EM step of `poisson_random_walk` from rate 1.5 and variance 0.8, {Seeds} seeds for each number of particles, "
        + "against the step by numerical integration (rate 1.44236, variance 0.65844). Right: log p of the catches along (rate / c, c^2 "
        + "variance), with z_1 held and with z_1 ~ N(5 c, c^2), by 30 000 particles.";

    public override Finding Run()
    {
        double[] rates = new double[Particles.Length], variances = new double[Particles.Length];
        for (int at = 0; at < Particles.Length; at++)
        {
            for (ulong seed = 1; seed <= Seeds; seed++)
            {
                (LatentModel model, Minibatch rows) = Series(Particles[at], Seed + 1000 * seed);
                double[] next = Fits.Step(model, rows, Fits.Theta(model, [1.5], [0.8], [5], [1]));
                rates[at] += Math.Pow(next[0] - ExactRate, 2) / Seeds;
                variances[at] += Math.Pow(next[1] - ExactVariance, 2) / Seeds;
            }
            (rates[at], variances[at]) = (Math.Sqrt(rates[at]), Math.Sqrt(variances[at]));
        }
        double[] factors = Fits.Grid(0.5, 2, 16), held = new double[16], moved = new double[16];
        (LatentModel many, Minibatch series) = Series(30_000, Seed);
        for (int at = 0; at < factors.Length; at++)
        {
            double c = factors[at];
            held[at] = Fits.LogDensities(many, series, Fits.Theta(many, [1.5 / c], [0.8 * c * c], [5], [1])).Sum();
            moved[at] = Fits.LogDensities(many, series, Fits.Theta(many, [1.5 / c], [0.8 * c * c], [5 * c], [c * c])).Sum();
        }
        double[] x = [.. Particles.Select(count => (double)count)];
        double slope = ScalarMath.Log(rates[^1] / rates[0]) / ScalarMath.Log(x[^1] / x[0]), flat = moved.Max() - moved.Min();
        return new Finding(
            slope is > -0.7 and < -0.3 && rates[^1] < 0.01 && flat < 0.05 && held.Max() - held.Min() > 1,
            $"The error of the rate is {Fits.Text(rates[0], "F4")} with {Particles[0]} particles and {Fits.Text(rates[^1], "F4")} with "
            + $"{Particles[^1]}: it falls like their number to the power {Fits.Text(slope, "F2")}. But a rate c times smaller with "
            + $"levels c times larger explains the catches as well (log p moves by {Fits.Text(flat, "F3")} over c from 0.5 to 2): only "
            + $"where z_1 is held in absolute numbers can rate and variance be told apart ({Fits.Text(held.Max() - held.Min(), "F1")}).",
            Figure.Of(
                new Chart("Error of one Monte Carlo EM step", "particles", "root mean squared error") { IsLogAcross = true, IsLogUp = true }
                    .Line("rate", x, rates, dots: true).Line("variance", x, variances, dots: true)
                    .Line("1 / root", x, [.. x.Select(count => rates[0] * Math.Sqrt(x[0] / count))], dashed: true),
                new Chart("log p along the scale of the levels", "c", "nats").Line("z_1 held", factors, held, dots: true)
                    .Line("z_1 scaled too", factors, moved, dots: true)),
            "The error by the number of particles, and a likelihood that does not know the levels' scale",
            new NumberTable(["particles", "error of the rate", "error of the variance"],
                [.. Particles.Select((count, at) => (IReadOnlyList<string>)
                    [$"{count}", Fits.Text(rates[at], "F4"), Fits.Text(variances[at], "F4")])]));
    }

    private static (LatentModel Model, Minibatch Rows) Series(int particles, ulong seed)
    {
        LatentModel model = Fits.Model("poisson_random_walk", FeatureSpace.Unscaled(1), ("particles", $"{particles}"), ("seed", $"{seed}"),
            ("fixed", "[\"initial_mean\", \"initial_variance\"]"));
        return (model, Fits.Rows([[6.0], [9.0], [7.0]]));
    }
}
