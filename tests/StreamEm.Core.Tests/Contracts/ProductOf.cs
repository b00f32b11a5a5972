using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>
/// A family in a product with another, in a mixture: the first of D features is the other family's, the rest its own; one feature alone is
/// its own. Rows of the other family have the texts of codes as a source would number them without a table.
/// </summary>
public abstract class ProductOf<TFamily> : EmissionContract<TFamily>
    where TFamily : Family, new()
{
    private static readonly LevelsFamily Other = new();

    protected override LatentModelOptions Options(int components, int dimension) => Hosts.Mixture(components, EmissionParts.Of(
    [
        new EmissionPart("other", Other.Options, ["x0"]),
        new EmissionPart("own", Tested.Options, [.. RecordSchema.OfNumbers(dimension).Features.Skip(1)]),
    ]));

    protected override ComponentModel Host(Emission emission) => new Mixture("mixture", emission);

    protected override Emission Components(int components, int dimension)
    {
        if (dimension == 1) return new Product([new ProductPart("own", Tested.Create(components, 1), [0])], 1);
        return new Product(
            [
                new ProductPart("other", Other.Create(components, 1), [0]),
                new ProductPart("own", Tested.Create(components, dimension - 1), [.. Enumerable.Range(1, dimension - 1)]),
            ],
            dimension);
    }

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        if (dimension == 1) return Tested.Rows(1, count, seed, missing);
        Minibatch others = Other.Rows(1, count, seed, missing), own = Tested.Rows(dimension - 1, count, seed, missing),
            rows = new(dimension, count);
        for (int row = 0; row < count; row++) rows.Add([others.Row(row)[0], .. own.Row(row)], own.Weight(row));
        return rows;
    }

    protected override Minibatch Records(Minibatch rows) => rows;

    protected override double[]? ImpossibleRow(int dimension) => Tested.ImpossibleRow(dimension - 1) is { } row ? [0, .. row] : null;
}
