using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Bad starts, with and without tempered responsibilities.</summary>
internal sealed class Annealing : Experiment
{
    private const int Starts = 100, Rows = 10_000, Size = 20, Batch = 600;
    private const double Updates = 250, Enough = 0.05, Growth = 1.2;

    private static readonly double[] Temperatures = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1];

    public override string Name => "annealing";

    public override string Title => "Annealing against bad starts";

    public override string Claim =>
        "With responsibilities in proportion to p(z, x)^beta, beta rising to 1, EM does not depend on where it starts: it avoids poor "
        + "maxima.";

    public override string Source => "Ueda & Nakano 1998 (Neural Networks 11).";

    public override Verdict Verdict => Verdict.HoldsInPart;

    public override bool IsLong => true;

    public override string Setting =>
        $"Three spheres of standard deviation 1 at (0, 0), (7, 0) and (3, 6). {Starts} bad starts: two means in one cluster, the third "
        + $"between the other two, each moved by N(0, 0.3^2). All at once: batch EM on {Batch} records, beta times {Fits.Text(Growth)} "
        + "after every 10 iterations until it is 1, then to the end; with the covariances held at the truth's (`fixed: [covariances]`) "
        + $"and with them learned. From a stream: held, one pass over {Rows} records in minibatches of {Size}, gamma_t = (1 + t)^-0.6, "
        + $"`responsibilities: {{annealed: {{start: beta, updates: {Fits.Text(Updates)}}}}}`. Reached: within {Fits.Text(Enough)} nats "
        + "a record of the truth's log-likelihood on other records.";

    public override Finding Run()
    {
        var truth = Truth.Spheres([[0, 0], [7, 0], [3, 6]]);
        Mixture model = Fits.Gaussians(3, 2, regCovar: 1e-6), held = Fits.Gaussians(3, 2);
        held.Hold(new BlockNames(["covariances"]));
        Minibatch rows = truth.Draw(Rows, new RandomDraws(Seed)), others = truth.Draw(2000, new RandomDraws(Seed + 1));
        double best = Fits.LogLikelihood(model, others, Fits.Theta(model, truth.Blocks));
        double[] reached = new double[Temperatures.Length], learned = new double[Temperatures.Length],
            streamed = new double[Temperatures.Length];
        var some = new Minibatch(2, Batch);
        some.Append(rows, 0, Batch);
        double[]? plainEnd = null, annealedEnd = null;
        for (int start = 0; start < Starts; start++)
        {
            double[] theta = Bad(model, new RandomDraws(Seed + 100 + (ulong)start), start % 3, truth);
            for (int at = 0; at < Temperatures.Length; at++)
            {
                double beta = Temperatures[at];
                double[] end = Annealed(held, some, theta, beta);
                ResponsibilityRule rule = beta < 1 ? new AnnealedResponsibilities(beta, Updates) : SoftResponsibilities.Instance;
                bool isReached = Fits.LogLikelihood(model, others, end) > best - Enough;
                if (isReached) reached[at] += 1.0 / Starts;
                if (Fits.LogLikelihood(model, others, Annealed(model, some, theta, beta)) > best - Enough) learned[at] += 1.0 / Starts;
                if (Fits.LogLikelihood(model, others, Fits.Stream(held, rows, theta, Size, 0.6, rule: rule)) > best - Enough)
                    streamed[at] += 1.0 / Starts;
                if (!isReached && beta == 1) plainEnd ??= Fits.Block(model, end, "means");
                if (isReached && beta < 0.3) annealedEnd ??= Fits.Block(model, end, "means");
            }
        }
        double most = reached[..^1].Max(), mostStreamed = streamed[..^1].Max();
        string First(double[] shares, double share) => Fits.Text(Temperatures[Array.IndexOf(shares, share)]);
        return new Finding(
            most > 0.8 && most >= reached[^1] + 0.5 && learned.Max() < 0.5,
            $"Of {Starts} bad starts {Fits.Text(100 * reached[^1], "F0")} % end well without annealing. With the covariances held "
            + $"{Fits.Text(100 * most, "F0")} % do with beta from {First(reached, most)} ({Fits.Text(100 * mostStreamed, "F0")} % from "
            + $"a stream, beta from {First(streamed, mostStreamed)}); with covariances learned at most "
            + $"{Fits.Text(100 * learned.Max(), "F0")} %: the components that a low beta has brought together all have the covariance "
            + "of the data, under which their means do not part again before beta is 1.",
            Figure.Of(
                new Chart("Bad starts that end well", "beta of the first update; 1 is plain EM",
                    "share of the starts")
                { MustShowUp = [0, 1] }
                    .Line("covariances held", Temperatures, reached, dots: true).Line("learned", Temperatures, learned, dots: true)
                    .Line("held, from a stream", Temperatures, streamed, dots: true),
                Places(others, plainEnd, annealedEnd)),
            "Success by the first temperature, and where the means of one bad start end",
            new NumberTable(["first beta", "covariances held", "learned", "held, from a stream"],
                [.. Temperatures.Select(
                    (beta, k) => (IReadOnlyList<string>)[Fits.Text(beta), Fits.Text(reached[k], "F2"), Fits.Text(learned[k], "F2"),
                    Fits.Text(streamed[k], "F2")])]));
    }

    /// <summary>Batch EM at rising temperatures, ten iterations at each, then without to its end.</summary>
    private static double[] Annealed(Mixture model, Minibatch rows, double[] theta, double first)
    {
        double[] next = new double[theta.Length];
        for (double beta = first; beta < 1; beta *= Growth)
        {
            var data = new WholeData(model, rows, 1, new Pass(null, 1) { Rule = new AnnealedResponsibilities(beta, double.MaxValue) });
            for (int iteration = 0; iteration < 10; iteration++)
            {
                data.Expect(theta);
                data.Maximize(data.Averages, theta, next);
                theta = [.. next];
            }
        }
        return BatchEm.Run(model, rows, theta, Fits.Exact with { Tolerance = 1e-7, MaxIterations = 300 }).Parameters;
    }

    private static double[] Bad(Mixture model, RandomDraws draws, int twice, Truth truth)
    {
        double[] one = truth.Means[twice], second = truth.Means[(twice + 1) % 3], third = truth.Means[(twice + 2) % 3];
        double[] means = [.. one, .. one, (second[0] + third[0]) / 2, (second[1] + third[1]) / 2];
        return Fits.Theta(
            model, [1 / 3.0, 1 / 3.0, 1 / 3.0], [.. means.Select(value => value + 0.3 * draws.Normal())],
            [1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
    }

    private static Chart Places(Minibatch rows, double[]? plain, double[]? annealed)
    {
        int shown = 300;
        Chart chart = new Chart("Where the means of a bad start end", "x", "y").Points("records",
            [.. Enumerable.Range(0, shown).Select(n => rows.Row(n)[0])], [.. Enumerable.Range(0, shown).Select(n => rows.Row(n)[1])], 1.4);
        if (plain is not null) chart.Points("plain", [plain[0], plain[2], plain[4]], [plain[1], plain[3], plain[5]], 6);
        if (annealed is not null)
            chart.Points("annealed", [annealed[0], annealed[2], annealed[4]], [annealed[1], annealed[3], annealed[5]], 6);
        return chart;
    }
}
