using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Lab.Charts;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>The simulation that came with online EM: two regression lines, and how near to the Fisher bound a stream comes.</summary>
internal sealed class TwoRegressions : Experiment
{
    private const int Replicates = 100, Rows = 40_000, Minibatch = 20, Coefficients = 3, BoundRows = 200_000;

    private static readonly double[] Truth = [0, 5, 0, 15, 10, -10];

    public override string Name => "two-regressions";

    public override string Title => "Two regressions in a stream, against the Fisher bound";

    public override string Claim =>
        "With steps n^-0.6 and the average of the last half of the iterates, online EM is as good as maximum likelihood on all records; "
        + "with steps 1/n, as good on paper, it is not for a long time.";

    public override string Source => "Cappé & Moulines 2009 (JRSS B 71), section 4, with the values of its program.";

    public override string Setting =>
        $"u even in (0, 10), z = (1, u, u^2 / 10), y = 5 u or 15 + 10 u - u^2, each half of the time, with noise 9. {Replicates} streams "
        + $"of {Rows} records, minibatches of {Minibatch}; `mixture_of_experts` with 2 experts and `gate: constant`, "
        + "from the paper's start: "
        + "(0, 4.9, 0) and (30, 0, 0), noise 15. Steps (1 + t)^-1, (1 + t)^-0.6, and the tail average of the latter (`averaging: tail`). "
        + "Of every coefficient the spread over the streams (interquartile range / 1.349), times the root of the number of records, beside "
        + $"the Fisher bounds of one record, from {BoundRows} draws: with all else known but the expert's own coefficients, as the paper "
        + "has it, and with nothing known.";

    public override Verdict Verdict => Verdict.HoldsInPart;

    public override bool IsLong => true;

    public override Finding Run()
    {
        LatentModel model = Fits.Model(
            "mixture_of_experts", FeatureSpace.Unscaled(["u", "v", "y"]), ("experts", "2"), ("gate", "constant"), ("prior", "none"));
        double[] start = Fits.Theta(model, [0.5, 0.5], [0, 4.9, 0, 30, 0, 0], [230, 230]);
        double[][] slow = new double[Replicates][], fast = new double[Replicates][], averaged = new double[Replicates][];
        for (int replicate = 0; replicate < Replicates; replicate++)
        {
            Minibatch rows = Draw(Rows, new RandomDraws(Seed + (ulong)replicate));
            var tail = new TailAverage(model.ParameterLayout);
            slow[replicate] = Of(model, Fits.Stream(model, rows, start, Minibatch, 1));
            fast[replicate] = Of(model, Fits.Stream(model, rows, start, Minibatch, 0.6, after: state => tail.Take(state.Parameters)));
            averaged[replicate] = Of(model, tail.Average()!);
        }
        (double[] own, double[] all) = Bounds();
        double[] spreads = Spreads(averaged), ofFast = Spreads(fast), ofSlow = Spreads(slow);
        double[] ratios = [.. spreads.Select((spread, at) => spread / own[at])], full = [.. spreads.Select((s, at) => s / all[at])];
        double[] fullFast = [.. ofFast.Select((s, at) => s / all[at])], fullSlow = [.. ofSlow.Select((s, at) => s / all[at])];
        string[] names = ["1, constant", "1, u", "1, u²/10", "2, constant", "2, u", "2, u²/10"];
        string T(double value) => Fits.Text(value, "F1");
        return new Finding(
            ratios.Max() <= 1.5 * Math.Sqrt(2) && full.Max() < Math.Min(fullFast.Max(), fullSlow.Max()),
            $"Averaged, the coefficients are spread {Range(full)} times as far as maximum likelihood leaves them ({Range(ratios)} times "
                + $"the paper's bound); as they stand {Range(fullFast)} times, with steps 1/n {Range(fullSlow)} times.",
            Figure.Of(
                new Bars("Spread of the coefficients, times √n", "", names) { MustShow = [0] }
                    .Group("steps n^-1", ofSlow).Group("n^-0.6", ofFast).Group("n^-0.6, averaged", spreads).Group("Fisher bound", all)),
            "How far the estimates of 100 streams lie apart",
            new NumberTable(["coefficient", "n^-1", "n^-0.6", "averaged", "bound, rest known", "bound"],
                [.. names.Select((name, at) => (IReadOnlyList<string>)
                    [name, T(ofSlow[at]), T(ofFast[at]), T(spreads[at]), T(own[at]), T(all[at])])]));
    }

