using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Initialization;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Initialization;

public sealed class InitializerTests
{
    private static readonly Initializer Start = new(new InitializationOptions { NInit = 3, Seed = 5 }, 1);

    [Fact]
    public void Best_OfStartsOfDifferentWorth_IsRefinedFromTheBest()
    {
        Mixture model = Gaussians.Model(3, 2);
        Minibatch rows = Gaussians.Three.Draw(800, 4);
        double[] saddle = new double[model.ParameterLayout.Length], near = Gaussians.Three.Start(4).Flatten(model);
        model.Neutral(saddle);
        int asked = 0;
        double[] best = Start.Best(model, rows, _ => asked++ == 1 ? near : saddle);
        Assert.Equal(3, asked);
        BatchEmResult refined = BatchEm.Run(model, rows, near, new BatchEmOptions());
        Assert.Equal(refined.LogLikelihoods[^1], BatchEm.Run(model, rows, best, new BatchEmOptions()).LogLikelihoods[^1], 1e-6);
        Assert.True(refined.LogLikelihoods[^1] > BatchEm.Run(model, rows, saddle, new BatchEmOptions()).LogLikelihoods[^1] + 0.1);
    }

    [Fact]
    public void Chance_OfARestart_IsItsOwnAndTheSameEachTime()
    {
        var drawn = new List<ulong>();
        Mixture model = Gaussians.Model(1, 2);
        Minibatch rows = Gaussians.Three.Draw(50, 4);
        for (int run = 0; run < 2; run++)
            Start.Best(model, rows, chance =>
            {
                drawn.Add(chance.NextUInt64());
                return Neutral(model);
            });
        Assert.Equal(drawn[..3], drawn[3..]);
        Assert.Equal(3, drawn.Distinct().Count());
        Assert.Equal(3, Start.Restarts);
    }

    [Fact]
    public void Partition_ModelThatIgnoresLabels_IsAnErrorAndNoSaddle()
    {
        var deaf = new Deaf(Gaussians.Model(2, 2));
        InvalidOperationException exception =
            Assert.Throws<InvalidOperationException>(() => deaf.Start(Gaussians.Three.Draw(500, 6), Start));
        Assert.Matches(
            @"^deaf does not respond to labels: rows of weight 0\.\d+ are labelled 0, and the component's mass is 0\.5\. "
                + @"It cannot start from a partition\.$",
            exception.Message);
        // The same over rows of labels it would have had to take.
        Assert.Equal(14, Gaussians.Model(2, 2).Start(Gaussians.Three.Draw(500, 6), Start).Length);
    }

    [Fact]
    public void Start_OfAModelOfSequences_IsWhereItsLikelihoodIsHighest()
    {
        var rows = new Minibatch(1);
        var chance = new SplitMix64(8);
        double squares = 0;
        for (int sequence = 0; sequence < 40; sequence++)
        {
            rows.BeginSequence();
            double x = Gaussians.Normal(chance);
            for (int step = 0; step < 10; step++)
            {
                if (step > 0)
                {
                    double taken = 0.3 * Gaussians.Normal(chance);
                    (x, squares) = (x + taken, squares + taken * taken);
                }
                rows.Add([x]);
            }
        }
        Assert.Equal(squares / (40 * 9), new RandomWalk(1).Start(rows, Start)[0], 1e-12);
    }

    private static double[] Neutral(LatentModel model)
    {
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        return theta;
    }

    /// <summary>A mixture that does not hear what it is told of its rows' components.</summary>
    private sealed class Deaf(Mixture mixture) : ComponentModel
    {
        public override string Type => "deaf";

        public override int Dimension => mixture.Dimension;

        public override int Components => mixture.Components;

        public override VectorLayout ParameterLayout => mixture.ParameterLayout;

        public override VectorLayout StatisticsLayout => mixture.StatisticsLayout;

        public override string MembershipBlock => mixture.MembershipBlock;

        public override IEnumerable<VectorBlock> MixingBlocks => mixture.MixingBlocks;

        public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null) =>
            new Unlabelled(mixture.Prepare(parameters));

        public override void Masses(ReadOnlySpan<double> averages, Span<double> masses) => mixture.Masses(averages, masses);

        public override void Shares(ReadOnlySpan<double> parameters, Span<double> shares) => mixture.Shares(parameters, shares);

        public override void Reseed(Span<double> parameters, Span<double> statistics, int component, ReadOnlySpan<double> location) =>
            mixture.Reseed(parameters, statistics, component, location);

        public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units) =>
            mixture.Split(parameters, component, other, units);

        public override void Maximize(
            ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events) =>
            mixture.Maximize(statistics, rows, previous, result, events);

        public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result) =>
            mixture.ImpliedStatistics(parameters, effectiveRows, result);

        public override void Neutral(Span<double> result) => mixture.Neutral(result);

        private sealed class Unlabelled(EStep eStep) : EStep
        {
            public override Workspace CreateWorkspace() => eStep.CreateWorkspace();

            public override Evidence Accumulate(
                Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
            {
                var plain = new Minibatch(batch.Dimension);
                for (int row = 0; row < batch.Count; row++) plain.Add(batch.Row(row), batch.Weight(row));
                return eStep.Accumulate(plain, first, count, statistics, logDensities, workspace);
            }

            public override void Score(
                Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace) =>
                eStep.Score(batch, first, count, logDensities, scores, workspace);
        }
    }
}
