using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Averaging maximisers against averaging statistics: the same for affine M-steps, else a bias by the minibatch's size.</summary>
internal sealed class TwoRecursions : Experiment
{
    private const int Rows = 60_000;

    private static readonly int[] Sizes = [10, 20, 50, 100, 200, 500];

    public override string Name => "two-recursions";

    public override string Title => "Averaging maximisers is not averaging statistics";

    public override string Claim =>
        "Theta(t) = (1 - gamma) Theta(t-1) + gamma argmax Q of the minibatch, and s(t) = (1 - gamma) s(t-1) + gamma s(minibatch) with "
        + "Theta = M(s), are two ways to write the same recursion.";

    public override string Source =>
        "So in many lecture notes. Cappé & Moulines 2009, section 2, define the second; Titterington 1984 the first for one observation.";

    public override Verdict Verdict => Verdict.HoldsInPart;

    public override string Setting =>
        $"{Rows} records of three Gaussians in the plane, the rarest of weight 0.2, one pass from the truth, gamma_t = (1 + t)^-0.6. "
        + "The trace of the rarest component's covariance, averaged over the second half of the iterates, against its true value. And "
        + "`poisson_mixture` with one component, whose M-step is affine in its statistics.";

    public override Finding Run()
    {
        Mixture model = Fits.Gaussians(3, 2, regCovar: 1e-9);
        Minibatch rows = Truth.Three.Draw(Rows, new RandomDraws(Seed));
        double[] theta = Fits.Theta(model, Truth.Three.Blocks);
        VectorBlock block = model.ParameterLayout["covariances"];
        double trace = theta[block.Offset + 8] + theta[block.Offset + 11];
        double[] literal = new double[Sizes.Length], statistics = new double[Sizes.Length];
        for (int at = 0; at < Sizes.Length; at++)
        {
            literal[at] = Bias(Recursion.Parameters, Sizes[at]);
            statistics[at] = Bias(Recursion.Statistics, Sizes[at]);
        }
        double[] expected = [.. Sizes.Select(size => -1 / (0.2 * size))], x = [.. Sizes.Select(size => (double)size)];
        double same = DifferenceWhereAffine();
        bool holds = same < 1e-12 && statistics.All(bias => Math.Abs(bias) < 0.03) && literal[0] < -0.4
            && Enumerable.Range(2, 4).All(at => Math.Abs(literal[at] - expected[at]) < 0.03);
        return new Finding(
            holds,
            "They are the same to 1e-12 where the M-step is affine in the statistics (one Poisson). For covariances they are not: with "
            + $"minibatches of {Sizes[0]} averaged maximisers are {Fits.Text(-100 * literal[0], "F0")} % too small, of 100 "
            + $"{Fits.Text(-100 * literal[3], "F1")} %, about 1 / (m weight) of the variance; averaged statistics are off by at most "
            + $"{Fits.Text(100 * statistics.Max(Math.Abs), "F1")} %.",
            Figure.Of(new Chart("Bias of the rarest component's covariance", "records of a minibatch, m", "trace found / true - 1")
            { IsLogAcross = true }.Line("argmax averaged", x, literal, dots: true).Line("statistics averaged", x, statistics, dots: true)
                .Line("-1 / (m weight)", x, expected, dashed: true).Level(0, "")),
            "What the two recursions find, by the size of the minibatches",
            new NumberTable(["m", "argmax averaged", "-1 / (m weight)", "statistics averaged"],
                [.. Sizes.Select((size, at) => (IReadOnlyList<string>)
                    [Fits.Text(size), Fits.Text(literal[at], "F3"), Fits.Text(expected[at], "F3"), Fits.Text(statistics[at], "F3")])]));

        double Bias(Recursion recursion, int size)
        {
            double sum = 0;
            int count = 0;
            Fits.Stream(model, rows, theta, size, 0.6, recursion, after: state =>
            {
                if (state.Rows <= Rows / 2) return;
                sum += state.Parameters[block.Offset + 8] + state.Parameters[block.Offset + 11];
                count++;
            });
            return sum / count / trace - 1;
        }
    }

    private double DifferenceWhereAffine()
    {
        var draws = new RandomDraws(Seed);
        Minibatch counts = Fits.Rows(Enumerable.Range(0, 2000).Select(_ => new[] { draws.Poisson(3), draws.Poisson(8) }));
        LatentModel poisson = Fits.Model("poisson_mixture", Core.Features.FeatureSpace.Unscaled(2), ("components", "1"), ("prior", "none"));
        double[] start = Fits.Theta(poisson, [1], [2, 2]);
        return Fits.Stream(poisson, counts, start, 10, 0.7, Recursion.Parameters)
            .Zip(Fits.Stream(poisson, counts, start, 10, 0.7), (a, b) => Math.Abs(a - b)).Max();
    }
}
