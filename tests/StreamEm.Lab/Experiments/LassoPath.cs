using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Lab.Yardsticks;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>The LASSO's path by EM over the scale mixture, against coordinate descent.</summary>
internal sealed class LassoPath : Experiment
{
    private const int Rows = 200;

    private static readonly double[] Truth = [3, -2, 1.5, 0.5, 0, 0, 0, 0];

    public override string Name => "lasso-path";

    public override string Title => "The LASSO's path by EM";

    public override string Claim =>
        "The Laplace prior is a scale mixture of normals, and EM over the scales finds the LASSO's estimate for any penalty.";

    public override string Source => "Figueiredo 2003 (PAMI 25); Murphy 2012, section 13.4.4; Tibshirani 1996.";

    public override string Setting =>
        $"{Rows} records of 8 features with correlation 0.5 between neighbours, w = (3, -2, 1.5, 0.5, 0, 0, 0, 0), noise of variance 1 "
        + "that is held. `sparse_regression` without intercept at 30 penalties from 1 to 1000, five EM steps each, with the inner "
        + "iterations of its M-step, from w = 0.1; coordinate descent on the same objective.";

    public override Finding Run()
    {
        Minibatch rows = Draw(Rows, Truth, Seed);
        double[] penalties = [.. Fits.Grid(0, 3, 30).Select(power => Math.Pow(10, power))];
        double[][] path = [.. Truth.Select(_ => new double[penalties.Length])];
        double apart = 0;
        int zeros = 0, same = 0;
        double[] w = [.. Truth.Select(_ => 0.1)];
        for (int at = 0; at < penalties.Length; at++)
        {
            double[] found = Fit(rows, penalties[at], w, iterations: 5), descent = CoordinateDescent.Lasso(rows, penalties[at]);
            apart = Math.Max(apart, found.Zip(descent, (a, b) => Math.Abs(a - b)).Max());
            zeros += descent.Count(value => value == 0);
            same += found.Zip(descent).Count(pair => pair.First == 0 && pair.Second == 0);
            for (int j = 0; j < Truth.Length; j++) path[j][at] = found[j];
        }
        Chart chart = new("Coefficients by penalty", "penalty", "coefficient") { IsLogAcross = true };
        for (int j = 0; j < Truth.Length; j++) chart.Line($"w{j + 1}", penalties, path[j]);
        int kept = Enumerable.Range(0, penalties.Length)
            .First(at => Enumerable.Range(4, 4).All(j => path[j][at] == 0));
        return new Finding(
            apart < 1e-7 && same >= 0.95 * zeros && Enumerable.Range(0, 3).All(j => path[j][kept] != 0),
            $"At all {penalties.Length} penalties EM's coefficients are those of coordinate descent, to "
            + $"{Fits.Text(Math.Max(1e-9, apart), "0E-0")}, and {same} of the {zeros} zeros among them are exact. From a penalty of "
            + $"{Fits.Text(penalties[kept])} on the four coefficients without an effect are 0, the three large ones are not.",
            Figure.Of(chart),
            "Every coefficient along the penalty",
            new NumberTable(["penalty", .. Truth.Select((_, j) => $"w{j + 1}")],
                [.. Enumerable.Range(0, 6).Select(i => i * 29 / 5).Select(at => (IReadOnlyList<string>)
                    [Fits.Text(penalties[at]), .. path.Select(values => Fits.Text(values[at], "F3"))])]));
    }

    /// <summary>Records of features with correlation 0.5 between neighbours and, last, a target of these effects with unit noise.</summary>
    public static Minibatch Draw(int count, double[] effects, ulong seed)
    {
        var draws = new RandomDraws(seed);
        return Fits.Rows(Enumerable.Range(0, count).Select(_ =>
        {
            double[] x = new double[effects.Length];
            for (int j = 0; j < x.Length; j++) x[j] = j == 0 ? draws.Normal() : 0.5 * x[j - 1] + Math.Sqrt(0.75) * draws.Normal();
            return (double[])[.. x, x.Zip(effects, (value, effect) => value * effect).Sum() + draws.Normal()];
        }));
    }

    /// <summary>The coefficients by EM with unit noise, without an intercept.</summary>
    public static double[] Fit(Minibatch rows, double penalty, double[] start, int iterations)
    {
        LatentModel model = Fits.Model("sparse_regression", FeatureSpace.Unscaled([.. start.Select((_, j) => $"x{j}"), "y"]),
            ("penalty", Fits.Text(penalty, "R")), ("fit_intercept", "false"), ("fixed", "[\"noise_variance\"]"));
        double[] theta = Fits.Theta(model, start, [1]);
        for (int iteration = 0; iteration < iterations; iteration++) theta = Fits.Step(model, rows, theta);
        return theta[..start.Length];
    }
}
