using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Lab.Yardsticks;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>A matrix with missing cells by one estimate of both sides, by EM, which integrates over the rows, and by sampling both.
/// </summary>
internal sealed class TwoFactorizations : Experiment
{
    private const int Rows = 100, Columns = 15, TrueFactors = 2, Sweeps = 300, Alternations = 100;
    private const double Noise = 0.25, Seen = 0.4;

    private static readonly int[] Factors = [1, 2, 3, 4, 5, 6];

    public override string Name => "two-factorizations";

    public override string Title => "Matrix factorisation by EM and by sampling";

    public override string Claim =>
        "Sampling the factors of rows and of columns predicts missing cells better than one estimate of both, and more factors than "
        + "there are do it no harm: it does not overfit.";

    public override string Source => "Salakhutdinov & Mnih 2008 (ICML), sections 3 and 4; the estimate: Salakhutdinov & Mnih 2007 (NIPS).";

    public override string Setting =>
        $"{Rows} rows of {Columns} cells, {TrueFactors} factors from N(0, 1), noise of variance {Fits.Text(Noise)}; each cell is seen "
        + $"with probability {Fits.Text(Seen)}. `matrix_factorization` on whole rows with `prior: none`, means held at 0 and the noise "
        + $"at the truth, batch EM; the sampler with the same noise and normal-Wishart priors, {Sweeps} sweeps; one estimate of both sides "
        + $"with N(0, 1) priors, {Alternations} rounds of least squares. Error: root mean square "
        + "over the cells not seen, of their values without noise. Inside: how many of these cells, with noise, are within 1.96 "
        + "standard deviations of what is predicted.";

    public override Finding Run()
    {
        (double[][] seen, double[][] truth, double[][] noisy) = Draw();
        int count = Factors.Length;
        double[] em = new double[count], emInside = new double[count], gibbs = new double[count], gibbsInside = new double[count],
            point = new double[count];
        for (int at = 0; at < count; at++)
        {
            (double[][] mean, double[][] variance) = ByEm(seen, Factors[at]);
            (em[at], emInside[at]) = Errors(seen, truth, noisy, mean, variance);
            (mean, variance) = new BayesianFactorization(seen, Factors[at], 1 / Noise).Predict(Sweeps, new RandomDraws(Seed + 2));
            foreach (double[] row in variance)
                for (int j = 0; j < row.Length; j++) row[j] += Noise;
            (gibbs[at], gibbsInside[at]) = Errors(seen, truth, noisy, mean, variance);
            double[][] estimate = PointFactorization.Predict(seen, Factors[at], Noise, Alternations, new RandomDraws(Seed + 3));
            point[at] = Errors(seen, truth, noisy, estimate, variance).Error;
        }
        int right = Array.IndexOf(Factors, TrueFactors), last = count - 1;
        double[] x = [.. Factors.Select(q => (double)q)];
        return new Finding(
            point[last] > 1.2 * gibbs[last] && em[last] < 1.1 * gibbs[last] && gibbs[last] < 1.1 * gibbs[right]
                && emInside.Skip(right).Concat(gibbsInside.Skip(right)).All(share => share > 0.94),
            $"With {TrueFactors} factors, as many as there are, the error of one estimate of both sides is "
            + $"{Fits.Text(point[right], "F3")}, EM's {Fits.Text(em[right], "F3")} and the sampler's {Fits.Text(gibbs[right], "F3")}; "
            + $"with {Factors[last]} they are {Fits.Text(point[last], "F3")}, {Fits.Text(em[last], "F3")} and "
            + $"{Fits.Text(gibbs[last], "F3")}. EM integrates over the rows' factors and has one estimate of the columns': of what "
            + "sampling gains that is nearly all, for each column has many more cells than a row. Of EM's 95 % intervals "
            + $"{Fits.Text(100 * emInside[last], "F1")} % hold their cell with {Factors[last]} factors, of the sampler's "
            + $"{Fits.Text(100 * gibbsInside[last], "F1")} %.",
            Figure.Of(
                new Chart("Error of cells not seen", "factors q", "root mean square") { MustShowUp = [0] }
                    .Line("matrix_factorization", x, em, dots: true).Line("sampler", x, gibbs, dots: true)
                    .Line("one estimate of both", x, point, dots: true),
                new Chart("Cells inside of 95 % intervals", "factors q", "share") { MustShowUp = [1] }
                    .Line("matrix_factorization", x, emInside, dots: true).Line("sampler", x, gibbsInside, dots: true)
                    .Level(0.95, "0.95")),
            "Error and intervals by the number of factors; there are two",
            new NumberTable(["factors", "error, both estimated", "error, EM", "error, sampler", "inside, EM", "inside, sampler"],
                [.. Factors.Select((q, at) => (IReadOnlyList<string>)
                    [$"{q}", Fits.Text(point[at], "F3"), Fits.Text(em[at], "F3"), Fits.Text(gibbs[at], "F3"), Fits.Text(emInside[at], "F3"),
                    Fits.Text(gibbsInside[at], "F3")])]));
    }

    private (double[][] Seen, double[][] Truth, double[][] Noisy) Draw()
    {
        var draws = new RandomDraws(Seed);
        double[][] rows = Normals(Rows, draws), columns = Normals(Columns, draws);
        double[][] truth = [.. rows.Select(u => columns.Select(v => u.Zip(v, (a, b) => a * b).Sum()).ToArray())];
        double[][] noisy = [.. truth.Select(row => row.Select(value => value + Math.Sqrt(Noise) * draws.Normal()).ToArray())];
        double[][] seen = [.. noisy.Select(row => row.Select(value => draws.Uniform() < Seen ? value : double.NaN).ToArray())];
        return (seen, truth, noisy);
    }

    private static double[][] Normals(int count, RandomDraws draws) =>
        [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, TrueFactors).Select(_ => draws.Normal()).ToArray())];

    private (double[][] Mean, double[][] Variance) ByEm(double[][] seen, int factors)
    {
        var draws = new RandomDraws(Seed + 1);
        LatentModel model = Fits.Model("matrix_factorization", FeatureSpace.Unscaled(Columns), ("factors", $"{factors}"),
            ("prior", "none"), ("fixed", "[\"means\",\"noise_variance\"]"));
        Minibatch rows = Fits.Rows(seen);
        double[] start = Fits.Theta(model, new double[Columns],
            [.. Enumerable.Range(0, Columns * factors).Select(_ => draws.Normal())], [Noise]);
        double[] theta = BatchEm.Run(model, rows, start, Fits.Exact with { Tolerance = 1e-9, MaxIterations = 2000 }).Parameters;
        return (Of("reconstruction"), Of("reconstruction_variance"));

        double[][] Of(string block) => [.. Fits.Scores(model, rows, theta, block).Block.Chunk(Columns)];
    }

    private static (double Error, double Inside) Errors(
        double[][] seen, double[][] truth, double[][] noisy, double[][] mean, double[][] variance)
    {
        double square = 0, inside = 0, count = 0;
        for (int i = 0; i < seen.Length; i++)
        {
            for (int j = 0; j < Columns; j++)
            {
                if (!double.IsNaN(seen[i][j])) continue;
                square += (mean[i][j] - truth[i][j]) * (mean[i][j] - truth[i][j]);
                if (Math.Abs(noisy[i][j] - mean[i][j]) < 1.96 * Math.Sqrt(variance[i][j])) inside++;
                count++;
            }
        }
        return (Math.Sqrt(square / count), inside / count);
    }
}
