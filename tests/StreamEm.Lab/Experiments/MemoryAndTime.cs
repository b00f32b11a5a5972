using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>What three engines have to keep and to look at, by the number of records.</summary>
internal sealed class MemoryAndTime : Experiment
{
    private const int Block = 100;
    private const double Near = 0.01;

    private static readonly int[] Sizes = [1000, 3000, 10_000, 30_000, 100_000];

    public override string Name => "memory-and-time";

    public override string Title => "What must be kept, what must be looked at";

    public override string Claim =>
        "Batch EM needs all records at hand and looks at each many times; incremental EM keeps statistics for every block as well; "
        + "stepwise EM keeps one set of statistics, whatever the number of records, and one look at each suffices.";

    public override string Source => "Neal & Hinton 1998, section 5; Liang & Klein 2009, section 3; Cappé & Moulines 2009.";

    public override string Setting =>
        "N records of three Gaussians in the plane, engines from the same start (means half-way to the origin). Looked at: E-steps of "
        + $"single records until the mean log-likelihood is within {Fits.Text(Near)} nats of batch EM's end (stepwise: checked every 10 "
        + $"updates, passes repeated where one does not suffice), blocks of {Block}, gamma_t = (1 + t)^-0.6. Kept: numbers, records "
        + "included.";

    public override Finding Run()
    {
        Mixture model = Fits.Gaussians(3, 2, regCovar: 1e-6);
        int statistics = model.StatisticsLayout.Length;
        double[][] looked = [.. Enumerable.Range(0, 3).Select(_ => new double[Sizes.Length])],
            kept = [.. looked.Select(_ => new double[Sizes.Length])];
        for (int at = 0; at < Sizes.Length; at++)
        {
            int n = Sizes[at];
            Minibatch rows = Truth.Three.Draw(n, new RandomDraws(Seed));
            double[] start =
                Fits.Theta(model, [1 / 3.0, 1 / 3.0, 1 / 3.0], [0.3, -0.2, 2.1, 0.2, -0.2, 1.7], [1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
            BatchEmOptions options = Fits.Exact with { Tolerance = 1e-7, BlockRows = Block, MaxIterations = 200 };
            BatchEmResult batch = BatchEm.Run(model, rows, start, options);
            double goal = batch.LogLikelihoods[^1] - Near;
            looked[0][at] = n * (double)batch.LogLikelihoods.TakeWhile(value => value < goal).Count();
            for (int passes = 0; looked[1][at] == 0; passes++)
            {
                double[] theta = BatchEm.Run(model, rows, start, options with
                { Engine = FitEngine.Incremental, MaxIterations = passes, Tolerance = double.NegativeInfinity }).Parameters;
                if (Fits.LogLikelihood(model, rows, theta) >= goal) looked[1][at] = n * (passes + 1.0);
            }
            looked[2][at] = Stepwise(model, rows, start, goal);
            kept[0][at] = 2.0 * n + statistics;
            kept[1][at] = 2.0 * n + (double)statistics * n / Block;
            kept[2][at] = statistics + 2 * Block;
        }
        double[] x = [.. Sizes.Select(n => (double)n)];
        Chart Lines(string title, string up, double[][] values) => new Chart(title, "records N", up) { IsLogAcross = true, IsLogUp = true }
            .Line("batch", x, values[0], dots: true).Line("incremental", x, values[1], dots: true)
                .Line("stepwise", x, values[2], dots: true);
        return new Finding(
            looked[2][^1] < Sizes[^1] && looked[2][^1] < looked[2][0] * 10 && looked[0][^1] > 5 * Sizes[^1] && kept[2][^1] == kept[2][0],
            $"With {Sizes[^1]:N0} records batch EM looks at {looked[0][^1]:N0} and keeps {kept[0][^1]:N0} numbers, incremental at "
            + $"{looked[1][^1]:N0} and {kept[1][^1]:N0}; stepwise at {looked[2][^1]:N0} - a part of one pass - and keeps "
            + $"{kept[2][^1]:N0}. With {Sizes[0]:N0} records it looks at {looked[2][0]:N0}.",
            Figure.Of(Lines("Records looked at", "E-steps of a record", looked), Lines("Numbers kept", "numbers", kept)),
            "Work and memory by the number of records",
            new NumberTable(["N", "batch looks at", "incremental", "stepwise", "batch keeps", "incremental keeps", "stepwise keeps"],
                [.. Sizes.Select((n, at) =>
                    (IReadOnlyList<string>)[$"{n:N0}", .. looked.Concat(kept).Select(values => values[at].ToString("N0", null))])]));
    }

    private static double Stepwise(Mixture model, Minibatch rows, double[] start, double goal)
    {
        double looks = 0;
        var em =
            new StepwiseEm(model, Recursion.Statistics, new Core.Schedules.PowerLaw(new Core.Schedules.StepSizeOptions { Kappa = 0.6 }), 1);
        var state = new StepwiseState(model, start);
        var part = new Minibatch(2);
        for (int update = 1; looks < 100.0 * rows.Count; update++)
        {
            part.Clear();
            part.Append(rows, (update - 1) * Block % rows.Count, Block);
            em.Update(state, part, new double[Block]);
            looks += Block;
            if (update % 10 == 0 && Fits.LogLikelihood(model, rows, state.Parameters) >= goal) break;
        }
        return looks;
    }
}
