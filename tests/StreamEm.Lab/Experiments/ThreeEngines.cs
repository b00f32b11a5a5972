using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Batch, incremental and stepwise EM, pass by pass.</summary>
internal sealed class ThreeEngines : Experiment
{
    private const int Sets = 20, Rows = 2000, Passes = 10, Block = 50;

    public override string Name => "three-engines";

    public override string Title => "Batch, incremental, stepwise: who is first, who is best";

    public override string Claim =>
        "Stepwise EM is faster than incremental, incremental faster than batch; batch and incremental end at a maximum of the "
        + "likelihood, stepwise close to one.";

    public override string Source => "Liang & Klein 2009, sections 3 and 5; Neal & Hinton 1998, section 5.";

    public override string Setting =>
        $"{Sets} data sets of {Rows} records of three Gaussians in the plane; all engines begin at the same parameters, means half-way "
        + $"to the origin and moved by U(-0.5, 0.5). Blocks and minibatches of {Block} records, gamma_t = (1 + t)^-0.6. The mean "
        + "log-likelihood of all records after each pass, averaged over the sets; the end is batch EM to convergence.";

    public override Finding Run()
    {
        Mixture model = Fits.Gaussians(3, 2, regCovar: 1e-6);
        double[] batch = new double[Passes], incremental = new double[Passes], stepwise = new double[Passes];
        double end = 0;
        for (ulong seed = 1; seed <= Sets; seed++)
        {
            var draws = new RandomDraws(Seed + 100 * seed);
            Minibatch rows = Truth.Three.Draw(Rows, draws);
            double[] start = Fits.Theta(
                model, [1 / 3.0, 1 / 3.0, 1 / 3.0],
                [.. Truth.Three.Means.SelectMany(mean => mean).Select(x => x / 2 + draws.Uniform() - 0.5)],
                [1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
            BatchEmOptions passes = new() { Tolerance = double.NegativeInfinity, Threads = 1, BlockRows = Block, MaxIterations = Passes };
            IReadOnlyList<double> values = BatchEm.Run(model, rows, start, passes).LogLikelihoods;
            for (int pass = 0; pass < Passes; pass++)
            {
                batch[pass] += values[pass + 1] / Sets;
                incremental[pass] += Fits.LogLikelihood(model, rows, BatchEm.Run(
                    model, rows, start, passes with { Engine = FitEngine.Incremental, MaxIterations = pass }).Parameters) / Sets;
            }
            Stepwise(model, rows, start, stepwise);
            end += BatchEm.Run(model, rows, start, Fits.Exact).LogLikelihoods[^1] / Sets;
        }
        int worth = batch.Count(value => value < stepwise[0]);
        double[] x = [.. Enumerable.Range(1, Passes).Select(pass => (double)pass)];
        return new Finding(
            stepwise[0] > incremental[0] && incremental[0] > batch[0] && Math.Abs(stepwise[^1] - end) < 0.005
                && Math.Abs(incremental[^1] - end) < 0.005 && stepwise[0] > batch[1],
            $"After one pass stepwise is at {Fits.Text(stepwise[0], "F3")}, incremental at {Fits.Text(incremental[0], "F3")}, batch at "
            + $"{Fits.Text(batch[0], "F3")} nats a record; after {Passes} passes at {Fits.Text(stepwise[^1], "F3")}, "
            + $"{Fits.Text(incremental[^1], "F3")} and {Fits.Text(batch[^1], "F3")}, where the end is {Fits.Text(end, "F3")}. One pass "
            + $"of stepwise is worth {worth} of batch.",
            Figure.Of(new Chart("Log-likelihood by passes over the data", "passes", "nats a record")
                .Line("stepwise", x, stepwise, dots: true).Line("incremental", x, incremental, dots: true)
                    .Line("batch", x, batch, dots: true)
                .Level(end, "batch, converged")),
            "Mean log-likelihood after each pass",
            new NumberTable(["passes", "stepwise", "incremental", "batch"],
                [.. x.Select((pass, at) => (IReadOnlyList<string>)
                    [Fits.Text(pass), Fits.Text(stepwise[at], "F4"), Fits.Text(incremental[at], "F4"), Fits.Text(batch[at], "F4")])]));
    }

    private static void Stepwise(Mixture model, Minibatch rows, double[] start, double[] sums)
    {
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 0.6 }), 1);
        var state = new StepwiseState(model, start);
        var part = new Minibatch(2);
        for (int pass = 0; pass < Passes; pass++)
        {
            for (int first = 0; first < Rows; first += Block)
            {
                part.Clear();
                part.Append(rows, first, Block);
                em.Update(state, part, new double[Block]);
            }
            sums[pass] += Fits.LogLikelihood(model, rows, state.Parameters) / Sets;
        }
    }
}
