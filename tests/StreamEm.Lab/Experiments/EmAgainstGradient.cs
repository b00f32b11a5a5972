using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Lab.Yardsticks;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Passes of EM and of gradient ascent by dimension, and how both wake a component that has hardly a record.</summary>
internal sealed class EmAgainstGradient : Experiment
{
    private const int Rows = 1500, MostPasses = 4000, Updates = 30;
    private const double Near = 1e-4;

    private static readonly int[] Dimensions = [1, 2, 4, 8, 16];

    public override string Name => "em-and-gradient";

    public override string Title => "EM against gradient ascent";

    public override string Claim =>
        "EM is gradient ascent multiplied by a positive definite matrix that depends on the responsibilities: it needs no step size, "
        + "does not mind the features' units, and moves a component that has little of the data as fast as the others.";

    public override string Source => "Xu & Jordan 1996 (Neural Computation 8), theorem 1 and section 4.";

    public override string Setting =>
        $"{Rows} records of two Gaussians 4 standard deviations apart in the first feature, feature d in units of 3^(d mod 3); "
        + $"`covariance_type: diag`. Passes over the data until {Fits.Text(Near)} nats a record below the maximum; the gradient in free "
        + "coordinates with steps that double and halve (Armijo). Right: three clusters in one dimension, and three components of which "
        + "one, at its cluster, begins with a weight of 0.002, while another is wide; its weight, update by update.";

    public override Finding Run()
    {
        double[] em = new double[Dimensions.Length], gradient = new double[Dimensions.Length];
        for (int at = 0; at < Dimensions.Length; at++) (em[at], gradient[at]) = Passes(Dimensions[at]);
        (double[] woken, double[] asleep, double truth) = Waking();
        double[] x = [.. Dimensions.Select(d => (double)d)], updates = [.. Enumerable.Range(0, Updates + 1).Select(t => (double)t)];
        int there = Array.FindIndex(woken, mean => Math.Abs(mean - truth) < 0.05);
        return new Finding(
            em.Zip(gradient).All(pair => pair.First < pair.Second) && there is > 0 and < Updates
                && Math.Abs(asleep[there] - truth) > 3 * Math.Abs(woken[there] - truth),
            $"EM takes {Fits.Text(em[0], "F0")} passes in one dimension and {Fits.Text(em[^1], "F0")} in {Dimensions[^1]}; gradient "
            + $"ascent {Fits.Text(gradient[0], "F0")} and {Shown(gradient[^1])}. The component that begins with a weight of "
            + $"{Fits.Text(woken[0])} has {Fits.Text(woken[there], "F2")} after {there} iterations of EM and "
            + $"{Fits.Text(asleep[there], "G2")} after as many steps of the gradient (at the maximum: {Fits.Text(truth, "F2")}).",
            Figure.Of(
                new Chart("Passes to the maximum", "features D", "passes over the data") { IsLogUp = true, IsLogAcross = true }
                    .Line("EM", x, em, dots: true).Line("gradient", x, gradient, dots: true),
                new Chart("A component that begins with little", "updates", "its weight")
                    .Line("EM", updates, woken, dots: true).Line("gradient", updates, asleep, dots: true).Level(truth, "at the maximum")),
            "Passes by dimension, and the weight of a component that begins with 0.002",
            new NumberTable(["D", "passes, EM", "passes, gradient"],
                [.. Dimensions.Select((d, at) => (IReadOnlyList<string>)[$"{d}", Fits.Text(em[at], "F0"), Shown(gradient[at])])]));
    }

    private static string Shown(double passes) => passes >= MostPasses ? $"more than {MostPasses}" : Fits.Text(passes, "F0");

    private (double Em, double Gradient) Passes(int dimension)
    {
        double[] scales = [.. Enumerable.Range(0, dimension).Select(d => Math.Pow(3, d % 3))];
        var draws = new RandomDraws(Seed + (ulong)dimension);
        Minibatch rows = Fits.Rows(Enumerable.Range(0, Rows).Select(_ =>
        {
            double shift = draws.Uniform() < 0.4 ? 4 : 0;
            return scales.Select((scale, d) => scale * (draws.Normal() + (d == 0 ? shift : 0))).ToArray();
        }));
        Mixture model = Fits.Gaussians(2, dimension, CovarianceType.Diag);
        double[] means = new double[2 * dimension], variances = [.. scales.Concat(scales).Select(scale => 4 * scale * scale)];
        (means[0], means[dimension]) = (1, 3);
        double[] start = Fits.Theta(model, [0.5, 0.5], means, variances);
        BatchEmResult fit = BatchEm.Run(model, rows, start, Fits.Exact);
        double goal = fit.LogLikelihoods[^1] - Near;
        int em = fit.LogLikelihoods.TakeWhile(value => value < goal).Count() + 1;
        var ascent = new GradientAscent(model, rows);
        double[] theta = start;
        while (ascent.LogLikelihood < goal && ascent.Passes < MostPasses) theta = ascent.Step(theta);
        return (em, ascent.Passes);
    }

    private (double[] Em, double[] Gradient, double Truth) Waking()
    {
        Minibatch rows = Truth.Spheres([[0], [5], [10]]).Draw(Rows, new RandomDraws(Seed));
        Mixture model = Fits.Gaussians(3, 1, CovarianceType.Diag);
        double[] start = Fits.Theta(model, [0.4, 0.598, 0.002], [0, 7, 11], [1, 9, 1]), em = start, gradient = start;
        var ascent = new GradientAscent(model, rows);
        double[] woken = new double[Updates + 1], asleep = new double[Updates + 1];
        for (int t = 0; t <= Updates; t++)
        {
            (woken[t], asleep[t]) = (em[2], gradient[2]);
            em = Fits.Step(model, rows, em);
            gradient = ascent.Step(gradient);
        }
        return (woken, asleep, Fits.Block(model, BatchEm.Run(model, rows, start, Fits.Exact).Parameters, "weights")[2]);
    }
}
