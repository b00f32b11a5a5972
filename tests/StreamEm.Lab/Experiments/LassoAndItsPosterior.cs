using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Lab.Yardsticks;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>The LASSO by EM, and the posterior whose mode it is by Gibbs sampling.</summary>
internal sealed class LassoAndItsPosterior : Experiment
{
    private const int Rows = 60, Sweeps = 2000;

    private static readonly double[] Truth = [3, -2, 1.5, 0.5, 0, 0, 0, 0];
    private static readonly double[] Penalties = [1, 2, 4, 8, 16, 32, 64, 128];

    public override string Name => "lasso-posterior";

    public override string Title => "The LASSO and the posterior it is the mode of";

    public override string Claim =>
        "The LASSO's estimate is the mode of a posterior with Laplace priors. A Gibbs sampler of that posterior has medians near it, "
        + "but no coefficient is exactly 0; in exchange it says how sure it is.";

    public override string Source => "Park & Casella 2008 (JASA 103), sections 1, 2 and 5; Figueiredo 2003 (PAMI 25).";

    public override string Setting =>
        $"{Rows} records of 8 features with correlation 0.5 between neighbours, w = (3, -2, 1.5, 0.5, 0, 0, 0, 0), noise of variance 1 "
        + "that is held. `sparse_regression` without intercept, batch EM, at 8 penalties; the sampler of normals whose variances are "
        + $"exponential, {Sweeps} sweeps at each.";

    public override Finding Run()
    {
        Minibatch rows = LassoPath.Draw(Rows, Truth, Seed);
        var sampler = new BayesianLasso(rows);
        double[][] modes = new double[Penalties.Length][], medians = new double[Penalties.Length][], low = new double[Penalties.Length][],
            high = new double[Penalties.Length][];
        int above = 0, zeros = 0, sampledZeros = 0;
        double far = 0;
        for (int at = 0; at < Penalties.Length; at++)
        {
            double[] mode = modes[at] = LassoPath.Fit(rows, Penalties[at], [.. Truth.Select(_ => 0.1)], iterations: 40);
            double[][] draws = sampler.Draw(Penalties[at], Sweeps, new RandomDraws(Seed + 1));
            double highest = sampler.LogPosterior(mode, Penalties[at]);
            above += draws.Count(draw => sampler.LogPosterior(draw, Penalties[at]) > highest);
            zeros += mode.Count(value => value == 0);
            sampledZeros += draws.Sum(draw => draw.Count(value => value == 0));
            (low[at], medians[at], high[at]) = (Quantile(draws, 0.025), Quantile(draws, 0.5), Quantile(draws, 0.975));
            // In the posterior's own spread: a quarter of the width of the interval is a standard deviation.
            for (int j = 0; j < Truth.Length; j++)
                far = Math.Max(far, Math.Abs(mode[j] - medians[at][j]) * 4 / (high[at][j] - low[at][j]));
        }
        int shown = Array.IndexOf(Penalties, 8);
        int unsure = Enumerable.Range(4, 4).Count(j => low[shown][j] < 0 && high[shown][j] > 0);
        int sure = Enumerable.Range(0, 3).Count(j => low[shown][j] > 0 || high[shown][j] < 0);
        return new Finding(
            above == 0 && zeros > 0 && sampledZeros == 0 && far < 1 && unsure == 4 && sure == 3,
            $"None of the {Penalties.Length * Sweeps} draws has a higher posterior than EM's estimate at its penalty. The medians are "
            + $"within {Fits.Text(far, "F2")} standard deviations of it. {zeros} of EM's {Penalties.Length * Truth.Length} coefficients "
            + $"are exactly 0, of the draws none. At a penalty of {Fits.Text(Penalties[shown])} the 95 % intervals of the four "
            + "coefficients without an effect hold 0, those of the three large ones do not.",
            Figure.Of(Path("EM: the mode", modes), Path("Gibbs: the median", medians), OfOne(shown, modes, low, high)),
            "Every coefficient along the penalty, by EM and by sampling; and how sure the sampler is at one penalty",
            new NumberTable(["coefficient", "truth", "EM", "median", "2.5 %", "97.5 %"],
                [.. Truth.Select((truth, j) => (IReadOnlyList<string>)
                    [$"w{j + 1}", Fits.Text(truth), Fits.Text(modes[shown][j], "F3"), Fits.Text(medians[shown][j], "F3"),
                    Fits.Text(low[shown][j], "F3"), Fits.Text(high[shown][j], "F3")])]));
    }

    private static double[] Quantile(double[][] draws, double part) =>
    [
        .. Truth.Select((_, j) => MathNet.Numerics.Statistics.SortedArrayStatistics.Quantile(
            [.. draws.Select(draw => draw[j]).Order()], part)),
    ];

    private static Chart Path(string title, double[][] path)
    {
        Chart chart = new(title, "penalty", "coefficient") { IsLogAcross = true, MustShowUp = [-2.5, 3.5] };
        for (int j = 0; j < Truth.Length; j++) chart.Line($"w{j + 1}", Penalties, [.. path.Select(w => w[j])]);
        return chart;
    }

    private static Chart OfOne(int at, double[][] modes, double[][] low, double[][] high)
    {
        var chart = new Chart($"Penalty {Fits.Text(Penalties[at])}: 95 % intervals", "coefficient", "value");
        double[] places = [.. Truth.Select((_, j) => j + 1.0)];
        chart.Points("EM", places, modes[at], 3.5).Points("truth", places, Truth, 2.2);
        for (int j = 0; j < Truth.Length; j++)
            chart.Line(j == 0 ? "interval" : "", [places[j], places[j]], [low[at][j], high[at][j]], like: 2);
        return chart.Level(0, "");
    }
}
