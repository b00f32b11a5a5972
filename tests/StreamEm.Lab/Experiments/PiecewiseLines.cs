using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>A broken line by experts whose gate finds the breaks.</summary>
internal sealed class PiecewiseLines : Experiment
{
    private const int Rows = 1500;

    public override string Name => "piecewise";

    public override string Title => "A broken line, and where it breaks";

    public override string Claim =>
        "A mixture of linear experts with a softmax gate is a piecewise linear regression that finds its own breaks, each piece with "
        + "its own noise.";

    public override string Source => "Jordan & Jacobs 1994 (Neural Computation 6); Murphy 2012, section 11.2.4.";

    public override string Setting =>
        $"{Rows} records, x even in (0, 10): y = x below 4 with noise 0.2, 8 - x from 4 to 7 with noise 0.6, 3 x - 20 above with noise "
        + "0.3. `mixture_of_experts` with 1 to 5 experts, batch EM from lines fitted to equal parts of x; the Bayesian information "
        + "criterion chooses. A break is where the most probable expert changes.";

    public override Finding Run()
    {
        var draws = new RandomDraws(Seed);
        Minibatch rows = Fits.Rows(Enumerable.Range(0, Rows).Select(_ =>
        {
            double x = 10 * draws.Uniform();
            return new[] { x, x < 4 ? x + 0.2 * draws.Normal() : x < 7 ? 8 - x + 0.6 * draws.Normal() : 3 * x - 20 + 0.3 * draws.Normal() };
        }));
        double[] criteria = new double[5], grid = Fits.Grid(0, 10, 401);
        double[]? chosen = null;
        LatentModel? model = null;
        for (int k = 1; k <= 5; k++)
        {
            LatentModel candidate = Fits.Model(
                "mixture_of_experts", FeatureSpace.Unscaled(["x", "y"]), ("experts", $"{k}"), ("gate_precision", "0.001"),
                ("min_variance", "0.0001"));
            BatchEmResult fit =
                BatchEm.Run(candidate, rows, Start(candidate, k, rows), Fits.Exact with { Tolerance = 1e-8, MaxIterations = 800 });
            criteria[k - 1] = -2 * Rows * Fits.LogLikelihood(candidate, rows, fit.Parameters)
                + candidate.FreeParameters * Core.LinearAlgebra.ScalarMath.Log(Rows);
            if (k == 3) (chosen, model) = (fit.Parameters, candidate);
        }
        double[] gates = Fits.Block(model!, chosen!, "gate_coefficients"), lines = Fits.Block(model!, chosen!, "coefficients"),
            variances = Fits.Block(model!, chosen!, "variances");
        int[] experts = [.. grid.Select(x => Enumerable.Range(0, 3).MaxBy(k => gates[2 * k] + gates[2 * k + 1] * x))];
        double[] breaks = [.. Enumerable.Range(1, 400).Where(at => experts[at] != experts[at - 1]).Select(at => grid[at])];
        int best = 1 + Array.IndexOf(criteria, criteria.Min());
        string found = string.Join(" and ", breaks.Select(at => Fits.Text(at, "F2")));
        string noise = string.Join(", ", experts.Distinct().Select(k => Fits.Text(Math.Sqrt(variances[k]), "F2")));
        return new Finding(
            best == 3 && breaks.Length == 2 && Math.Abs(breaks[0] - 4) < 0.2 && Math.Abs(breaks[1] - 7) < 0.2,
            $"The criterion takes {best} experts, with breaks at {found} (true: 4 and 7) and noises of {noise} (true: 0.2, 0.6, 0.3).",
            Figure.Of(
                new Chart("Records and the most probable expert", "x", "y")
                    .Points("records", [.. Enumerable.Range(0, 500).Select(n => rows.Row(n)[0])],
                        [.. Enumerable.Range(0, 500).Select(n => rows.Row(n)[1])], 1.4)
                    .Line("experts", grid, [.. grid.Select((x, at) => lines[2 * experts[at]] + lines[2 * experts[at] + 1] * x)]),
                new Chart("Bayesian information criterion", "experts", "smaller is better")
                    .Line("", [1, 2, 3, 4, 5], criteria, dots: true)),
            "The line that three experts make, and the criterion by their number",
            new NumberTable(["experts", "BIC"],
                [.. criteria.Select((value, at) => (IReadOnlyList<string>)[$"{at + 1}", Fits.Text(value, "F0")])]));
    }

    private static double[] Start(LatentModel model, int k, Minibatch rows)
    {
        double[] gates = new double[2 * k], lines = new double[2 * k], variances = new double[k];
        for (int expert = 0; expert < k; expert++)
        {
            double low = 10.0 * expert / k, high = 10.0 * (expert + 1) / k, n = 0, x = 0, y = 0, xx = 0, xy = 0;
            for (int row = 0; row < rows.Count; row++)
            {
                (double u, double v) = (rows.Row(row)[0], rows.Row(row)[1]);
                if (u < low || u >= high) continue;
                (n, x, y, xx, xy) = (n + 1, x + u, y + v, xx + u * u, xy + u * v);
            }
            double slope = (n * xy - x * y) / (n * xx - x * x);
            (lines[2 * expert], lines[2 * expert + 1], variances[expert]) = ((y - slope * x) / n, slope, 1);
            // Neighbours are level at their border: differences of logits of 2 (x - border).
            for (int other = 0; other <= expert; other++)
                if (other > 0)
                    (gates[2 * expert], gates[2 * expert + 1]) = (gates[2 * expert] - 2 * 10.0 * other / k, gates[2 * expert + 1] + 2);
        }
        double[] last = gates[^2..];
        for (int at = 0; at < gates.Length; at++) gates[at] -= last[at % 2];
        return Fits.Theta(model, gates, lines, variances);
    }
}
