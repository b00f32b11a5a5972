using System.Diagnostics;
using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>E-steps in which few components have a share, by how far the components are apart.</summary>
internal sealed class SparseShares : Experiment
{
    private const int Rows = 4000, Components = 32, Features = 16, Active = 4, Repeats = 9;

    private static readonly double[] Distances = [1, 2, 4, 8, 16];

    public override string Name => "sparse";

    public override string Title => "Sparse responsibilities: what is saved, what is lost";

    public override string Claim =>
        "Where most components have no share in most records, an E-step that leaves them out takes a fraction of the time and loses "
        + "nothing.";

    public override string Source => "Neal & Hinton 1998, section 4.";

    public override Verdict Verdict => Verdict.DoesNotHold;

    public override bool IsTimed => true;

    public override string Setting =>
        $"{Rows} records of {Components} unit Gaussians in {Features} dimensions, their means that many standard deviations apart on "
        + $"the average; full covariances, parameters at the truth. The E-step under `soft` and under `sparse: {{active: {Active}}}` "
        + $"between refreshes, the fastest of {Repeats} runs each; and the divergence KL(q || posterior) that the shares left out cost.";

    public override Finding Run()
    {
        double[] ratios = new double[Distances.Length], lost = new double[Distances.Length];
        Mixture model = Fits.Gaussians(Components, Features);
        for (int at = 0; at < Distances.Length; at++)
        {
            var draws = new RandomDraws(Seed);
            // Two means drawn so are this far apart on the average, nearly.
            double spread = Distances[at] / Math.Sqrt(2 * Features);
            var truth = Truth.Spheres([.. Enumerable.Range(0, Components)
                .Select(_ => Enumerable.Range(0, Features).Select(_ => spread * draws.Normal()).ToArray())]);
            Minibatch rows = truth.Draw(Rows, draws);
            double[] theta = Fits.Theta(model, truth.Blocks);
            (double soft, _) = Time(model, rows, theta, SoftResponsibilities.Instance);
            (double sparse, Evidence evidence) = Time(model, rows, theta, new SparseResponsibilities(Active, 20));
            (ratios[at], lost[at]) = (sparse / soft, evidence.Divergence / Rows);
        }
        return new Finding(
            lost[0] > 0.1 && lost[^1] < 1e-3 && ratios.Min() > 1,
            $"Nothing is lost where components are {Fits.Text(Distances[^1])} standard deviations apart ({Fits.Text(lost[^1], "0E+0")} "
            + $"nats a record; {Fits.Text(lost[0], "F2")} at {Fits.Text(Distances[0])}), but no time is saved: choosing the components "
            + $"that have a share takes {Fits.Text(ratios[0], "F1")} to {Fits.Text(ratios[^1], "F1")} times as long as the vectorised "
            + "E-step over all of them.",
            Figure.Of(
                new Chart("Time of an E-step", "distance of the means", "sparse / soft") { MustShowUp = [0], IsLogAcross = true }
                    .Line("", Distances, ratios, dots: true).Level(1, "as soft"),
                new Chart("Divergence of what is left out", "distance of the means", "nats a record") { IsLogAcross = true }
                    .Line("", Distances, lost, dots: true)),
            "Time and loss by how far components are apart",
            new NumberTable(["distance", "time, sparse / soft", "nats lost a record"],
                [.. Distances.Select((distance, at) => (IReadOnlyList<string>)
                    [Fits.Text(distance), Fits.Text(ratios[at], "F2"), Fits.Text(lost[at], "0.0E+0")])]));
    }

    private static (double Seconds, Evidence Evidence) Time(Mixture model, Minibatch rows, double[] theta, ResponsibilityRule rule)
    {
        EStep eStep = model.Prepare(theta);
        Workspace workspace = eStep.CreateWorkspace();
        workspace.Pass = new Pass(null, 2) { Rule = rule };
        double fastest = double.PositiveInfinity;
        Evidence evidence = default;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            long begun = Stopwatch.GetTimestamp();
            evidence = eStep.Accumulate(rows, 0, Rows, new double[model.StatisticsLayout.Length], new double[Rows], workspace);
            fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(begun).TotalSeconds);
        }
        return (fastest, evidence);
    }
}
