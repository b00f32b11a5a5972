using StreamEm.Core;
using StreamEm.Core.Data;
using StreamEm.Core.Initialization;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Lab.Yardsticks;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>E[phi] of k-means++ and the optimum, both exactly, on cases small enough to enumerate.</summary>
internal sealed class KMeansPlusPlusBound : Experiment
{
    private const int Cases = 200, Rows = 9, Centres = 3, Draws = 100;

    private static readonly double[] Clumps = [0, 2, 6];

    public override string Name => "k-means-plus-plus";

    public override string Title => "The bound of k-means++, exactly";

    public override string Claim =>
        "Centres drawn with probability in proportion to the squared distance to the nearest centre so far have an expected sum of "
        + "squared distances of at most 8 (ln K + 2) times the optimum. (In proportion to the distance, not squared, as is often "
        + "written, it is another method.)";

    public override string Source => "Arthur & Vassilvitskii 2007, theorem 1.1.";

    public override string Setting =>
        $"{Cases} sets of {Rows} points, K = {Centres}: half of them scattered evenly, half in clumps of random size and distance. The "
        + "expectation is the sum over every sequence of draws, the optimum the best of all partitions. Beside it the mean over "
        + $"{Draws} draws of the engine's own k-means++, which takes the best of several candidates each time.";

    public override Finding Run()
    {
        var draws = new RandomDraws(Seed);
        double limit = 8 * (ScalarMath.Log(Centres) + 2);
        double[] plain = new double[Cases], engine = new double[Cases], unsquared = new double[Cases];
        for (int at = 0; at < Cases; at++)
        {
            Minibatch rows = Points(draws, isClumped: at % 2 == 1);
            double optimum = TinyClustering.Optimum(rows, Centres);
            plain[at] = TinyClustering.ExpectedCost(rows, Centres, power: 1) / optimum;
            unsquared[at] = TinyClustering.ExpectedCost(rows, Centres, power: 0.5) / optimum;
            for (int draw = 0; draw < Draws; draw++)
                engine[at] += TinyClustering.Cost(
                    rows, CentreSelection.Choose(InitializationMethod.KMeansPlusPlus, rows, Centres, new SplitMix64((ulong)draw)))
                    / optimum / Draws;
        }
        bool holds = plain.Max() <= limit && engine.Average() < plain.Average();
        double[] order = [.. Enumerable.Range(1, Cases).Select(at => at / (double)Cases)];
        return new Finding(
            holds,
            $"The expected sum is on the average {Fits.Text(plain.Average(), "F2")} and at most {Fits.Text(plain.Max(), "F2")} times "
            + $"the optimum; the bound is {Fits.Text(limit, "F1")}. The engine's k-means++ has {Fits.Text(engine.Average(), "F2")} on "
            + $"the average and {Fits.Text(engine.Max(), "F2")} at most; drawn in proportion to the distance itself it would be up to "
            + $"{Fits.Text(unsquared.Max(), "F1")}.",
            Figure.Of(new Chart("How far above the optimum", "part of the cases", "expected sum / optimum") { IsLogUp = true }
                .Line("k-means++, exact", order, [.. plain.Order()]).Line("the engine's", order, [.. engine.Order()])
                .Line("not squared", order, [.. unsquared.Order()]).Level(limit, "8 (ln K + 2)")),
            $"The ratio to the optimum over {Cases} cases, in order",
            new NumberTable(["draws", "mean ratio", "largest ratio"],
            [
                ["k-means++, exact", Fits.Text(plain.Average(), "F3"), Fits.Text(plain.Max(), "F3")],
                ["the engine's", Fits.Text(engine.Average(), "F3"), Fits.Text(engine.Max(), "F3")],
                ["in proportion to the distance", Fits.Text(unsquared.Average(), "F3"), Fits.Text(unsquared.Max(), "F3")],
            ]));
    }

    private static Minibatch Points(RandomDraws draws, bool isClumped)
    {
        double spread = isClumped ? 0.05 + 0.3 * draws.Uniform() : 1;
        return Fits.Rows(Enumerable.Range(0, Rows).Select(n =>
        {
            double clump = isClumped ? Clumps[n % Centres] : 0;
            return new[] { clump + spread * draws.Normal(), spread * draws.Normal() };
        }));
    }
}
