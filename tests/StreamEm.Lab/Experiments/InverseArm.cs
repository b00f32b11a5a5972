using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Lab.Charts;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>The elbow's angle from where the hand is: two answers, and one regression that gives their mean.</summary>
internal sealed class InverseArm : Experiment
{
    private const int Rows = 2000, Tested = 500;

    public override string Name => "inverse-kinematics";

    public override string Title => "An arm, from the hand back to the elbow";

    public override string Claim =>
        "Where one input has several right answers, a regression gives their mean, which is none of them; a mixture of experts gives "
        + "the answers.";

    public override string Source =>
        "Bishop 1994 (Mixture density networks), section 6; Bishop 2006, section 5.6; Jacobs, Jordan, Nowlan & Hinton 1991.";

    public override string Setting =>
        $"An arm of two parts of length 1: bent by the angle b the hand is 2 |cos(b / 2)| away. {Rows} records of the distance and the "
        + "angle, b drawn evenly from (-2.6, -0.4) and (0.4, 2.6), noise of 0.05 on the angle. `mixture_of_experts` with linear experts "
        + $"and a softmax gate, 1, 2 and 4 of them, batch EM. For {Tested} distances the angle of the most probable expert, and where "
        + "it puts the hand.";

    public override Finding Run()
    {
        Minibatch rows = Draw(Rows, new RandomDraws(Seed));
        int[] counts = [1, 2, 4];
        double[] errors = new double[counts.Length], likelihoods = new double[counts.Length];
        double[] distances = Fits.Grid(0.6, 1.9, Tested);
        var chart = new Chart("Angles by distance, and what the experts say", "distance of the hand", "angle of the elbow")
            .Points("records", [.. Enumerable.Range(0, 400).Select(n => rows.Row(n)[0])],
                [.. Enumerable.Range(0, 400).Select(n => rows.Row(n)[1])], 1.4);
        for (int at = 0; at < counts.Length; at++)
        {
            int k = counts[at];
            LatentModel model = Fits.Model(
                "mixture_of_experts", FeatureSpace.Unscaled(["distance", "angle"]), ("experts", $"{k}"), ("prior", "none"));
            double[] theta = Start(model, k);
            BatchEmResult fit = BatchEm.Run(model, rows, theta, Fits.Exact with { Tolerance = 1e-8, MaxIterations = 500 });
            (double[] gates, double[] lines) = (Fits.Block(model, fit.Parameters, "gate_coefficients"),
                Fits.Block(model, fit.Parameters, "coefficients"));
            likelihoods[at] = fit.LogLikelihoods[^1];
            double[] angles = [.. distances.Select(distance => Angle(gates, lines, k, distance))];
            errors[at] = distances.Zip(angles, (distance, angle) => Math.Abs(2 * Math.Abs(Math.Cos(angle / 2)) - distance)).Average();
            if (k == 1) chart.Line("one regression", distances, angles);
            if (k == 4)
                for (int expert = 0; expert < k; expert++)
                    chart.Line(expert == 0 ? "four experts" : "", distances,
                        [.. distances.Select(distance => Shown(gates, lines, k, expert, distance))], like: 2);
        }
        return new Finding(
            errors[0] > 0.5 && errors[2] < errors[0] / 5 && likelihoods[2] > likelihoods[1] && likelihoods[1] > likelihoods[0] + 0.5,
            $"One regression bends the elbow by 0 and misses the hand's distance by {Fits.Text(errors[0], "F2")} on the average; the "
            + $"most probable of two experts by {Fits.Text(errors[1], "F2")}, of four by {Fits.Text(errors[2], "F3")}.",
            Figure.Of(
                chart,
                new Bars("How far the hand is missed", "mean error of the distance", ["1 expert", "2 experts", "4 experts"])
                    .Group("", errors)),
            "Two branches of angles, the line between them, and the experts on the branches",
            new NumberTable(["experts", "mean error of the distance", "log-likelihood, nats a record"],
                [.. counts.Select(
                    (k, at) => (IReadOnlyList<string>)[$"{k}", Fits.Text(errors[at], "F3"), Fits.Text(likelihoods[at], "F3")])]));
    }

    private static Minibatch Draw(int count, RandomDraws draws) => Fits.Rows(Enumerable.Range(0, count).Select(_ =>
    {
        double angle = (0.4 + 2.2 * draws.Uniform()) * (draws.Uniform() < 0.5 ? -1 : 1);
        return new[] { 2 * Math.Abs(Math.Cos(angle / 2)), angle + 0.05 * draws.Normal() };
    }));

    /// <summary>Experts in turn on either side, in order of distance.</summary>
    private static double[] Start(LatentModel model, int k)
    {
        double[] gate = new double[2 * k], lines = new double[2 * k], variances = new double[k];
        for (int expert = 0; expert < k; expert++)
        {
            double side = k == 1 ? 0 : expert % 2 == 0 ? 1 : -1;
            (lines[2 * expert], lines[2 * expert + 1], variances[expert]) = (3 * side, -side, 1);
            if (k == 4) (gate[2 * expert], gate[2 * expert + 1]) = expert < 2 ? (0, 0) : (-4, 3);
        }
        for (int expert = 0; expert < k; expert++)
            (gate[2 * expert], gate[2 * expert + 1]) = (gate[2 * expert] - gate[2 * k - 2], gate[2 * expert + 1] - gate[2 * k - 1]);
        return Fits.Theta(model, gate, lines, variances);
    }

    private static int Chosen(double[] gates, int k, double distance) =>
        Enumerable.Range(0, k).MaxBy(expert => gates[2 * expert] + gates[2 * expert + 1] * distance);

    private static double Angle(double[] gates, double[] lines, int k, double distance)
    {
        int expert = Chosen(gates, k, distance);
        return lines[2 * expert] + lines[2 * expert + 1] * distance;
    }

    /// <summary>An expert's line where it is among the likely half of them.</summary>
    private static double Shown(double[] gates, double[] lines, int k, int expert, double distance)
    {
        double own = gates[2 * expert] + gates[2 * expert + 1] * distance;
        int better = Enumerable.Range(0, k).Count(other => gates[2 * other] + gates[2 * other + 1] * distance > own);
        return better < 2 ? lines[2 * expert] + lines[2 * expert + 1] * distance : double.NaN;
    }
}
