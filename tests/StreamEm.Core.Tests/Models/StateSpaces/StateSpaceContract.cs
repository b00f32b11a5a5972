using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.StateSpaces;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Models.StateSpaces;

/// <summary>The laws of every model, of one whose state is numbers.</summary>
[ContractOf("linear_gaussian_state_space")]
public sealed class StateSpaceLaws : ModelContract
{
    /// <summary>Features stay in their units.</summary>
    protected override bool FollowsUnits => false;

    protected override double OfDrawn => 0.25;

    protected override LatentModelOptions Options(int components, int dimension) =>
        (LinearGaussianStateSpaceOptions)ModelCatalog.Find("linear_gaussian_state_space")!.CreateOptions() with
        {
            StateDimension = Math.Min(components, 2),
            Keys = 400,
            Prior = Prior.Conjugate,
        };

    protected override LatentModel Create(int components, int dimension) => StateSpaceTests.Free(Math.Min(components, 2), dimension);

    protected override RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(dimension) with { Key = "device" };

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var steps = new Minibatch(dimension, count);
        for (int n = 0; n < count; n++) steps.Add(new double[dimension], 0.5 + chance.NextDouble());
        Minibatch sequences = Contracts.Sequences.Of(steps, seed), rows = new(dimension, count);
        double level = 0, slow = 0;
        for (int n = 0; n < count; n++)
        {
            bool begins = sequences.SequenceStarts.Contains(n);
            if (begins) rows.BeginSequence();
            level = (begins ? 0 : 0.8 * level) + Gaussians.Normal(chance);
            slow = (begins ? 0 : 0.95 * slow) + 0.3 * Gaussians.Normal(chance);
            double[] x = [.. Enumerable.Range(0, dimension).Select(d => level * (1 + d) - slow * (d - 1) + 0.7 * Gaussians.Normal(chance))];
            rows.Add([.. x.Select(value => chance.NextDouble() < missing ? double.NaN : value)], sequences.Weight(n),
                key: sequences.Key(n));
        }
        return rows;
    }

    protected override Minibatch Records(Minibatch rows) => Contracts.Sequences.Interleaved(rows);

    protected override double[] ImpossibleRow(int dimension) => [.. Enumerable.Repeat(1e200, dimension)];

    /// <summary>The state is integrated out: nothing is left of its entropy.</summary>
    private protected override double EntropyOf(LatentModel model, double[] theta, Minibatch rows) => 0;

    /// <summary>A row that says nothing is still a step.</summary>
    protected override IEnumerable<VectorBlock> StatisticsOfRows(LatentModel model) =>
        base.StatisticsOfRows(model).Where(block =>
            !block.Name.StartsWith("initial", StringComparison.Ordinal) && block.Name is not
                ("passages" or "from_moments" or "to_moments" or "cross_moments"));
}
