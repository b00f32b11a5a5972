namespace StreamEm.Core.Vectors;

/// <summary>
/// The coordinates in which a block of parameters may be combined convexly (theory: Cappé &amp; Moulines 2009, section 3).
/// </summary>
public enum Coordinates
{
    /// <summary>The values themselves: simplex rows, means, positive definite matrices are closed under convex combination.</summary>
    Linear,

    /// <summary>Their logarithms: degrees of freedom and other scale-free positive values.</summary>
    Logarithm,
}

/// <summary>One named part of a flat vector: <c>means [K, D]</c> at <paramref name="Offset"/>, row-major.</summary>
/// <param name="Name">The field's own word, as in the snapshot: <c>weights</c>, <c>means</c>, <c>covariances</c>.</param>
/// <param name="Offset">Index of the first double in the flat vector.</param>
/// <param name="Shape">Extents, outermost first; empty for a scalar.</param>
/// <param name="Coordinates">Where the stepwise recursion combines old and new values.</param>
public sealed record VectorBlock(string Name, int Offset, IReadOnlyList<int> Shape, Coordinates Coordinates)
{
    /// <summary>How the values follow the features' units.</summary>
    public Units Units { get; init; }

    /// <summary>Which values are valid.</summary>
    public Domain Domain { get; init; }

    /// <summary>Whether the features are on the axis before the last, which holds several values of each: loadings [D, q].</summary>
    public bool HasValuesPerFeature { get; init; }

    /// <summary>How many values lie side by side for each feature.</summary>
    public int ValuesPerFeature => HasValuesPerFeature ? Shape[^1] : 1;

    /// <summary>The features of their axis; null for all of them, in order. A part of a product has some.</summary>
    public IReadOnlyList<int>? Features { get; init; }

    /// <summary>What the entries of the last axis are called: terms, levels; null where they have no names.</summary>
    public IReadOnlyList<string>? Entries { get; init; }

    /// <summary>What a row along the last axis is of, by its number; null where rows have no names.</summary>
    public Func<int, string>? RowName { get; init; }

    /// <summary>Whether the block is a constant of the model, which given parameters may leave out.</summary>
    public bool IsOptional { get; init; }

    /// <summary>Number of doubles: the product of <see cref="Shape"/>.</summary>
    public int Length { get; } = Shape.Aggregate(1, (product, extent) => checked(product * extent));

    /// <summary>The block's part of a flat vector.</summary>
    public Span<double> Of(Span<double> vector) => vector.Slice(Offset, Length);

    /// <summary>The block's part of a flat vector.</summary>
    public ReadOnlySpan<double> Of(ReadOnlySpan<double> vector) => vector.Slice(Offset, Length);

    /// <summary>The block's part of a flat vector.</summary>
    public ReadOnlyMemory<double> Of(ReadOnlyMemory<double> vector) => vector.Slice(Offset, Length);

    /// <inheritdoc/>
    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}
