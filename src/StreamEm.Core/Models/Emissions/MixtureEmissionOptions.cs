using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Emissions;

/// <summary>A mixture inside a state: <c>{mixture: {components: 3, emission: {gaussian: {}}}}</c>.</summary>
internal sealed record MixtureEmissionOptions : EmissionOptions
{
    private EmissionEntry? _entry;

    /// <inheritdoc/>
    public override EmissionEntry Entry => _entry ?? throw new InvalidOperationException("A mixture was made without its catalogue.");

    /// <summary>Components of a state, M.</summary>
    public int Components { get; init; } = 2;

    /// <summary>Their family, or families over different features.</summary>
    public required EmissionParts Emissions { get; init; }

    /// <summary>A tenth of an imaginary record in every component, or nothing.</summary>
    public Prior Prior { get; init; }

    /// <summary>The family in the catalogue.</summary>
    /// <param name="families">The families there are; the first is the default.</param>
    public static EmissionEntry EntryOver(IReadOnlyList<EmissionEntry> families)
    {
        EmissionEntry? entry = null;
        return entry = new EmissionEntry(
            "mixture",
            "a mixture in each state; states whose records come in several kinds.",
            () => new MixtureEmissionOptions { _entry = entry, Emissions = EmissionParts.Of(families[0].CreateOptions()) },
            new Setting<MixtureEmissionOptions, int>(
                "components", new IntegerKind(1, 1024), o => o.Components, (o, v) => o with { Components = v },
                "Components of a state."),
            new Setting<MixtureEmissionOptions, EmissionParts?>(
                "emission", EmissionPartsKind.Single(families), o => o.Emissions.IsProduct ? null : o.Emissions,
                (o, v) => v is null ? o : o with { Emissions = v }, "Their family, over all features."),
            new Setting<MixtureEmissionOptions, EmissionParts?>(
                "emissions", EmissionPartsKind.Product(families), o => o.Emissions.IsProduct ? o.Emissions : null,
                (o, v) => v is null ? o : o with { Emissions = v }, "Several families, each over features of its own."),
            PriorSetting.Of<MixtureEmissionOptions>(o => o.Prior, (o, v) => o with { Prior = v }));
    }

    /// <inheritdoc/>
    public override Feature Plan(string feature) => Emissions.Plan(feature);

    /// <inheritdoc/>
    public override EmissionOptions WithoutPrior() => this with { Prior = Prior.None };

    /// <inheritdoc/>
    public override long RowsToStart(int components, int dimension) => Emissions.RowsToStart(components * Components, dimension);

    /// <inheritdoc/>
    public override Emission Create(IReadOnlyList<Feature> features, int components)
    {
        var space = new FeatureSpace([.. features]);
        int all = components * Components;
        Emission inner = Emissions.Create(space, all, Prior), larger = Emissions.Create(space, all + 1, Prior);
        var mixture = new MixtureEmission(inner, larger, components, Components, Prior == Prior.None ? 0 : MixtureEmission.Imaginary);
        mixture.Hold([.. Emissions.Fixed.Names]);
        return mixture;
    }
}
