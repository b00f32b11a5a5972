using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>p(X) as the sum over all 2^n assignments, and as the E-step has it.</summary>
internal sealed class ExponentialSum : Experiment
{
    private const int Most = 18;

    public override string Name => "sum-of-assignments";

    public override string Title => "2^n assignments, n sums";

    public override string Claim =>
        "The likelihood of n records under a mixture of K is a sum over K^n assignments; the E-step needs n K terms, because given the "
        + "parameters the records' components are independent.";

    public override string Source => "McLachlan & Peel 2000, section 1.15; Bishop 2006, section 9.2.";

    public override string Setting =>
        $"n records of 0.4 N(-1, 1) + 0.6 N(2, 1), n = 1 to {Most}. The joint densities of every assignment are added up one by one, in "
        + "the order of their binary numbers, in log space; and the engine's log-densities of the records are added up.";

    public override Finding Run()
    {
        Mixture model = Fits.Gaussians(2, 1);
        double[] theta = Fits.Theta(model, [0.4, 0.6], [-1, 2], [1, 1]);
        Minibatch rows = new Truth([0.4, 0.6], [[-1], [2]], [[1], [1]]).Draw(Most, new RandomDraws(Seed));
        double[] densities = Fits.LogDensities(model, rows, theta);
        double[] n = [.. Enumerable.Range(1, Most).Select(count => (double)count)];
        double[] all = [.. n.Select(count => count * Math.Pow(2, count))], few = [.. n.Select(count => 2 * count)];
        double apart = 0;
        for (int count = 1; count <= Most; count++)
            apart = Math.Max(apart, Math.Abs(ByAssignments(rows, count) - densities[..count].Sum()));
        return new Finding(
            apart < 1e-9,
            $"For every n up to {Most} both are the same to 1e-9 nats. {Most} records take {all[^1]:N0} joint terms by assignments and "
            + $"{few[^1]:N0} by the E-step; 60 records would take {Fits.Text(60 * Math.Pow(2, 60), "0.0E+0")} and 120.",
            Figure.Of(new Chart("Terms that have to be computed", "records n", "terms") { IsLogUp = true }
                .Line("by assignments, n 2^n", n, all, dots: true).Line("E-step, 2 n", n, few, dots: true)),
            "Terms by the number of records, two components");
    }

    private static double ByAssignments(Minibatch rows, int count)
    {
        double[] joint = new double[2 * count];
        for (int row = 0; row < count; row++)
        {
            joint[2 * row] = ScalarMath.Log(0.4) + NormalDistribution.LogDensity(rows.Row(row)[0] + 1);
            joint[2 * row + 1] = ScalarMath.Log(0.6) + NormalDistribution.LogDensity(rows.Row(row)[0] - 2);
        }
        double sum = 0;
        for (int assignment = 0; assignment < 1 << count; assignment++)
        {
            double log = 0;
            for (int row = 0; row < count; row++) log += joint[2 * row + (assignment >> row & 1)];
            sum += ScalarMath.Exp(log);
        }
        return ScalarMath.Log(sum);
    }
}
