using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Gaussian and Student components with records that belong to neither.</summary>
internal sealed class Outliers : Experiment
{
    private const int Rows = 2000;

    private static readonly double[] Shares = [0, 0.01, 0.02, 0.05, 0.1];

    public override string Name => "outliers";

    public override string Title => "Student components in place of Gaussian ones";

    public override string Claim =>
        "A few outliers spoil a mixture of Gaussians; a mixture of Student-t distributions, fitted by the same EM with one more weight "
        + "per record, hardly notices them.";

    public override string Source => "Peel & McLachlan 2000 (Statistics and Computing 10); Murphy 2012, section 11.4.5 and figure 11.14.";

    public override string Setting =>
        $"{Rows} records of two unit Gaussians at (0, 0) and (5, 0), a part of them replaced by U(-25, 25)^2. `gaussian_mixture` and "
        + "`student_t_mixture` with full matrices and learned degrees of freedom, batch EM from the truth. The error is the mean "
        + "distance of the two means from the truth, the spread the mean of the standard deviations (of the Student components their "
        + "scale).";

    public override Finding Run()
    {
        Mixture gaussian = Fits.Gaussians(2, 2, regCovar: 1e-9);
        LatentModel student = Fits.Model(
            "student_t_mixture", FeatureSpace.Unscaled(2), ("components", "2"), ("prior", "none"), ("reg_covar", "1e-9"));
        double[] wrong = new double[Shares.Length], right = new double[Shares.Length], wide = new double[Shares.Length],
            narrow = new double[Shares.Length], least = new double[Shares.Length], most = new double[Shares.Length];
        double[][] truth = [[0.5, 0.5], [0, 0, 5, 0], [1, 0, 0, 1, 1, 0, 0, 1]];
        for (int at = 0; at < Shares.Length; at++)
        {
            Minibatch rows = Draw(Shares[at]);
            (wrong[at], wide[at], _, _) = Fit(gaussian, rows, Fits.Theta(gaussian, truth), "covariances");
            (right[at], narrow[at], least[at], most[at]) = Fit(student, rows, Fits.Theta(student, [.. truth, [20, 20]]), "scale_matrices");
        }
        return new Finding(
            right.Max() < 0.15 && wrong[^1] > 0.5 && wide[^1] > 3 && narrow[^1] < 1.6 && Math.Abs(right[0] - wrong[0]) < 0.03,
            $"With 10 % outliers the Gaussian means are {Fits.Text(wrong[^1], "F2")} from the truth and the Student ones "
            + $"{Fits.Text(right[^1], "F2")}; the Gaussian standard deviation is {Fits.Text(wide[^1], "F1")}, the Student scale "
            + $"{Fits.Text(narrow[^1], "F2")}, at {Fits.Text(least[^1], "F1")} and {Fits.Text(most[^1], "F0")} degrees of freedom. With "
            + $"none both are the same ({Fits.Text(wrong[0], "F3")} and {Fits.Text(right[0], "F3")}).",
            Figure.Of(
                new Chart("Error of the means", "share of outliers", "distance from the truth")
                    .Line("Gaussian", Shares, wrong, dots: true).Line("Student", Shares, right, dots: true),
                new Chart("Spread of the components", "share of outliers", "standard deviation or scale")
                    .Line("Gaussian", Shares, wide, dots: true).Line("Student", Shares, narrow, dots: true).Level(1, "truth")),
            "Errors by the share of records that belong to no component",
            new NumberTable(["outliers", "error, Gaussian", "error, Student", "spread, Gaussian", "scale, Student", "degrees of freedom"],
                [.. Shares.Select(
                    (share, at) => (IReadOnlyList<string>)[Fits.Text(share), Fits.Text(wrong[at], "F3"), Fits.Text(right[at], "F3"),
                    Fits.Text(wide[at], "F2"), Fits.Text(narrow[at], "F2"),
                    $"{Fits.Text(least[at], "F1")}, {Fits.Text(most[at], "F1")}"])]));
    }

    private Minibatch Draw(double share)
    {
        var draws = new RandomDraws(Seed);
        return Fits.Rows(Enumerable.Range(0, Rows).Select(n =>
        {
            double[] regular = [draws.Normal() + (draws.Uniform() < 0.5 ? 5 : 0), draws.Normal()],
                stray = [50 * draws.Uniform() - 25, 50 * draws.Uniform() - 25];
            return n < share * Rows ? stray : regular;
        }));
    }

    private static (double Error, double Spread, double LeastFreedom, double MostFreedom) Fit(
        LatentModel model, Minibatch rows, double[] start, string matrices)
    {
        double[] theta = BatchEm.Run(model, rows, start, Fits.Exact with { Tolerance = 1e-9 }).Parameters;
        double[] means = Fits.Block(model, theta, "means"), spread = Fits.Block(model, theta, matrices);
        double[] freedom = model.ParameterLayout.Contains("degrees_of_freedom") ? Fits.Block(model, theta, "degrees_of_freedom") : [0];
        double Distance(double x, double y) => Math.Sqrt(x * x + y * y);
        return ((Distance(means[0], means[1]) + Distance(means[2] - 5, means[3])) / 2,
            (Math.Sqrt(spread[0]) + Math.Sqrt(spread[3]) + Math.Sqrt(spread[4]) + Math.Sqrt(spread[7])) / 4,
            freedom.Min(), freedom.Max());
    }
}
