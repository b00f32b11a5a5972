using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>The tests' own family obeys the laws: they ask nothing that is Gaussian.</summary>
public sealed class LevelsInMixture : MixtureOf<LevelsFamily>;

/// <summary>A model without components, of sequences that go on from minibatch to minibatch, obeys the laws of every model.</summary>
public sealed class RandomWalkTests : ModelContract
{
    /// <inheritdoc/>
    protected override bool FollowsUnits => false;

    protected override bool CanBeDrawn => false;

    protected override LatentModelOptions Options(int components, int dimension) => RandomWalkOptions.Of(200);

    protected override RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(dimension) with { Key = "device" };

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var steps = new Minibatch(dimension, count);
        for (int n = 0; n < count; n++)
            steps.Add([.. Enumerable.Range(0, dimension).Select(d => Gaussians.Normal(chance) * (0.2 + 0.1 * d))],
                0.5 + chance.NextDouble());
        Minibatch sequences = Sequences.Of(steps, seed), walks = new(dimension, count);
        double[] at = new double[dimension];
        for (int n = 0; n < count; n++)
        {
            bool begins = sequences.SequenceStarts.Contains(n);
            if (begins) walks.BeginSequence();
            for (int d = 0; d < dimension; d++) at[d] = (begins ? 0 : at[d]) + sequences.Row(n)[d];
            walks.Add([.. at.Select(value => chance.NextDouble() < missing ? double.NaN : value)], sequences.Weight(n),
                key: sequences.Key(n));
        }
        return walks;
    }

    protected override Minibatch Records(Minibatch rows) => Sequences.Interleaved(rows);
}

/// <summary>No family is left out of a host.</summary>
public sealed class ContractTests
{
    [Fact]
    public void EveryFamily_HasATestClassForEveryHost()
    {
        Type[] types = typeof(ContractTests).Assembly.GetTypes();
        Type[] hosts = [.. types.Where(type =>
            type.IsAbstract && type.BaseType is { IsGenericType: true } parent
                && parent.GetGenericTypeDefinition() == typeof(EmissionContract<>))];
        Type[] families = [.. types.Where(type => type.IsSubclassOf(typeof(Family)) && !type.IsAbstract && type != typeof(LevelsFamily))];
        Assert.True(hosts.Length >= 2 && families.Length >= 4);
        foreach (Type family in families)
            foreach (Type host in hosts)
                Assert.True(
                    types.Any(type => type.IsSealed && type.BaseType == host.MakeGenericType(family)),
                    $"{family.Name} lacks a test class in {host.Name}");
    }
}
