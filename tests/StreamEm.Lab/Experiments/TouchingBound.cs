using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Lab.Charts;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>The bound of an E-step touches log p(Theta) at Theta(t), is below it elsewhere, and its maximum is the M-step's.</summary>
internal sealed class TouchingBound : Experiment
{
    private const int Rows = 200, Iterations = 6, Points = 71;

    public override string Name => "bound";

    public override string Title => "EM climbs a bound that touches";

    public override string Claim =>
        "The E-step makes a lower bound that equals log p(X) at the parameters of now; the M-step maximises the bound, so log p(X) "
        + "rises at least as much as the bound does.";

    public override string Source => "Dempster, Laird & Rubin 1977, theorem 1; Bishop 2006, figures 9.11 to 9.14; Minka 1998.";

    public override string Setting =>
        $"{Rows} records of 0.4 N(-1.5, 1) + 0.6 N(2, 0.7^2), EM from 0.5 N(-0.6, 3) + 0.5 N(0.9, 3). Left: log p and its bound along "
        + "the line from Theta(t) through Theta(t + 1), t = 2, parts of the step from -1 to 2.5. Right: L and KL after each E-step and "
        + "each M-step.";

    public override Finding Run()
    {
        Minibatch rows = new Truth([0.4, 0.6], [[-1.5], [2]], [[1], [0.7]]).Draw(Rows, new RandomDraws(Seed));
        Mixture model = Fits.Gaussians(2, 1);
        double[] theta = Fits.Theta(model, [0.5, 0.5], [-0.6, 0.9], [3, 3]);
        double first = Rows * Fits.LogLikelihood(model, rows, theta), worstTouch = 0, worstAbove = double.NegativeInfinity;
        bool rises = true;
        var bars = new List<(string Name, double Bound, double Divergence)>();
        Chart? line = null;
        for (int t = 0; t < Iterations; t++)
        {
            double[] next = Fits.Step(model, rows, theta), responsibilities = Fits.Scores(model, rows, theta, "responsibilities").Block;
            double here = Rows * Fits.LogLikelihood(model, rows, theta), there = Rows * Fits.LogLikelihood(model, rows, next);
            (_, double touch) = Values(model, rows, theta, responsibilities);
            (_, double raised) = Values(model, rows, next, responsibilities);
            worstTouch = Math.Max(worstTouch, Math.Abs(here - touch));
            rises &= raised > touch && there - here >= raised - touch - 1e-9;
            bars.Add(($"E{t + 1}", touch - first, here - touch));
            bars.Add(($"M{t + 1}", raised - first, there - raised));
            double[] parts = Fits.Grid(-1, 2.5, Points), likelihoods = new double[Points], bounds = new double[Points];
            for (int at = 0; at < parts.Length; at++)
            {
                double[] moved = [.. theta.Zip(next, (from, to) => from + parts[at] * (to - from))];
                (likelihoods[at], bounds[at]) = IsValid(model, moved)
                    ? Values(model, rows, moved, responsibilities)
                    : (double.NaN, double.NaN);
                if (double.IsFinite(bounds[at])) worstAbove = Math.Max(worstAbove, bounds[at] - likelihoods[at]);
            }
            // The bound is highest where the M-step goes, of all points of the line.
            rises &= Array.IndexOf(bounds, bounds.Where(double.IsFinite).Max()) is >= 39 and <= 41;
            if (t == 2)
                line = new Chart("log p and the bound along a step", "parts of the step: 0 is Theta(2), 1 is Theta(3)", "nats")
                    .Line("log p(X)", parts, likelihoods).Line("L(q of Theta(2), Theta)", parts, bounds);
            theta = next;
        }
        double least = bars.Min(bar => bar.Bound), top = bars.Max(bar => bar.Bound + bar.Divergence);
        return new Finding(
            worstTouch < 1e-9 && worstAbove < 1e-9 && rises,
            $"In {Iterations} iterations the bound equals log p(X) at Theta(t) to 1e-9 and is above it at none of {Points * Iterations} "
            + $"points; along the step it is highest at Theta(t + 1); log p(X) rises by {Fits.Text(top - least, "F1")} nats, in every "
            + "iteration by at least as much as the bound.",
            Figure.Of(
                line!,
                new Bars("L and KL, nats above the start", "after each step", [.. bars.Select(bar => bar.Name)]) { IsStacked = true }
                    .Group("L(q, Theta)", [.. bars.Select(bar => bar.Bound)])
                    .Group("KL(q || posterior)", [.. bars.Select(bar => bar.Divergence)])),
            "The bound touches where the E-step was made; an E-step turns divergence into bound, an M-step raises both",
            new NumberTable(["after", "L - log p(start)", "KL"],
                [.. bars.Select(bar =>
                    (IReadOnlyList<string>)[bar.Name, Fits.Text(bar.Bound, "F3"), Fits.Text(Math.Max(0, bar.Divergence), "F3")])]));
    }

    /// <summary>log p(X) and L(q, Theta) under some Theta.</summary>
    private static (double LogLikelihood, double Bound) Values(Mixture model, Minibatch rows, double[] theta, double[] q)
    {
        (double[] densities, double[] posteriors) = Fits.Scores(model, rows, theta, "responsibilities");
        double bound = 0;
        for (int at = 0; at < q.Length; at++)
            if (q[at] > 0 && posteriors[at] > 0)
                bound += q[at] * (densities[at / 2] + ScalarMath.Log(posteriors[at]) - ScalarMath.Log(q[at]));
        return (densities.Sum(), bound);
    }

    private static bool IsValid(Mixture model, double[] theta) =>
        Fits.Block(model, theta, "weights").All(value => value > 0) && Fits.Block(model, theta, "covariances").All(value => value > 0.05);
}
