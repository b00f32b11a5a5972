using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>A hidden node in place of arrows between everything.</summary>
internal sealed class HiddenNode : Experiment
{
    private const int Held = 5000, Sets = 10;

    private static readonly int[] Sizes = [30, 100, 300, 1000, 3000, 10_000];
    private static readonly string[] Causes = ["a", "b", "c"], Signs = ["d", "e", "f"];

    public override string Name => "hidden-node";

    public override string Title => "A hidden node saves parameters";

    public override string Claim =>
        "Three causes and three signs with a hidden node between them have 17 parameters; without it, with arrows between all that "
        + "depend on each other, 59. So the hidden node needs fewer records.";

    public override string Source => "Murphy 2012, figure 11.1, after Friedman 1997.";

    public override string Setting =>
        "Binary a, b, c; a hidden h with parents a, b, c; d, e, f with parent h. `bayesian_network` with that hidden node, batch EM "
        + "from tables a little off even; and without it, each sign with all causes and the signs before it as parents, by counting (no "
        + $"prior but 1 imaginary record in both). Learned from 30 to 10 000 records, {Sets} sets each; log-likelihood of {Held} other "
        + "records, below the truth's.";

    public override Finding Run()
    {
        string children = string.Join(", ", Signs.Select(sign => $"\"{sign}\": {{\"parents\": [\"h\"]}}"));
        string all = string.Join(", ", Signs.Select((sign, at) =>
            $"\"{sign}\": {{\"parents\": [{string.Join(", ", Causes.Concat(Signs[..at]).Select(name => $"\"{name}\""))}]}}"));
        LatentModel hidden = Network($"{{\"h\": {{\"levels\": 2, \"parents\": [\"a\", \"b\", \"c\"]}}, {children}}}"),
            full = Network($"{{{all}}}");
        double[] truth = Truth(hidden), few = new double[Sizes.Length], many = new double[Sizes.Length];
        Minibatch others = Draw(Held, new RandomDraws(Seed + 99));
        double best = Fits.LogLikelihood(hidden, others, truth);
        for (int at = 0; at < Sizes.Length; at++)
            for (int set = 0; set < Sets; set++)
            {
                Minibatch rows = Draw(Sizes[at], new RandomDraws(Seed + (ulong)(100 * at + set)));
                few[at] += (best - Fits.LogLikelihood(hidden, others, Fit(hidden, rows, new RandomDraws(Seed + (ulong)set)))) / Sets;
                many[at] += (best - Fits.LogLikelihood(full, others, Fit(full, rows, new RandomDraws(Seed)))) / Sets;
            }
        double[] x = [.. Sizes.Select(size => (double)size)];
        return new Finding(
            hidden.FreeParameters == 17 && full.FreeParameters == 59 && few[1] < many[1] / 1.5 && few[3] < many[3] / 1.5,
            $"The engine counts {hidden.FreeParameters} and {full.FreeParameters} free parameters. From {Sizes[1]} records the network "
            + $"with the hidden node is {Fits.Text(few[1], "F3")} nats a record below the truth, the one without "
            + $"{Fits.Text(many[1], "F3")}; from {Sizes[3]} {Fits.Text(few[3], "F4")} and {Fits.Text(many[3], "F4")}.",
            Figure.Of(new Chart("Nats a record below the truth, other records", "records learned from", "nats")
            { IsLogAcross = true, IsLogUp = true }.Line("hidden node, 17 parameters", x, few, dots: true)
                .Line("no hidden node, 59", x, many, dots: true)),
            "What is lost by the number of records, with and without the hidden node",
            new NumberTable(["records", "hidden node", "without"],
                [.. Sizes.Select((size, at) => (IReadOnlyList<string>)[$"{size}", Fits.Text(few[at], "F4"), Fits.Text(many[at], "F4")])]));
    }

    private static LatentModel Network(string nodes) =>
        Fits.OfLevels("bayesian_network", [.. Causes, .. Signs], ["0", "1"], ("nodes", nodes), ("equivalent_sample_size", "1"),
            ("max_levels", "2"));

    /// <summary>Tables by the names of their blocks: causes at 0.5, h mostly where two causes are, signs mostly where h is.</summary>
    private static double[] Truth(LatentModel model)
    {
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        foreach (Core.Vectors.VectorBlock block in model.ParameterLayout.Blocks)
        {
            string node = block.Name.Split('.')[^1];
            Span<double> table = block.Of(theta.AsSpan());
            for (int at = 0; at < table.Length; at += 2)
            {
                double one = Causes.Contains(node) ? 0.5 : node == "h" ? OfHidden(at / 2) : OfSign(node, at / 2);
                (table[at], table[at + 1]) = (1 - one, one);
            }
        }
        return theta;
    }

    private static double OfHidden(int causes) =>
        System.Numerics.BitOperations.PopCount((uint)causes) switch { 0 => 0.05, 1 => 0.25, 2 => 0.75, _ => 0.95 };

    private static double OfSign(string sign, int hidden) => (sign, hidden) switch
    {
        ("d", 0) => 0.1,
        ("d", _) => 0.8,
        ("e", 0) => 0.2,
        ("e", _) => 0.9,
        (_, 0) => 0.7,
        _ => 0.15,
    };

    private static Minibatch Draw(int count, RandomDraws draws) => Fits.Rows(Enumerable.Range(0, count).Select(_ =>
    {
        double[] row = new double[6];
        int causes = 0;
        for (int at = 0; at < 3; at++) causes = 2 * causes + (int)(row[at] = draws.Uniform() < 0.5 ? 1 : 0);
        int h = draws.Uniform() < OfHidden(causes) ? 1 : 0;
        for (int at = 0; at < 3; at++) row[3 + at] = draws.Uniform() < OfSign(Signs[at], h) ? 1 : 0;
        return row;
    }));

    private static double[] Fit(LatentModel model, Minibatch rows, RandomDraws draws)
    {
        double[] theta = Truth(model);
        for (int at = 0; at < theta.Length; at += 2)
        {
            double one = 0.3 + 0.4 * draws.Uniform();
            (theta[at], theta[at + 1]) = (1 - one, one);
        }
        return BatchEm.Run(model, rows, theta, Fits.Exact with { Tolerance = 1e-7, MaxIterations = 500 }).Parameters;
    }
}
