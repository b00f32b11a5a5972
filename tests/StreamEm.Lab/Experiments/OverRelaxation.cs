using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Passes of EM and of over-relaxed EM, by how much the components overlap.</summary>
internal sealed class OverRelaxation : Experiment
{
    private const int Rows = 4000;

    private static readonly double[] Distances = [1.5, 2, 2.5, 3, 4, 5, 6];

    public override string Name => "over-relaxed";

    public override string Title => "Over-relaxed EM pays where much is missing";

    public override string Claim =>
        "EM converges at a rate that is the share of missing information; steps longer than the M-step's save most iterations where "
        + "that share is large, at the same fixed point.";

    public override string Source => "Dempster, Laird & Rubin 1977, section 3; Salakhutdinov & Roweis 2003.";

    public override string Setting =>
        $"{Rows} records of two unit Gaussians in the plane at several distances, `covariance_type: full`, from means moved towards "
        + "each other by a fifth. Passes over the data until the mean log-likelihood rises by less than 1e-11. The share missing is "
        + "read off EM's own last steps: the log-likelihood's rises shrink by its square.";

    public override Finding Run()
    {
        Mixture model = Fits.Gaussians(2, 2);
        double[] missing = new double[Distances.Length], plain = new double[Distances.Length], relaxed = new double[Distances.Length];
        double apart = 0, fall = 0;
        for (int at = 0; at < Distances.Length; at++)
        {
            double distance = Distances[at];
            Minibatch rows = Truth.Spheres([[0, 0], [distance, 0]]).Draw(Rows, new RandomDraws(Seed + (ulong)at));
            double[] start = Fits.Theta(
                model, [0.5, 0.5], [0.2 * distance, 0, 0.8 * distance, 0], [1, 0, 0, 1, 1, 0, 0, 1]);
            BatchEmOptions options = new() { Tolerance = 1e-11, MaxIterations = 100_000, Threads = 1 };
            BatchEmResult slow = BatchEm.Run(model, rows, start, options),
                fast = BatchEm.Run(model, rows, start, options with { Engine = FitEngine.OverRelaxed });
            (plain[at], relaxed[at]) = (slow.Evaluations / (double)Rows, fast.Evaluations / (double)Rows);
            missing[at] = Rate(slow.LogLikelihoods);
            apart = Math.Max(apart, slow.LogLikelihoods[^1] - fast.LogLikelihoods[^1]);
            fall = Math.Max(fall, fast.LargestFall);
        }
        double[] saved = [.. plain.Zip(relaxed, (one, other) => 1 - other / one)];
        return new Finding(
            apart < 1e-7 && fall < 1e-12 && saved[0] > 0.5 && saved[0] > saved[^1] + 0.3 && missing[0] > missing[^1],
            $"At distance {Fits.Text(Distances[0])}, where {Fits.Text(100 * missing[0], "F1")} % of the information is missing, EM "
            + $"takes {Fits.Text(plain[0], "F0")} passes and over-relaxed EM {Fits.Text(relaxed[0], "F0")}; at distance "
            + $"{Fits.Text(Distances[^1])} ({Fits.Text(100 * missing[^1], "F1")} %) {Fits.Text(plain[^1], "F0")} and "
            + $"{Fits.Text(relaxed[^1], "F0")}. Neither ever loses likelihood, and they end at the same one.",
            Figure.Of(
                new Chart("Passes to convergence", "distance of the components", "passes") { IsLogUp = true }
                    .Line("EM", Distances, plain, dots: true).Line("over-relaxed", Distances, relaxed, dots: true),
                new Chart("Passes saved by share missing", "share of missing information", "share of the passes saved")
                    .Points("", missing, saved, 4)),
            "Passes by distance, and what longer steps save",
            new NumberTable(["distance", "share missing", "passes, EM", "passes, over-relaxed"],
                [.. Distances.Select((distance, at) => (IReadOnlyList<string>)
                    [Fits.Text(distance), Fits.Text(missing[at], "F3"), Fits.Text(plain[at], "F0"), Fits.Text(relaxed[at], "F0")])]));
    }

    /// <summary>The rate of convergence from rises that are large against rounding.</summary>
    private static double Rate(IReadOnlyList<double> values)
    {
        double[] rises = [.. values.Skip(1).Zip(values, (after, before) => after - before)];
        int last = Array.FindLastIndex(rises, rise => rise > 1e-10);
        int from = Math.Max(0, last - 3);
        return Math.Pow(rises[last] / rises[from], 0.5 / Math.Max(1, last - from));
    }
}
