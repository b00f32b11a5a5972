using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Lab.Yardsticks;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Missing values: EM's conditional covariance kept and dropped.</summary>
internal sealed class DroppedVariance : Experiment
{
    private const int Rows = 6000;

    private static readonly double[] Shares = [0, 0.1, 0.2, 0.3, 0.4, 0.5];

    public override string Name => "missing-values";

    public override string Title => "Missing values are not filled in";

    public override string Claim =>
        "EM with missing values fills each gap with its conditional mean given what is seen, and estimates as if the data were complete.";

    public override string Source =>
        "So in many summaries. Right: Dempster, Laird & Rubin 1977, section 4.1; Little & Rubin 2002, section 11.2.1, add the "
        + "conditional covariance.";

    public override Verdict Verdict => Verdict.DoesNotHold;

    public override string Setting =>
        $"{Rows} records of a Gaussian in three dimensions with unit variances and correlations 0.6, 0.3 and 0.4; each value is missing "
        + "with the same probability. `gaussian_mixture` with one component, batch EM to its end; conditional means alone, iterated 60 "
        + "times; and gaps filled with the mean of their feature. Errors are of the covariance, Frobenius norm relative to the truth's.";

    public override Finding Run()
    {
        double[] correlations = [1, 0.6, 0.3, 0.6, 1, 0.4, 0.3, 0.4, 1];
        Matrix<double> truth = Matrix<double>.Build.Dense(3, 3, correlations), factor = truth.Cholesky().Factor;
        Minibatch complete = new Truth([1], [[0, 0, 0]], [[.. factor.ToRowMajorArray()]]).Draw(Rows, new RandomDraws(Seed));
        Mixture model = Fits.Gaussians(1, 3, regCovar: 0);
        double[] exact = new double[Shares.Length], dropped = new double[Shares.Length], means = new double[Shares.Length],
            variances = new double[Shares.Length];
        for (int at = 0; at < Shares.Length; at++)
        {
            Minibatch rows = Holes(complete, Shares[at], new RandomDraws(Seed + 1));
            double[] fit = BatchEm.Run(model, rows, Fits.Theta(model, [1], [0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0, 1]), Fits.Exact).Parameters;
            Matrix<double> found = Matrix<double>.Build.Dense(3, 3, Fits.Block(model, fit, "covariances")),
                without = CoarseImputation.ConditionalMeans(rows, 60);
            exact[at] = Error(found);
            dropped[at] = Error(without);
            means[at] = Error(CoarseImputation.Means(rows));
            variances[at] = without.Trace() / 3;
        }
        bool holds = exact.Max() < 0.05 && dropped[3] > 0.1 && dropped[^1] > dropped[3] && means[^1] > 0.3;
        return new Finding(
            holds,
            $"With 30 % missing, conditional means alone are {Fits.Text(100 * dropped[3], "F0")} % off - variances come out at "
            + $"{Fits.Text(variances[3], "F2")} in place of 1 - and filling in feature means {Fits.Text(100 * means[3], "F0")} %; EM, "
            + $"which adds the conditional covariance of what is missing, is {Fits.Text(100 * exact[3], "F1")} % off, and "
            + $"{Fits.Text(100 * exact[^1], "F1")} % with half of everything missing.",
            Figure.Of(new Chart("Error of the covariance", "share of missing values", "relative error")
                .Line("EM", Shares, exact, dots: true).Line("conditional means alone", Shares, dropped, dots: true)
                .Line("feature means", Shares, means, dots: true)),
            "Relative error of the covariance by the share of missing values",
            new NumberTable(["missing", "EM", "conditional means alone", "feature means"],
                [.. Shares.Select((share, at) => (IReadOnlyList<string>)
                    [Fits.Text(share), Fits.Text(exact[at], "F3"), Fits.Text(dropped[at], "F3"), Fits.Text(means[at], "F3")])]));

        double Error(Matrix<double> covariance) => (covariance - truth).FrobeniusNorm() / truth.FrobeniusNorm();
    }

    private static Minibatch Holes(Minibatch rows, double share, RandomDraws draws)
    {
        var result = new Minibatch(rows.Dimension, rows.Count);
        for (int row = 0; row < rows.Count; row++)
        {
            double[] values = [.. rows.Row(row).ToArray().Select(value => draws.Uniform() < share ? double.NaN : value)];
            if (values.Any(value => !double.IsNaN(value))) result.Add(values);
        }
        return result;
    }
}
