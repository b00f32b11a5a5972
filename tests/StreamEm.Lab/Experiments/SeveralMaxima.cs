using StreamEm.Core;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Initialization;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>How many starts reach the best maximum, by the number of components and by the way to start.</summary>
internal sealed class SeveralMaxima : Experiment
{
    private const int Starts = 60, RowsOfOne = 60;
    private const double Enough = 0.02;

    private static readonly int[] Counts = [2, 3, 4, 6, 8, 10];

    public override string Name => "starts";

    public override string Title => "How many starts reach the best maximum";

    public override string Claim =>
        "EM from random starts ends in a poor local maximum with a probability that goes to 1 as the number of components grows; "
        + "k-means++ reaches the best one more often.";

    public override string Source =>
        "Jin, Zhang, Balakrishnan, Wainwright & Jordan 2016 (NeurIPS), theorem 2; Arthur & Vassilvitskii 2007.";

    public override string Setting =>
        $"K spheres of standard deviation 1 on a square grid with distance 6, {RowsOfOne} records each. {Starts} starts of each kind: "
        + "the means at K records drawn evenly, by the engine's k-means++, and by farthest point; equal weights, the variance of the "
        + $"data over K. Batch EM to its end, `spherical`. Reached: within {Fits.Text(Enough)} nats a record of the best log-likelihood "
        + "of all, the start at the truth included.";

    public override Finding Run()
    {
        InitializationMethod[] methods =
            [InitializationMethod.RandomFromData, InitializationMethod.KMeansPlusPlus, InitializationMethod.FarthestPoint];
        double[][] reached = [.. methods.Select(_ => new double[Counts.Length])];
        for (int at = 0; at < Counts.Length; at++)
        {
            int k = Counts[at], side = (int)Math.Ceiling(Math.Sqrt(k));
            var truth = Truth.Spheres([.. Enumerable.Range(0, k).Select(i => new[] { 6.0 * (i % side), 6.0 * (i / side) })]);
            Minibatch rows = truth.Draw(k * RowsOfOne, new RandomDraws(Seed + (ulong)k));
            Mixture model = Fits.Gaussians(k, 2, CovarianceType.Spherical, 1e-3);
            double best = Fit(model, rows, [.. truth.Means.SelectMany(mean => mean)]);
            double[][] ends = [.. methods.Select(_ => new double[Starts])];
            for (int method = 0; method < methods.Length; method++)
            {
                for (int start = 0; start < Starts; start++)
                    ends[method][start] = Fit(model, rows,
                        CentreSelection.Choose(methods[method], rows, k, new SplitMix64(Seed + (ulong)(1000 * k + start))));
                best = Math.Max(best, ends[method].Max());
            }
            for (int method = 0; method < methods.Length; method++)
                reached[method][at] = ends[method].Count(end => end > best - Enough) / (double)Starts;
        }

        double[] x = [.. Counts.Select(k => (double)k)];
        bool holds = reached[0][0] > 0.9 && reached[0][^1] < 0.2
            && Enumerable.Range(1, Counts.Length - 1).All(at => reached[1][at] >= reached[0][at])
                && reached[1].Average() > reached[0].Average() + 0.2;
        return new Finding(
            holds,
            $"Of starts at random records {Fits.Text(100 * reached[0][0], "F0")} % reach the best maximum with two components, "
            + $"{Fits.Text(100 * reached[0][^1], "F0")} % with ten; of k-means++ starts {Fits.Text(100 * reached[1][0], "F0")} % and "
            + $"{Fits.Text(100 * reached[1][^1], "F0")} %.",
            Figure.Of(new Chart("Starts that reach the best maximum", "components K", "share of the starts")
                .Line("random records", x, reached[0], dots: true).Line("k-means++", x, reached[1], dots: true)
                .Line("farthest point", x, reached[2], dots: true)),
            $"Share of {Starts} starts whose EM ends at the best log-likelihood found",
            new NumberTable(["K", "random records", "k-means++", "farthest point"],
                [.. Counts.Select(
                    (k, at) => (IReadOnlyList<string>)[Fits.Text(k), .. reached.Select(shares => Fits.Text(shares[at], "F2"))])]));
    }

    private static double Fit(Mixture model, Minibatch rows, double[] means)
    {
        int k = model.Components;
        double spread = 0;
        for (int d = 0; d < 2; d++)
        {
            double mean = 0, square = 0;
            for (int row = 0; row < rows.Count; row++) mean += rows.Row(row)[d] / rows.Count;
            for (int row = 0; row < rows.Count; row++) square += Math.Pow(rows.Row(row)[d] - mean, 2) / rows.Count;
            spread += square / 2;
        }
        double[] theta = Fits.Theta(
            model, [.. Enumerable.Repeat(1.0 / k, k)], means, [.. Enumerable.Repeat(spread / k, k)]);
        return BatchEm.Run(model, rows, theta, Fits.Exact with { Tolerance = 1e-6, MaxIterations = 500 }).LogLikelihoods[^1];
    }
}
