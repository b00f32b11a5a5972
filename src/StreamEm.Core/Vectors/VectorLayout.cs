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

    /// <summary>Appends a block; returns this layout, so that a layout reads as one expression.</summary>
    public VectorLayout Add(string name, params int[] shape) => Add(name, Coordinates.Linear, shape);

    /// <summary>Appends a block that is combined in the given coordinates.</summary>
    public VectorLayout Add(string name, Coordinates coordinates, params int[] shape)
    {
        var block = new VectorBlock(name, Length, shape, coordinates);
        _byName.Add(name, block);
        _blocks.Add(block);
        Length = checked(Length + block.Length);
        return this;
    }

    /// <summary>Appends all blocks of another layout, in order.</summary>
    public VectorLayout Append(VectorLayout other)
    {
        foreach (VectorBlock block in other.Blocks) Add(block.Name, block.Coordinates, [.. block.Shape]);
        return this;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", _blocks);
}
