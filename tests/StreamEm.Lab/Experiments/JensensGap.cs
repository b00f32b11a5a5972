using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Lab.Charts;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>log p(x) - L(q) is KL(q || p(z given x)), in one row drawn and in many by the engine's own split.</summary>
internal sealed class JensensGap : Experiment
{
    private const int Rows = 500;

    public override string Name => "jensens-gap";

    public override string Title => "Jensen's gap is a divergence";

    public override string Claim =>
        "For any q(z), log p(x) = L(q) + KL(q || p(z given x)): L(q) is never above log p(x), and equal to it where q is the posterior.";

    public override string Source => "Neal & Hinton 1998, section 2; Bishop 2006, section 9.4; Murphy 2012, section 11.4.7.";

    public override string Setting =>
        "Left: the record x = 1 under 0.4 N(-1, 1) + 0.6 N(2, 1), and every q = (r, 1 - r). Right: the engine's energy, entropy and "
        + $"divergence of {Rows} records of a mixture of three, with responsibilities by Bayes' rule, tempered (beta 0.5) and hard, and "
        + "the divergence computed again from posteriors alone.";

    public override Finding Run()
    {
        Mixture one = Fits.Gaussians(2, 1);
        double[] theta = Fits.Theta(one, [0.4, 0.6], [-1, 2], [1, 1]);
        (double[] density, double[] posterior) = Fits.Scores(one, Fits.Rows([[1.0]]), theta, "responsibilities");
        double[] shares = Fits.Grid(0.001, 0.999, 400), bounds = [.. shares.Select(r => Bound([r, 1 - r], density[0], posterior))];
        double top = bounds.Max();
        bool isBound = top <= density[0] + 1e-12 && density[0] - Bound(posterior, density[0], posterior) < 1e-12;

        Mixture model = Fits.Gaussians(3, 2);
        Minibatch rows = Truth.Three.Draw(Rows, new RandomDraws(Seed));
        double[] known = Fits.Theta(model, Truth.Three.Blocks);
        double[] responsibilities = Fits.Scores(model, rows, known, "responsibilities").Block;
        (string Name, ResponsibilityRule Rule, Func<double[], double[]> Share)[] rules =
        [
            ("Bayes", SoftResponsibilities.Instance, r => r),
            ("tempered", new AnnealedResponsibilities(0.5, 1e9), r => Normalized([.. r.Select(Math.Sqrt)])),
            ("hard", HardResponsibilities.Instance, r => [.. r.Select((value, k) => k == Array.IndexOf(r, r.Max()) ? 1.0 : 0)]),
        ];
        var cells = new List<IReadOnlyList<string>>();
        double[] energies = new double[3], entropies = new double[3], divergences = new double[3];
        double worst = 0;
        for (int at = 0; at < rules.Length; at++)
        {
            Evidence evidence = Split(model, rows, known, rules[at].Rule);
            double own = responsibilities.Chunk(3).Sum(r => Divergence(rules[at].Share(r), r)) / Rows;
            (entropies[at], divergences[at]) = (evidence.Entropy / Rows, evidence.Divergence / Rows);
            energies[at] = evidence.MeanLogLikelihood - entropies[at] - divergences[at];
            worst = Math.Max(worst, Math.Abs(own - divergences[at]));
            cells.Add([rules[at].Name, Fits.Text(energies[at], "F4"), Fits.Text(entropies[at], "F4"), Fits.Text(divergences[at], "F4"),
                Fits.Text(evidence.MeanLogLikelihood, "F4")]);
        }

        bool holds = isBound && worst < 1e-10 && divergences[0] < 1e-12 && divergences[1] > 0.001 && divergences[2] > 0.001;
        return new Finding(
            holds,
            $"Over 400 values of r, L(q) is at most log p(x) = {Fits.Text(density[0], "F4")} and reaches it at the posterior, r = "
            + $"{Fits.Text(posterior[0], "F4")}. On {Rows} records the divergence that the engine tells is the one computed from "
            + $"posteriors, to 1e-10: 0 by Bayes' rule, {Fits.Text(divergences[1], "F4")} nats a record tempered, "
            + $"{Fits.Text(divergences[2], "F4")} hard.",
            Figure.Of(
                new Chart("One record: log p(x) and L(q)", "r, the share of the first component", "nats")
                {
                    Least = density[0] - 2.5,
                }.Line("L(q)", shares, bounds).Level(density[0], "log p(x)"),
                new Bars("Many records: entropy and divergence", "nats a record", ["Bayes", "tempered", "hard"])
                    .Group("entropy H(q)", entropies).Group("KL(q || posterior)", divergences)),
            "The bound as a function of q, and what three ways to share records out have of entropy and divergence",
            new NumberTable(["responsibilities", "energy", "entropy", "divergence", "log-likelihood"], cells));
    }

    private static Evidence Split(Mixture model, Minibatch rows, double[] theta, ResponsibilityRule rule)
    {
        EStep eStep = model.Prepare(theta);
        Workspace workspace = eStep.CreateWorkspace();
        workspace.Pass = new Pass(null, 1) { Rule = rule };
        return eStep.Accumulate(rows, 0, rows.Count, new double[model.StatisticsLayout.Length], new double[rows.Count], workspace);
    }

    private static double Bound(double[] q, double logDensity, double[] posterior)
    {
        double sum = 0;
        for (int k = 0; k < q.Length; k++)
            if (q[k] > 0) sum += q[k] * (logDensity + ScalarMath.Log(posterior[k]) - ScalarMath.Log(q[k]));
        return sum;
    }

    private static double Divergence(double[] q, double[] p) =>
        q.Select((value, k) => value > 0 ? value * (ScalarMath.Log(value) - ScalarMath.Log(p[k])) : 0).Sum();

    private static double[] Normalized(double[] values) => [.. values.Select(value => value / values.Sum())];
}
