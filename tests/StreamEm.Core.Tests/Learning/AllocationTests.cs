using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

public sealed class AllocationTests
{
    private const int WarmUp = 8, Measured = 8, Stretches = 5;

    private static readonly Gaussians Four = new(
        [0.5, 0.3, 0.2], [[0, 0, 1, 2], [4, 0, 2, 1], [0, 4, 3, 0]],
        [
            [1, 0.3, 0, 0, 0.3, 1, 0, 0, 0, 0, 1, 0.2, 0, 0, 0.2, 1],
            [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
            [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
        ]);

    [Theory]
    [InlineData(CovarianceType.Full)]
    [InlineData(CovarianceType.Diag)]
    [InlineData(CovarianceType.Spherical)]
    [InlineData(CovarianceType.Tied)]
    public void Learn_SteadyState_AllocatesNothing(CovarianceType type)
    {
        foreach (Recursion recursion in Enum.GetValues<Recursion>())
            foreach (int minibatch in (int[])[256, 512, 1000])
                Assert.Equal(0, OfUpdates(Gaussians.Mixture(3, type), recursion, minibatch, Gaussians.Three));
    }

    [Theory]
    [InlineData(CovarianceType.Full)]
    [InlineData(CovarianceType.Diag)]
    [InlineData(CovarianceType.Spherical)]
    [InlineData(CovarianceType.Tied)]
    public void Learn_ATenthOfTheValuesMissing_AllocatesNothing(CovarianceType type)
    {
        foreach (Recursion recursion in Enum.GetValues<Recursion>())
            Assert.Equal(0, OfUpdates(Gaussians.Mixture(3, type), recursion, 500, Four, 0.1));
    }

    [Fact]
    public void Learn_AProductWithMissingValues_AllocatesNothing()
    {
        MixtureParts model = new("x0", "x1");
        foreach (Recursion recursion in Enum.GetValues<Recursion>()) Assert.Equal(0, OfUpdates(model.Options, recursion, 500, Four, 0.1));
    }

    [Fact]
    public void Learn_RowsWithWeightsAndLabels_AllocateNothing() =>
        Assert.Equal(0, OfUpdates(Gaussians.Mixture(3), Recursion.Statistics, 300, Gaussians.Three, 0, more: true));

    [Fact]
    public void Learn_SequencesOfKeys_AllocatesNothing() =>
        Assert.Equal(0,
            OfUpdates(Hosts.HiddenMarkov(3, EmissionParts.Of(new GaussianOptions())), Recursion.Statistics, 300, Gaussians.Three, 0.1,
                more: true));

    [Fact]
    public void Learn_Levels_AllocateNothing()
    {
        Minibatch records = LevelRecords.Texts(LevelRecords.Codes(3, 60 * 300, 1, 0.1));
        Assert.Equal(0, OfUpdates(ModelCatalog.MixtureOf(new CategoricalOptions(), 3), Recursion.Statistics, 300, records));
    }

    [Theory]
    [InlineData(ResponsibilityKind.Hard)]
    [InlineData(ResponsibilityKind.Annealed)]
    [InlineData(ResponsibilityKind.Sparse)]
    public void Learn_RowsSharedOutByAnyRule_AllocatesNothing(ResponsibilityKind kind)
    {
        var rule = new Responsibilities { Kind = kind, Updates = 1000, Active = 2 };
        Minibatch rows = Gaussians.Three.Draw(300 * (WarmUp + Measured * Stretches), 1);
        Assert.Equal(0, OfUpdates(Gaussians.Mixture(3), Recursion.Statistics, 300, rows, rule));
    }

    private sealed record MixtureParts(params string[] Diagonal)
    {
        public LatentModelOptions Options => Hosts.Mixture(3, EmissionParts.Of(
        [
            new EmissionPart("diag", new GaussianOptions { CovarianceType = CovarianceType.Diag }, Diagonal),
            new EmissionPart("full", new GaussianOptions(), ["x2", "x3"]),
        ]));
    }

    private static long OfUpdates(
        LatentModelOptions model, Recursion recursion, int minibatch, Gaussians truth, double missing = 0, bool more = false)
    {
        Minibatch rows = truth.Draw(minibatch * (WarmUp + Measured * Stretches), 1, missing);
        return OfUpdates(model, recursion, minibatch, more ? WithMore(rows) : rows);
    }

    /// <summary>
    /// The least of several stretches: a log-density as never before widens the sketch, and a pattern of missing values as never before
    /// needs its memory, whatever the number of records.
    /// </summary>
    private static long OfUpdates(
        LatentModelOptions model, Recursion recursion, int minibatch, Minibatch rows, Responsibilities? responsibilities = null)
    {
        var options = new LearningOptions
        {
            MinibatchSize = minibatch,
            Recursion = recursion,
            AnomalyHalfLife = 1e4,
            Initialization = new() { Buffer = 2000 },
            Responsibilities = responsibilities ?? new Responsibilities(),
        };
        var learner = new Learner(model, RecordSchema.OfNumbers(rows.Dimension), options, threads: 1);
        Streams.Feed(learner, rows, 0, minibatch * WarmUp);
        long least = long.MaxValue;
        for (int stretch = 0; stretch < Stretches; stretch++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Streams.Feed(learner, rows, minibatch * (WarmUp + Measured * stretch), minibatch * Measured);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }

    private static Minibatch WithMore(Minibatch rows)
    {
        var texts = new TextTable();
        var result = new Minibatch(rows.Dimension, rows.Count, texts);
        for (int row = 0; row < rows.Count; row++)
        {
            int label = row % 4 == 0 ? texts.Number(row % 8 == 0 ? "a" : "b") : Minibatch.Unlabelled;
            result.Add(rows.Row(row), 1 + row % 3, label, key: texts.Number($"k{row % 10}"), timestamp: row);
        }
        return result;
    }
}
