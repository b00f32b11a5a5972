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
    protected override LatentModelOptions Options(int components, int dimension) => RandomWalkOptions.Of(200);

    protected override RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(dimension) with { Key = "device" };

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var batch = new Minibatch(dimension, count);
        double[] row = new double[dimension];
        for (int n = 0, left = 0, slot = -1; n < count; n++)
        {
            if (left-- == 0)
            {
                batch.BeginSequence();
                Array.Clear(row);
                (left, slot) = (chance.NextInt32(12), slot + 1);
            }
            for (int d = 0; d < dimension; d++) row[d] += Gaussians.Normal(chance) * (0.2 + 0.1 * d);
            batch.Add([.. row.Select(value => chance.NextDouble() < missing ? double.NaN : value)], 0.5 + chance.NextDouble(), key: slot);
        }
        return batch;
    }

    /// <summary>Rows of the sequences in turn, keys as texts.</summary>
    protected override Minibatch Records(Minibatch rows)
    {
        var texts = new TextTable();
        var records = new Minibatch(rows.Dimension, rows.Count, texts);
        for (int row = 0; row < rows.Count; row++)
            records.Add(rows.Row(row * 37 % rows.Count), rows.Weight(row), key: texts.Number($"device {rows.Key(row * 37 % rows.Count) % 9}"));
        return records;
    }
}

/// <summary>No family is left out of a host.</summary>
public sealed class ContractTests
{
    [Fact]
    public void EveryFamily_HasATestClassForEveryHost()
    {
        Type[] types = typeof(ContractTests).Assembly.GetTypes();
        Type[] hosts = [.. types.Where(type => type.IsAbstract && type.BaseType is { IsGenericType: true } parent && parent.GetGenericTypeDefinition() == typeof(EmissionContract<>))];
        Type[] families = [.. types.Where(type => type.IsSubclassOf(typeof(Family)) && !type.IsAbstract && type != typeof(LevelsFamily))];
        Assert.True(hosts.Length >= 2 && families.Length >= 4);
        foreach (Type family in families)
            foreach (Type host in hosts)
                Assert.True(types.Any(type => type.IsSealed && type.BaseType == host.MakeGenericType(family)), $"{family.Name} lacks a test class in {host.Name}");
    }
}
