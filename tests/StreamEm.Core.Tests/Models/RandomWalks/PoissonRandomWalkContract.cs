using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.RandomWalks;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Models.RandomWalks;

/// <summary>The laws of every model, of one that draws.</summary>
[ContractOf("poisson_random_walk")]
public sealed class PoissonRandomWalkLaws : ModelContract
{
    protected override bool IsExact => false;

    protected override double OfDrawn => 0.25;

    /// <summary>Counts have no units.</summary>
    protected override bool FollowsUnits => false;

    protected override LatentModelOptions Options(int components, int dimension) => Few(50);

    internal static PoissonRandomWalkOptions Few(int particles) =>
        (PoissonRandomWalkOptions)ModelCatalog.Find("poisson_random_walk")!.CreateOptions() with
        {
            Keys = 400,
            Particles = particles,
            Fixed = BlockNames.None,
        };

    protected override RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(dimension) with { Key = "device" };

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var draws = new RandomDraws(seed);
        var steps = new Minibatch(dimension, count);
        for (int n = 0; n < count; n++) steps.Add(new double[dimension], 0.5 + chance.NextDouble());
        Minibatch sequences = Contracts.Sequences.Of(steps, seed), rows = new(dimension, count);
        double level = 0;
        for (int n = 0; n < count; n++)
        {
            bool begins = sequences.SequenceStarts.Contains(n);
            if (begins) rows.BeginSequence();
            level = Math.Max(0.5, (begins ? 6 : level) + 0.7 * Gaussians.Normal(chance));
            double[] x = [.. Enumerable.Range(0, dimension).Select(_ => draws.Poisson(1.5 * level))];
            rows.Add([.. x.Select(value => chance.NextDouble() < missing ? double.NaN : value)], sequences.Weight(n),
                key: sequences.Key(n));
        }
        return rows;
    }

    protected override Minibatch Records(Minibatch rows) => Contracts.Sequences.Interleaved(rows);

    private protected override double EntropyOf(LatentModel model, double[] theta, Minibatch rows) => 0;

    /// <summary>How many particles carry the weight is no parameter.</summary>
    protected override IEnumerable<VectorBlock> TellableParameters(LatentModel model) =>
        model.ParameterLayout.Blocks.Where(block => !block.IsOptional);

    /// <summary>A row that says nothing is still a step.</summary>
    protected override IEnumerable<VectorBlock> StatisticsOfRows(LatentModel model) =>
        base.StatisticsOfRows(model).Where(block => block.Name is not
            ("passages" or "squared_changes" or "initial" or "initial_levels" or "initial_squares"));
}
