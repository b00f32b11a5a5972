using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Intervals;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary><c>learning.intervals</c> of all parameters of a mixture, looked at after every minibatch.</summary>
internal sealed class IntervalsAtEveryLook : Experiment
{
    private const int Streams = 400, Looks = 1000, Size = 50, Started = 5000;
    private const double Share = 0.05, OneLook = 1.959963984540054;

    public override string Name => "intervals";

    public override string Title => "Standard errors from a stream, and intervals for every look";

    public override string Claim =>
        "Louis (1982): the information that EM does not give can be had from what it computes. So standard errors cost nothing more, and "
        + "a confidence sequence made of them holds the truth at every look.";

    public override string Source =>
        "Louis 1982 (Journal of the Royal Statistical Society B 44); McLachlan & Krishnan 2008, sections 4.2 and 4.3; Waudby-Smith, "
        + "Arbour, Sinha, Kennedy & Ramdas 2024 (Annals of Statistics 52), theorem 2.2.";

    public override bool IsLong => true;

    public override string Setting =>
        $"{Streams} streams of 0.4 N(-1.5, 1) + 0.6 N(1.5, 1.5^2), `gaussian_mixture` with `learning.intervals: true`, minibatches of "
        + $"{Size}, `kappa: 0.6`, begun at equal weights, means -1 and 1 and variances 2; nothing is held. Looks after every minibatch, "
        + $"{Looks} of them, from the first version with intervals on, at all six parameters: whether the true value was outside of "
        + "1.96 standard errors, or of `lower` to `upper`, so far.";

    public override Finding Run()
    {
        double[] truth = [0.4, 0.6, -1.5, 1.5, 1, 2.25];
        string[] names = ["weight 1", "weight 2", "mean 1", "mean 2", "variance 1", "variance 2"];
        Mixture model = Fits.Gaussians(2, 1);
        double[] bands = new double[Looks], sequences = new double[Looks], squares = new double[6], errors = new double[6];
        double[] outsideBand = new double[6], outsideSequence = new double[6];
        double widest = 0;
        for (int stream = 0; stream < Streams; stream++)
        {
            bool[] leftBand = new bool[6], leftSequence = new bool[6];
            int look = 0;
            foreach (ParameterIntervals found in Follow(model, Seed + (ulong)stream))
            {
                for (int at = 0; at < 6; at++)
                {
                    double error = Math.Abs(found.Estimates[at] - truth[at]);
                    leftBand[at] |= error > OneLook * found.StandardErrors[at];
                    leftSequence[at] |= truth[at] < found.Lower[at] || truth[at] > found.Upper[at];
                    widest = Math.Max(widest, (found.Upper[at] - found.Lower[at]) / (2 * OneLook * found.StandardErrors[at]));
                    if (look < Looks - 1) continue;
                    squares[at] += error * error / Streams;
                    errors[at] += found.StandardErrors[at] / Streams;
                }
                bands[look] += leftBand.Count(left => left) / 6.0 / Streams;
                sequences[look] += leftSequence.Count(left => left) / 6.0 / Streams;
                if (++look == Looks) break;
            }
            for (int at = 0; at < 6; at++)
            {
                if (leftBand[at]) outsideBand[at] += 1.0 / Streams;
                if (leftSequence[at]) outsideSequence[at] += 1.0 / Streams;
            }
        }
        double[] ratios = [.. squares.Zip(errors, (square, error) => Math.Sqrt(square) / error)];
        double[] looks = [.. Enumerable.Range(1, Looks).Select(look => (double)look)];
        return new Finding(
            outsideSequence.Max() <= Share && outsideBand.Min() > Share && widest <= 1.8 && ratios.All(ratio => ratio is > 0.85 and < 1.2),
            $"Errors of the estimates at the last look are {Fits.Text(ratios.Min(), "F2")} to {Fits.Text(ratios.Max(), "F2")} times their "
            + $"standard errors. At some of {Looks} looks the truth was outside of 1.96 of them in "
            + $"{Fits.Text(100 * outsideBand.Min(), "F1")} to {Fits.Text(100 * outsideBand.Max(), "F1")} % of the streams, by "
            + "parameter; outside of the sequence in "
            + $"{Fits.Text(100 * outsideSequence.Min(), "F1")} to {Fits.Text(100 * outsideSequence.Max(), "F1")} %, at most "
            + $"{Fits.Text(widest, "F2")} times as wide.",
            Figure.Of(new Chart("Outside at some look so far, mean of the parameters", "look", "share of the streams") { MustShowUp = [0] }
                .Line("1.96 standard errors", looks, bands).Line("confidence sequence", looks, sequences).Level(Share, "0.05")),
            "Streams that were outside at some look so far",
            new NumberTable(["parameter", "error / standard error", "outside 1.96 standard errors", "outside the sequence"],
                [.. Enumerable.Range(0, 6).Select(at => (IReadOnlyList<string>)
                    [names[at], Fits.Text(ratios[at], "F2"), Fits.Text(outsideBand[at], "F3"), Fits.Text(outsideSequence[at], "F3")])]));
    }

    /// <summary>The intervals of one stream after every minibatch, from the first on.</summary>
    private static IEnumerable<ParameterIntervals> Follow(Mixture model, ulong seed)
    {
        var truth = new Truth([0.4, 0.6], [[-1.5], [1.5]], [[1], [1.5]]);
        Minibatch rows = truth.Draw(Started + Looks * Size, new RandomDraws(seed));
        var options = new LearningOptions
        {
            Intervals = true,
            MinibatchSize = Size,
            StepSize = new StepSizeOptions { Kappa = 0.6 },
            Learn = LearnMode.Always,
            Standardize = false,
        };
        double[] theta = Fits.Theta(model, [0.5, 0.5], [-1, 1], [2, 2]);
        var from = new InitialParameters(model.ParameterLayout.Blocks.ToDictionary(
            block => block.Name, block => block.Of((ReadOnlySpan<double>)theta).ToArray(), StringComparer.Ordinal));
        var learner = new Learner(
            ModelCatalog.MixtureOf(new GaussianOptions { RegCovar = 0 }, 2), RecordSchema.OfNumbers(1),
            options, from, 1);
        for (int row = 0; row < rows.Count; row += Size)
        {
            learner.Add(rows, row, Size);
            while (learner.TryUpdate()) { }
            if (learner.CreateSnapshot()?.Intervals is { } found) yield return found;
        }
    }
}
