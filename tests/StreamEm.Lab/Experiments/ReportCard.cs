using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Lab.Charts;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Stepwise EM on a grid of kappa and minibatch size.</summary>
internal sealed class ReportCard : Experiment
{
    private const int Rows = 20_000, Sets = 5;

    private static readonly double[] Kappas = [0.55, 0.6, 0.7, 0.8, 0.9, 1];
    private static readonly int[] Sizes = [1, 5, 20, 100, 500, 2000];

    public override string Name => "report-card";

    public override string Title => "Report card of stepwise EM by kappa and minibatch";

    public override string Claim =>
        "The smaller the exponent of the step size, the faster a bad start is forgotten and the less stable the updates are; larger "
        + "minibatches make them stable, and too large ones make too few of them.";

    public override string Source => "Liang & Klein 2009, section 3 and the grid of section 5.";

    public override string Setting =>
        $"{Sets} streams of {Rows} records of three Gaussians in the plane, one pass each, from means half-way to the origin and moved "
        + "by U(-0.5, 0.5); gamma_t = (1 + t)^-kappa. Cells: nats a record below the truth's log-likelihood, on 4000 other records, "
        + "averaged over the streams.";

    public override Finding Run()
    {
        Mixture model = Fits.Gaussians(3, 2, regCovar: 1e-6);
        double[,] lost = new double[Kappas.Length, Sizes.Length];
        Minibatch others = Truth.Three.Draw(4000, new RandomDraws(Seed + 7));
        double best = Fits.LogLikelihood(model, others, Fits.Theta(model, Truth.Three.Blocks));
        for (int set = 0; set < Sets; set++)
        {
            var draws = new RandomDraws(Seed + 100 * (ulong)set);
            Minibatch rows = Truth.Three.Draw(Rows, draws);
            double[] start = Fits.Theta(
                model, [1 / 3.0, 1 / 3.0, 1 / 3.0],
                [.. Truth.Three.Means.SelectMany(mean => mean).Select(x => x / 2 + draws.Uniform() - 0.5)],
                [1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
            for (int row = 0; row < Kappas.Length; row++)
                for (int column = 0; column < Sizes.Length; column++)
                    lost[row, column] += (best
                        - Fits.LogLikelihood(model, others, Fits.Stream(model, rows, start, Sizes[column], Kappas[row]))) / Sets;
        }
        double least = lost.Cast<double>().Min();
        (int Row, int Column) at = (from row in Enumerable.Range(0, Kappas.Length)
                                    from column in Enumerable.Range(0, Sizes.Length)
                                    where lost[row, column] == least
                                    select (row, column)).First();
        string[] kappas = [.. Kappas.Select(kappa => $"kappa {Fits.Text(kappa)}")], sizes = [.. Sizes.Select(size => $"{size}")];
        bool holds = Enumerable.Range(0, Sizes.Length).All(column => column < 3 || lost[5, column] > lost[1, column])
            && lost[0, 5] > lost[0, 3] && lost[1, 0] > lost[1, 3];
        return new Finding(
            holds,
            $"The best cell is kappa = {Fits.Text(Kappas[at.Row])} with minibatches of {Sizes[at.Column]}, {Fits.Text(least, "F4")} "
            + $"nats below the truth. kappa = 1 never makes up for its start ({Fits.Text(lost[5, 3], "F3")} with minibatches of 100, "
            + $"where 0.6 has {Fits.Text(lost[1, 3], "F4")}); single records with 0.6 stay at {Fits.Text(lost[1, 0], "F3")}, and ten "
            + $"updates of 2000 do not suffice ({Fits.Text(lost[1, 5], "F3")}).",
            Figure.Of(
                new HeatMap("Nats a record below the truth after one pass", kappas, sizes, lost) { Caption = "records of a minibatch" }),
            "Nats lost by exponent and minibatch, the darker the more",
            new NumberTable(["", .. Sizes.Select(size => $"m = {size}")],
                [.. kappas.Select((name, row) => (IReadOnlyList<string>)
                    [name, .. Sizes.Select((_, column) => Fits.Text(lost[row, column], "F4"))])]));
    }
}
