using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Lab.Charts;
using StreamEm.Lab.Yardsticks;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>When the loaded die was used: by filtering, smoothing and the most probable path.</summary>
internal sealed class DishonestCasino : Experiment
{
    private const int Throws = 3000, Shown = 300;

    private static readonly double[] Transitions = [0.95, 0.05, 0.1, 0.9];
    private static readonly double[] Faces = [.. Enumerable.Repeat(1 / 6.0, 6), 0.1, 0.1, 0.1, 0.1, 0.1, 0.5];

    public override string Name => "decoding";

    public override string Title => "The dishonest casino: three ways to decode";

    public override string Claim =>
        "The most probable path is the best answer to which states a chain was in. (Or is it? For single states, smoothed probabilities "
        + "are wrong least often; both see what comes later, which filtering does not.)";

    public override string Source => "Durbin, Eddy, Krogh & Mitchison 1998, section 3.2; Rabiner 1989; Murphy 2012, section 17.4.4.";

    public override Verdict Verdict => Verdict.HoldsInPart;

    public override string Setting =>
        $"A fair die and one that shows six half of the time, changed for the other with probability 0.05 and back with 0.1; {Throws} "
        + "throws. `hidden_markov` with a categorical emission learns from the throws alone, batch EM from a die that is a little "
        + "loaded. Then, under what it learned: its filtered probabilities, its most probable path, and smoothed probabilities by "
        + "forward-backward outside of it.";

    public override Finding Run()
    {
        (Minibatch rows, int[] truth) = Draw();
        LatentModel model = Fits.OfLevels("hidden_markov", ["face"], ["1", "2", "3", "4", "5", "6"],
            ("states", "2"), ("emission", "{\"categorical\": {}}"), ("prior", "none"));
        double[] theta = Fits.Theta(model, [0.5, 0.5], [0.8, 0.2, 0.2, 0.8],
            [.. Enumerable.Repeat(1 / 6.0, 6), 0.15, 0.15, 0.15, 0.15, 0.15, 0.25]);
        theta = BatchEm.Run(model, rows, theta, Fits.Exact with { Tolerance = 1e-9 }).Parameters;
        (double[] densities, double[] filtered) = Fits.Scores(model, rows, theta, "state_probabilities");
        int[] path = new int[Throws];
        EStep eStep = model.Prepare(theta);
        eStep.TryMostLikelyPaths(rows, path, eStep.CreateWorkspace());
        double[,] emissions = new double[Throws, 2];
        double[] faces = theta[6..];
        for (int t = 0; t < Throws; t++)
            for (int k = 0; k < 2; k++) emissions[t, k] = faces[6 * k + (int)rows.Row(t)[0]];
        (double[,] smoothed, double logLikelihood) = ForwardBackward.Run(theta[..2], theta[2..6], emissions);

        double Wrong(Func<int, int> guess) => Enumerable.Range(0, Throws).Count(t => guess(t) != truth[t]) / (double)Throws;
        double byFilter = Wrong(t => filtered[2 * t + 1] > 0.5 ? 1 : 0), bySmoothing = Wrong(t => smoothed[t, 1] > 0.5 ? 1 : 0),
            byPath = Wrong(t => path[t]);
        double[] x = [.. Enumerable.Range(0, Shown).Select(t => (double)t)];
        return new Finding(
            bySmoothing <= byPath && byPath < byFilter && Math.Abs(densities.Sum() - logLikelihood) < 1e-8 * Throws,
            $"Of {Throws} throws filtering names the wrong die for {Fits.Text(100 * byFilter, "F1")} %, the most probable path for "
            + $"{Fits.Text(100 * byPath, "F1")} % and smoothing for {Fits.Text(100 * bySmoothing, "F1")} %. EM found a six with "
            + $"probability {Fits.Text(faces[11], "F2")} on the loaded die (true: 0.5) and {Fits.Text(faces[5], "F2")} on the fair one.",
            Figure.Of(
                new Chart($"The first {Shown} throws: probability of the loaded die", "throw", "probability")
                    .Line("filtered", x, [.. x.Select(t => filtered[2 * (int)t + 1])])
                    .Line("smoothed", x, [.. x.Select(t => smoothed[(int)t, 1])])
                    .Line("truth", x, [.. x.Select(t => truth[(int)t] == 1 ? 1.06 : -0.06)]),
                new Bars("Throws whose die is named wrongly", "share", ["filtered", "path", "smoothed"])
                    .Group("", [byFilter, byPath, bySmoothing])),
            "What is known of the die at each throw, and how often each way is wrong",
            new NumberTable(["way", "wrong"],
            [
                ["filtered", Fits.Text(byFilter, "F4")], ["most probable path", Fits.Text(byPath, "F4")],
                ["smoothed", Fits.Text(bySmoothing, "F4")],
            ]));
    }

    private (Minibatch Rows, int[] States) Draw()
    {
        var draws = new RandomDraws(Seed);
        var rows = new Minibatch(1, Throws);
        int[] states = new int[Throws];
        for (int t = 0, state = 0; t < Throws; t++)
        {
            if (t > 0) state = draws.Category(Transitions.AsSpan(2 * state, 2));
            states[t] = state;
            rows.Add([draws.Category(Faces.AsSpan(6 * state, 6))]);
        }
        return (rows, states);
    }
}
