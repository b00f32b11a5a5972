namespace StreamEm.Core.Vectors;

/// <summary>
/// Named blocks with shapes over one flat <c>double[]</c>. Parameters and statistics of every model are such vectors, so the recursion,
/// checkpoints, snapshots and merging know no model.
/// </summary>
public sealed class VectorLayout
{
    private readonly Dictionary<string, VectorBlock> _byName = new(StringComparer.Ordinal);
    private readonly List<VectorBlock> _blocks = [];

    /// <summary>The blocks in order; they cover the vector without gaps.</summary>
    public IReadOnlyList<VectorBlock> Blocks => _blocks;

    /// <summary>Total number of doubles.</summary>
    public int Length { get; private set; }

    /// <summary>The block called <paramref name="name"/>.</summary>
    /// <exception cref="KeyNotFoundException">No such block; the message lists those there are.</exception>
    public VectorBlock this[string name] => _byName.TryGetValue(name, out VectorBlock? block)
        ? block
        : throw new KeyNotFoundException($"No block '{name}' in this layout; it has {this}.");

    /// <summary>Whether there is a block called <paramref name="name"/>.</summary>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>Appends a block of any numbers; returns this layout, so that a layout reads as one expression.</summary>
    public VectorLayout Add(string name, params int[] shape) => Add(new VectorBlock(name, Length, shape, Coordinates.Linear));

    /// <summary>Appends a block of given units and domain.</summary>
    public VectorLayout Add(string name, Units units, Domain domain, params int[] shape) =>
        Add(new VectorBlock(name, Length, shape, Coordinates.Linear) { Units = units, Domain = domain });

    /// <summary>Appends a block as it is, at the end.</summary>
    public VectorLayout Add(VectorBlock block)
    {
        VectorBlock placed = block with { Offset = Length };
        _byName.Add(placed.Name, placed);
        _blocks.Add(placed);
        Length = checked(Length + placed.Length);
        return this;
    }

    /// <summary>Appends all blocks of another layout, in order.</summary>
    /// <param name="other">The blocks.</param>
    /// <param name="prefix">What their names begin with here: <c>gaussian.</c></param>
    /// <param name="features">The features that the other layout's features are; null when they are the same.</param>
    public VectorLayout Append(VectorLayout other, string prefix = "", IReadOnlyList<int>? features = null)
    {
        foreach (VectorBlock block in other.Blocks)
            Add(block with
            {
                Name = prefix + block.Name,
                Features = features is null
                    ? block.Features
                    : [.. (block.Features ?? [.. Enumerable.Range(0, features.Count)]).Select(feature => features[feature])]
            });
        return this;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", _blocks);
}
