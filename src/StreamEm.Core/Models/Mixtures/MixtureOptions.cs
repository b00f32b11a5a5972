using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>What a label is worth.</summary>
public enum LabelNoise
{
    /// <summary>It is the component.</summary>
    None,

    /// <summary>It is a noisy observation of the component.</summary>
    Learned,
}

/// <summary>
/// A mixture over one family of components (<c>type: gaussian_mixture</c>, <c>bernoulli_mixture</c> ...) or a product of several
/// (<c>mixture</c>).
/// </summary>
public sealed record MixtureOptions : LatentModelOptions
{
    /// <summary>Number of components K.</summary>
    public int Components { get; init; } = 4;

    /// <summary>How components are born and merged, at most <see cref="Components"/>; null: there are as many from the start.</summary>
    public GrowthOptions? Growing { get; init; }

    /// <summary>The components' family, or families over different features.</summary>
    public required EmissionParts Emissions { get; init; }

    /// <summary>The families' priors; none leaves out all of them.</summary>
    public Prior Prior { get; init; }

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <summary>Whether labels are noisy observations of the component, whose confusion matrix is learned too.</summary>
    public LabelNoise LabelNoise { get; init; }

    /// <summary>
    /// Whether scores say the centre in place of the record, how far it is and what its code costs: vector quantisation.
    /// </summary>
    public bool Quantizes { get; init; }

    /// <summary>The entry of the mixture over one family: its settings stand beside <c>components</c>.</summary>
    public static ModelEntry Shorthand(EmissionEntry emission) => new(
        $"{emission.Type}_mixture",
        $"Mixture of {emission.Description}",
        entry => new MixtureOptions { Entry = entry, Emissions = EmissionParts.Of(emission.CreateOptions()) },
        [emission.CreateOptions() is GaussianOptions ? GrowingComponentsSetting() : ComponentsSetting(),
            .. emission.Settings.Select(setting => new NestedSetting<MixtureOptions>(
            setting, options => options.Emissions.Single,
            (options, held) => options with { Emissions = EmissionParts.Of((EmissionOptions)held) })),
            LabelNoiseSetting(), FixedSetting(), .. emission.CreateOptions() is GaussianOptions ? [QuantizeSetting()] : (Setting[])[]]);

    /// <summary>The entry of the mixture over several families.</summary>
    /// <param name="families">The families there are; the first is the default.</param>
    public static ModelEntry EntryOver(IReadOnlyList<EmissionEntry> families) => new(
        "mixture",
        "Mixture of K products of families over different features; clusters of mixed records.",
        entry =>
            new MixtureOptions
            {
                Entry = entry,
                Emissions = EmissionParts.Of([new EmissionPart(families[0].Type, families[0].CreateOptions(), null)])
            },
        ComponentsSetting(),
        new Setting<MixtureOptions, EmissionParts?>(
            "emissions", EmissionPartsKind.Product(families), o => o.Emissions, (o, v) => v is null ? o : o with { Emissions = v },
            "The families, each over features of its own; one without features is over all."),
        PriorSetting.Of<MixtureOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        LabelNoiseSetting(),
        FixedSetting());

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema).Concat(Emissions.ProblemsWith(schema))) yield return problem;
        if (Growing is null) yield break;
        if (schema.Label is not null)
            yield return "components: labels name components, and those of a mixture that grows come and go: leave label out, or give "
                + "their number";
        if (schema.Weight is not null)
            yield return "components: a mixture that grows counts every record once: leave weight out, or give the number of components";
        if (Fixed.Names.Count > 0)
            yield return "components: a mixture that grows has no blocks that could stay what they are: leave fixed out, or give the "
                + "number of components";
    }

    /// <inheritdoc/>
    public override bool NeedsLabel => LabelNoise == LabelNoise.Learned;

    /// <inheritdoc/>
    public override bool HasResponsibilities => true;

    /// <inheritdoc/>
    public override string? IntervalsProblem => Growing is null ? null
        : "its components come and go, and none is the same for long enough";

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => Growing is null ? Emissions.RowsToStart(Components, dimension) : dimension + 1;

    /// <inheritdoc/>
    public override GrowthOptions? Growth => Growing is null || Emissions.Single is not GaussianOptions gaussian ? null : Growing with
    {
        Max = Components,
        IsShared = gaussian.CovarianceType == CovarianceType.Tied,
        IsDiagonal = gaussian.CovarianceType == CovarianceType.Diag,
        IsIsotropic = gaussian.CovarianceType == CovarianceType.Spherical,
    };

    /// <inheritdoc/>
    public override LatentModelOptions? Grown => Emissions.IsProduct || Emissions.Single is not GaussianOptions ? null
        : Growing is not null ? this : this with { Growing = new GrowthOptions() };

    /// <inheritdoc/>
    public override LatentModelOptions WithComponents(int components) => this with { Components = components, Growing = null };

    /// <inheritdoc/>
    /// <remarks>Hard responsibilities of spheres are k-means.</remarks>
    public override LatentModelOptions For(ResponsibilityKind responsibilities) => responsibilities == ResponsibilityKind.Hard
        && Growing is null && !Emissions.IsProduct && Emissions.Single is GaussianOptions { CovarianceType: CovarianceType.Spherical }
            ? this with { Quantizes = true }
            : this;

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        bool hasPrior = Prior == Prior.Conjugate && (Emissions.IsProduct || Emissions.Single != Emissions.Single.WithoutPrior());
        var model = new Mixture(Type, Emissions.Create(space, Components, Prior), hasNoisyLabels: LabelNoise == LabelNoise.Learned,
            prior: hasPrior ? Prior.Conjugate : Prior.None, quantizes: Quantizes ? space.Scale.ToArray() : null);
        model.Hold(Fixed.With(Emissions.Fixed.Names));
        return model;
    }

    /// <inheritdoc/>
    protected override string LabelProblem => "label_noise: there are no labels; set label to the field that holds them";

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) => Emissions.Plan(name);

    private static Setting<MixtureOptions, LabelNoise> LabelNoiseSetting() => new(
        "label_noise", new ChoiceKind<LabelNoise>(), o => o.LabelNoise, (o, v) => o with { LabelNoise = v },
        "none: a label says which component a record is of; learned: it says so with a probability that is learned.");

    private static Setting<MixtureOptions, bool> QuantizeSetting() => new(
        "quantize", new BooleanKind(), o => o.Quantizes, (o, v) => o with { Quantizes = v },
        "Scores also say the centre, its squared distance and the bits of its code; true by itself where responsibilities are hard and "
            + "covariances spherical.");

    private static Setting<MixtureOptions, BlockNames> FixedSetting() =>
        BlockNames.SettingOf<MixtureOptions>(o => o.Fixed, (o, v) => o with { Fixed = v });

    private static Setting<MixtureOptions, ComponentCount> GrowingComponentsSetting() => new(
        "components", new ComponentCountKind(), o => new ComponentCount(o.Components, o.Growing),
        (o, v) => o with { Components = v.Count, Growing = v.Growth },
        "Number of components K, or how they grow: born where records are far from all, the closest merged beyond max.");

    private static Setting<MixtureOptions, int> ComponentsSetting() => new(
        "components", new IntegerKind(1, 65_536), o => o.Components, (o, v) => o with { Components = v }, "Number of components K.");
}