    private static double[] Of(LatentModel model, double[] theta) => Fits.Block(model, theta, "coefficients");

    private static Minibatch Draw(int count, RandomDraws draws)
    {
        var rows = new Minibatch(3, count);
        for (int row = 0; row < count; row++)
        {
            double u = 10 * draws.Uniform(), v = u * u / 10;
            int line = draws.Uniform() < 0.5 ? 0 : 1;
            rows.Add([u, v, Mean(line, u, v) + 9 * draws.Normal()]);
        }
        return rows;
    }

    private static double Mean(int line, double u, double v) =>
        Truth[3 * line] + Truth[3 * line + 1] * u + Truth[3 * line + 2] * v;

    /// <summary>sqrt(n) times the interquartile range over 1.349, of every coefficient.</summary>
    private static double[] Spreads(double[][] thetas) =>
        [.. Enumerable.Range(0, 2 * Coefficients).Select(at =>
        {
            double[] sorted = [.. thetas.Select(theta => theta[at]).Order()];
            return Math.Sqrt(Rows) * (sorted[3 * Replicates / 4] - sorted[Replicates / 4]) / 1.349;
        })];

    private static string Range(double[] values) => $"{Fits.Text(values.Min(), "F2")} to {Fits.Text(values.Max(), "F2")}";

    /// <summary>
    /// Standard deviations of one record's worth: from the block of the information that is of an expert's coefficients, and from all of it
    /// (weight, coefficients, variances).
    /// </summary>
    private (double[] Own, double[] All) Bounds()
    {
        const int parameters = 1 + 2 * Coefficients + 2;
        Minibatch rows = Draw(BoundRows, new RandomDraws(Seed + Replicates));
        double[] information = new double[parameters * parameters], score = new double[parameters];
        for (int row = 0; row < rows.Count; row++)
        {
            ReadOnlySpan<double> x = rows.Row(row);
            double[] z = [1, x[0], x[1]], errors = [x[2] - Mean(0, x[0], x[1]), x[2] - Mean(1, x[0], x[1])];
            double first = 1 / (1 + ScalarMath.Exp((errors[0] * errors[0] - errors[1] * errors[1]) / 162));
            double[] shares = [first, 1 - first];
            score[0] = 2 * shares[0] - 2 * shares[1];
            for (int line = 0; line < 2; line++)
            {
                for (int j = 0; j < Coefficients; j++) score[1 + 3 * line + j] = shares[line] * errors[line] * z[j] / 81;
                score[7 + line] = shares[line] * (errors[line] * errors[line] / 81 - 1) / 162;
            }
            for (int i = 0; i < parameters; i++)
                for (int j = 0; j < parameters; j++) information[i * parameters + j] += score[i] * score[j] / BoundRows;
        }
        double[] own = [.. Deviations(information, parameters, 1, 3), .. Deviations(information, parameters, 4, 3)];
        return (own, Deviations(information, parameters, 0, parameters)[1..7]);
    }

    private static double[] Deviations(double[] information, int size, int first, int count)
    {
        double[] block = new double[count * count];
        for (int i = 0; i < count; i++)
            for (int j = 0; j < count; j++) block[i * count + j] = information[(first + i) * size + first + j];
        if (!DenseMatrix.TryInvert(block, count, new double[Packed.Length(count)], out _))
            throw new ArithmeticException("The information is not positive definite.");
        return [.. Enumerable.Range(0, count).Select(i => Math.Sqrt(block[i * count + i]))];
    }
}
