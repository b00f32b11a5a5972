using StreamEm.Core.Features;

namespace StreamEm.Core.Models.Emissions;

/// <summary>One part of a product: a family over some of the features.</summary>
/// <param name="Name">What its blocks' names begin with: the family, with a number where there are several of it.</param>
/// <param name="Options">The family.</param>
/// <param name="Features">Its features; null for all of them.</param>
public sealed record EmissionPart(string Name, EmissionOptions Options, IReadOnlyList<string>? Features)
{
    /// <summary>Blocks of the family that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <inheritdoc/>
    public bool Equals(EmissionPart? other) =>
        other is not null && Name == other.Name && Options == other.Options && (Features ?? []).SequenceEqual(other.Features ?? [])
        && Fixed == other.Fixed;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Options, Features?.Count);
}

/// <summary>
/// What the components of a model are made of: one family over all features, or a product of families over features of their own.
/// </summary>
public sealed record EmissionParts
{
    private readonly EmissionOptions? _single;

    private EmissionParts(EmissionOptions? single, IReadOnlyList<EmissionPart> parts, IEnumerable<string> fixedBlocks) =>
        (_single, Parts, Fixed) = (single, parts, new BlockNames([.. fixedBlocks]));

    /// <summary>The families' blocks that stay what they are, by their names in the model.</summary>
    public BlockNames Fixed { get; }

    /// <summary>The parts of a product; empty for one family.</summary>
    public IReadOnlyList<EmissionPart> Parts { get; }

    /// <summary>Whether there are several families, or one that names its features.</summary>
    public bool IsProduct => _single is null;

    /// <summary>The only family.</summary>
    /// <exception cref="InvalidOperationException">There are several.</exception>
    public EmissionOptions Single => _single ?? throw new InvalidOperationException("There are several families.");

    /// <summary>One family over all features; its blocks have its own names.</summary>
    public static EmissionParts Of(EmissionOptions single) => new(single, [], []);

    /// <summary>One family over all features, of which some blocks stay what they are.</summary>
    public static EmissionParts Of(EmissionOptions single, BlockNames fixedBlocks) => new(single, [], fixedBlocks.Names);

    /// <summary>A product; the blocks of a part begin with its name.</summary>
    public static EmissionParts Of(IReadOnlyList<EmissionPart> parts) =>
        new(null, parts, parts.SelectMany(part => part.Fixed.Names.Select(name => $"{part.Name}.{name}")));

    /// <inheritdoc/>
    public bool Equals(EmissionParts? other) => other is not null && Equals(_single, other._single) && Parts.SequenceEqual(other.Parts)
        && Fixed == other.Fixed;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_single, Parts.Count);

    /// <summary>What keeps a schema from being modelled, for a person.</summary>
    public IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (EmissionPart part in Parts)
            foreach (string feature in part.Features ?? [])
                if (!schema.Features.Contains(feature))
                    yield return $"emissions: {part.Name} is over '{feature}', which is none of features: "
                        + $"{string.Join(", ", schema.Features)}";
        if (Parts.Count == 0) yield break;
        foreach (string feature in schema.Features)
        {
            string[] owners = [.. Parts.Where(part => part.Features?.Contains(feature) ?? true).Select(part => part.Name)];
            if (owners.Length == 0)
                yield return $"emissions: feature '{feature}' is in no emission; add it to one, or leave it out of features";
            if (owners.Length > 1)
                yield return $"emissions: feature '{feature}' is in {owners.Length} emissions ({string.Join(", ", owners)}); each feature "
                    + "belongs to one";
        }
    }

    /// <summary>What a feature holds and how it is scaled.</summary>
    public Feature Plan(string feature) => (_single ?? OwnerOf(feature)).Plan(feature);

    /// <summary>The fewest rows that determine first parameters.</summary>
    public long RowsToStart(int components, int dimension) => _single is { } single
        ? single.RowsToStart(components, dimension)
        : Parts.Max(part => part.Options.RowsToStart(components, part.Features?.Count ?? dimension));

    /// <summary>Makes the family, or the product.</summary>
    /// <param name="space">The features.</param>
    /// <param name="components">K.</param>
    /// <param name="prior">None leaves out the families' priors too.</param>
    public Emission Create(FeatureSpace space, int components, Prior prior)
    {
        EmissionOptions With(EmissionOptions options) => prior == Prior.None ? options.WithoutPrior() : options;
        if (_single is { } single) return With(single).Create(space.Features, components);
        var parts = new List<ProductPart>();
        foreach (EmissionPart part in Parts)
        {
            int[] features = [.. Enumerable.Range(0, space.Dimension).Where(d => part.Features?.Contains(space.Features[d].Name) ?? true)];
            parts.Add(new ProductPart(
                part.Name, With(part.Options).Create([.. features.Select(d => space.Features[d])], components), features));
        }
        return new Product(parts, space.Dimension);
    }

    private EmissionOptions OwnerOf(string feature) => Parts.First(part => part.Features?.Contains(feature) ?? true).Options;
}
