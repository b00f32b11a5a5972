using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Intervals of a stream that is looked at again and again: bands of 1.96 standard errors, and a confidence sequence.</summary>
internal sealed class AnyLook : Experiment
{
    private const int Streams = 400, Rows = 40_000, Size = 50, Skipped = 2000, First = 4000, EveryRows = 200;
    private const double Alpha = 0.05, Apart = 3;

    public override string Name => "any-look";

    public override string Title => "A 95 % interval that is looked at all the time";

    public override string Claim =>
        "An estimate with its standard error makes an interval that holds the truth with probability 0.95, whenever one looks.";

    public override string Source =>
        "So it is read off dashboards. Right for one look alone: Robbins 1970 (Annals of Mathematical Statistics 41); Waudby-Smith, "
        + "Arbour, Sinha, Kennedy & Ramdas 2024 (Annals of Statistics 52), theorem 2.2, for the sequence.";

    public override Verdict Verdict => Verdict.DoesNotHold;

    public override bool IsLong => true;

    public override string Setting =>
        $"{Streams} streams of {Rows} records of 0.5 N(-{Fits.Text(Apart / 2)}, 1) + 0.5 N({Fits.Text(Apart / 2)}, 1), of which the two "
        + $"means are learned (`fixed: [weights, covariances]`), minibatches of {Size}, gamma_t = (1 + t)^-0.6, iterates averaged from "
        + $"record {Skipped} on. The information is the average outer product of the minibatches' scores at the iterates; the standard "
        + $"error is that of the records in the average. Looks every {EveryRows} records from {First} on, at the first mean: 1.96 "
        + "standard errors, and the normal-mixture confidence sequence of level 0.95 tuned to the middle of the stream.";

    public override Finding Run()
    {
        var truth = Truth.Spheres([[-Apart / 2], [Apart / 2]]);
        Mixture model = Fits.Gaussians(2, 1);
        model.Hold(new BlockNames(["weights", "covariances"]));
        int looks = (Rows - First) / EveryRows + 1;
        double[] leftBands = new double[looks], leftSequence = new double[looks], at = new double[looks];
        var shown = new Trail(looks);
        for (int stream = 0; stream < Streams; stream++)
        {
            Trail trail = Follow(model, truth.Draw(Rows, new RandomDraws(Seed + (ulong)stream)), looks);
            bool isOutOfBand = false, isOutOfSequence = false;
            for (int look = 0; look < looks; look++)
            {
                double error = Math.Abs(trail.Means[look] + Apart / 2);
                isOutOfBand |= error > trail.Bands[look];
                isOutOfSequence |= error > trail.Sequences[look];
                if (isOutOfBand) leftBands[look] += 1.0 / Streams;
                if (isOutOfSequence) leftSequence[look] += 1.0 / Streams;
                at[look] = First + look * EveryRows;
            }
            if (stream == 0) shown = trail;
        }
        double wider = shown.Sequences[^1] / shown.Bands[^1];
        return new Finding(
            leftBands[^1] > 2 * Alpha && leftSequence[^1] <= Alpha && wider < 1.8 && Math.Abs(leftBands[0] - Alpha) < 0.04,
            $"At the first look {Fits.Text(100 * leftBands[0], "F1")} % of the streams have the truth outside of 1.96 standard errors; "
            + $"at some of {looks} looks {Fits.Text(100 * leftBands[^1], "F1")} % do. Of the confidence sequence it is "
            + $"{Fits.Text(100 * leftSequence[^1], "F1")} %, at {Fits.Text(wider, "F2")} times the width at the end.",
            Figure.Of(
                new Chart("Streams outside at some look so far", "records", "share of the streams") { MustShowUp = [0] }
                    .Line("1.96 standard errors", at, leftBands).Line("confidence sequence", at, leftSequence).Level(Alpha, "0.05"),
                Funnel(shown, at)),
            "Streams that were outside at some look so far, and the intervals of one stream",
            new NumberTable(["records", "outside 1.96 standard errors so far", "outside the sequence so far"],
                [.. Enumerable.Range(0, 5).Select(part => part * (looks - 1) / 4).Select(look => (IReadOnlyList<string>)
                    [Fits.Text(at[look], "F0"), Fits.Text(leftBands[look], "F3"), Fits.Text(leftSequence[look], "F3")])]));
    }

    /// <summary>
    /// +- sigma sqrt(2 (n rho^2 + 1) / (n^2 rho^2) log(sqrt(n rho^2 + 1) / alpha)), for the deviation of a sum of n terms.
    /// </summary>
    private static double Sequence(double deviation, double n)
    {
        double twice = -2 * ScalarMath.Log(Alpha), square = (twice + ScalarMath.Log(twice + 1)) / (Rows / 2), grown = n * square + 1;
        return deviation * Math.Sqrt(2 * grown / (n * n * square) * ScalarMath.Log(Math.Sqrt(grown) / Alpha));
    }

    private static Trail Follow(Mixture model, Minibatch rows, int looks)
    {
        var trail = new Trail(looks);
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 0.6 }), 1);
        var state = new StepwiseState(model, Fits.Theta(model, [0.5, 0.5], [-1, 1], [1, 1]));
        var part = new Minibatch(1, Size);
        double[] densities = new double[Size];
        double mean = 0, first = 0, cross = 0, second = 0;
        int averaged = 0;
        for (int row = 0; row < rows.Count; row += Size)
        {
            part.Clear();
            part.Append(rows, row, Size);
            if (row >= Skipped)
            {
                (double one, double other) = Score(part, state.Parameters[2], state.Parameters[3]);
                (first, cross, second) = (first + one * one, cross + one * other, second + other * other);
            }
            em.Update(state, part, densities);
            if (row < Skipped) continue;
            mean += (state.Parameters[2] - mean) / ++averaged;
            int done = row + Size;
            if (done < First || (done - First) % EveryRows != 0) continue;
            double n = averaged * Size, deviation = Math.Sqrt(n * second / (first * second - cross * cross));
            int look = (done - First) / EveryRows;
            (trail.Means[look], trail.Bands[look], trail.Sequences[look]) = (mean, 1.96 * deviation / Math.Sqrt(n), Sequence(deviation, n));
        }
        return trail;
    }

    /// <summary>The gradient of the log-likelihood of some rows by the two means: r (x - mu).</summary>
    private static (double One, double Other) Score(Minibatch rows, double one, double other)
    {
        double first = 0, second = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            double x = rows.Row(row)[0];
            double share = 1 / (1 + ScalarMath.Exp(0.5 * (x - one) * (x - one) - 0.5 * (x - other) * (x - other)));
            first += share * (x - one);
            second += (1 - share) * (x - other);
        }
        return (first, second);
    }

    private static Chart Funnel(Trail trail, double[] at) => new Chart("One stream: its first mean", "records", "mean")
        .Line("estimate", at, trail.Means)
        .Line("1.96 standard errors", at, [.. trail.Means.Zip(trail.Bands, (mean, half) => mean + half)])
        .Line("confidence sequence", at, [.. trail.Means.Zip(trail.Sequences, (mean, half) => mean + half)])
        .Line("", at, [.. trail.Means.Zip(trail.Bands, (mean, half) => mean - half)], like: 1)
        .Line("", at, [.. trail.Means.Zip(trail.Sequences, (mean, half) => mean - half)], like: 2)
        .Level(-Apart / 2, "truth");

    /// <summary>What was found at each look: the mean, and half widths.</summary>
    private sealed record Trail(double[] Means, double[] Bands, double[] Sequences)
    {
        public Trail(int looks)
            : this(new double[looks], new double[looks], new double[looks])
        {
        }
    }
}
