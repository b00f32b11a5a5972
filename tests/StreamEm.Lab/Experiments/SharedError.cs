using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>An election whose outcome looks certain as long as the states' errors are independent.</summary>
internal sealed class SharedError : Experiment
{
    private const int States = 50, Elections = 20_000;
    private const double PollError = 3, Lead = 0.8, Spread = 9;

    private static readonly double[] Shared = [0, 1, 2, 3, 4];

    public override string Name => "shared-error";

    public override string Title => "The election that was certain";

    public override string Claim =>
        "A forecast that takes the polls' errors of the states for independent is far too sure: the same errors, partly shared, leave "
        + "the same favourite a much smaller chance.";

    public override string Source =>
        "Gelman, Hullman, Wlezien & Morris 2020 (Judgment and Decision Making 15), on the forecasts of 2016 and 2020.";

    public override string Setting =>
        $"{States} states with 3 to 55 votes; leads drawn from N({Lead}, {Spread}^2), polled with an error of {PollError} points, and "
        + $"shrunk by `hierarchical_normal` (batch EM). Then {Elections} elections: each state's lead from N(shrunken estimate, its "
        + "variance + 4^2), where of the 4^2 a part is an error that all states share. The variance of every single state is the same "
        + "in all of them.";

    public override Finding Run()
    {
        var draws = new RandomDraws(Seed);
        double[] votes = [.. Enumerable.Range(0, States).Select(_ => 3 + Math.Floor(52 * Math.Pow(draws.Uniform(), 3)))];
        Minibatch polls = Fits.Rows(Enumerable.Range(0, States)
            .Select(_ => new[] { Lead + Spread * draws.Normal() + PollError * draws.Normal(), PollError }));
        LatentModel model = Fits.Model("hierarchical_normal", FeatureSpace.Unscaled(["lead", "error"]));
        double[] theta = Core.Estimation.BatchEm.Run(model, polls, Fits.Theta(model, [0], [50]), Fits.Exact).Parameters;
        double[] means = Fits.Scores(model, polls, theta, "shrunken_estimate").Block,
            variances = Fits.Scores(model, polls, theta, "shrunken_variance").Block;

        double[][] margins = [.. Shared.Select(shared => Simulate(shared, votes, means, variances))];
        double[] wins = [.. margins.Select(margin => margin.Count(votesAhead => votesAhead > 0) / (double)Elections)];
        double[] edges = Fits.Grid(-600, 600, 41);
        Chart histogram = new("Electoral votes ahead", "votes ahead", "share of the elections");
        foreach (int at in (int[])[0, 2, 4])
            histogram.Line($"shared {Fits.Text(Shared[at])}", edges,
                [.. edges.Select(edge => margins[at].Count(margin => Math.Abs(margin - edge) <= 15) / (double)Elections)]);
        return new Finding(
            wins[0] > 0.85 && wins[3] < wins[0] - 0.1 && Enumerable.Range(1, Shared.Length - 1).All(at => wins[at] <= wins[at - 1] + 0.01),
            $"With independent errors the favourite wins {Fits.Text(100 * wins[0], "F0")} % of the elections, with "
            + $"{Fits.Text(Shared[2])} points of the error shared {Fits.Text(100 * wins[2], "F0")} %, with {Fits.Text(Shared[3])} "
            + $"points {Fits.Text(100 * wins[3], "F0")} %, though no single state is less certain. The shares are of this draw of "
            + "states.",
            Figure.Of(
                new Chart("The favourite's chance", "shared error, points", "share of elections won") { MustShowUp = [0.5, 1] }
                    .Line("", Shared, wins, dots: true),
                histogram),
            "The same variances, more and more of them shared",
            new NumberTable(["shared error, points", "elections won"],
                [.. Shared.Select((shared, at) => (IReadOnlyList<string>)[Fits.Text(shared), Fits.Text(wins[at], "F3")])]));
    }

    private double[] Simulate(double shared, double[] votes, double[] means, double[] variances)
    {
        var draws = new RandomDraws(Seed + 17);
        double[] margins = new double[Elections];
        double most = Shared[^1] * Shared[^1];
        for (int election = 0; election < Elections; election++)
        {
            double common = shared * draws.Normal();
            for (int state = 0; state < States; state++)
            {
                double own = Math.Sqrt(variances[state] + most - shared * shared);
                margins[election] += Math.Sign(means[state] + common + own * draws.Normal()) * votes[state];
            }
        }
        return margins;
    }
}
