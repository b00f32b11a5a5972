using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Classifiers;

/// <summary>A mixture for every class; with one component, a family or a product of families.</summary>
internal sealed record ClassifierOptions : LatentModelOptions
{
    /// <summary>Components of every class, K.</summary>
    public int Components { get; init; } = 1;

    /// <summary>The components' family, or families over different features.</summary>
    public required EmissionParts Emissions { get; init; }

    /// <summary>The classes; none where labels name them.</summary>
    public ClassNames Named { get; init; } = ClassNames.None;

    /// <summary>The most classes that labels may name.</summary>
    public int Most { get; init; } = 32;

    /// <summary>The families' priors; none leaves out all of them.</summary>
    public Prior Prior { get; init; }

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <summary>The setting <c>components</c>.</summary>
    public static Setting ComponentsSetting { get; } = new Setting<ClassifierOptions, int>(
        "components", new IntegerKind(1, 4096), o => o.Components, (o, v) => o with { Components = v },
        "Components of every class, K.");

    /// <inheritdoc/>
    public override bool NeedsLabel => true;

    /// <inheritdoc/>
    public override string? IntervalsProblem => null;

    /// <inheritdoc/>
    public override bool HasResponsibilities => true;

    /// <inheritdoc/>
    public override int MaxClasses => Named.Names.Count > 0 ? Named.Names.Count : Most;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => Named.Names;

    /// <summary>What may be set of every classifier.</summary>
    /// <param name="families">The families there are.</param>
    public static IEnumerable<Setting> SettingsOver(IReadOnlyList<EmissionEntry> families) =>
    [
        new Setting<ClassifierOptions, EmissionParts?>(
            "emission", EmissionPartsKind.Single(families), o => o.Emissions.IsProduct ? null : o.Emissions,
            (o, v) => v is null ? o : o with { Emissions = v },
            "What a component's records are made of, over all features."),
        new Setting<ClassifierOptions, EmissionParts?>(
            "emissions", EmissionPartsKind.Product(families), o => o.Emissions.IsProduct ? o.Emissions : null,
            (o, v) => v is null ? o : o with { Emissions = v },
            "Several families, each over features of its own, in place of emission."),
        new Setting<ClassifierOptions, ClassNames>(
            "classes", new ClassNamesKind(), o => o.Named, (o, v) => o with { Named = v },
            "The classes, in their order; left out, those that the labels of the first records name."),
        new Setting<ClassifierOptions, int>(
            "max_classes", new IntegerKind(1, 4096), o => o.Most, (o, v) => o with { Most = v },
            "The most classes that labels may name, where they are not listed."),
        PriorSetting.Of<ClassifierOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        BlockNames.SettingOf<ClassifierOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }),
    ];

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema) =>
        [.. base.ProblemsWith(schema), .. Emissions.ProblemsWith(schema)];

    /// <inheritdoc/>
    /// <remarks>As many as a class needs, and one a component of the classes that are known: two where labels have still to name
    /// them.</remarks>
    public override long RowsToStart(int dimension) =>
        Math.Max((long)Math.Max(2, Named.Names.Count) * Components, Emissions.RowsToStart(Components, dimension));

    /// <inheritdoc/>
    public override LatentModelOptions WithClasses(IReadOnlyList<string> classes) =>
        classes.Count == 0 ? this : this with { Named = new ClassNames([.. classes]) };

    /// <inheritdoc/>
    public override IReadOnlyList<string> ClassesIn(IEnumerable<string> blocks, FeatureSpace space)
    {
        string[] ends =
            [".weights", .. Emissions.Create(space, Components, Prior).ParameterLayout.Blocks.Select(block => $".{block.Name}")];
        return [.. blocks.Select(block => ends.FirstOrDefault(end => block.EndsWith(end, StringComparison.Ordinal)) is { } end
                ? block[..^end.Length]
                : "")
            .Where(name => name.Length > 0).Distinct(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public override LatentModel CreateLargest(RecordSchema schema)
    {
        FeatureSpace space = Plan(schema).WithMostLevels();
        if (Named.Names.Count > 0) return Create(space);
        RequireOfAllClasses(Fixed, space);
        return (this with { Named = Numbered(Most) }).Create(space);
    }

    /// <inheritdoc/>
    /// <remarks>Before any class is known, one of two: what is known of the shape.</remarks>
    public override LatentModel Create(FeatureSpace space)
    {
        IReadOnlyList<string> names = Named.Names.Count > 0 ? Named.Names : Numbered(2).Names;
        var emission = new ClassEmission(names, [.. names.Select(_ => Emissions.Create(space, Components, Prior))]);
        var model = new Classifier(Type, names, emission);
        model.Hold(new BlockNames([.. Fixed.With(Emissions.Fixed.Names).Names.SelectMany(block => OfClasses(block, model))]));
        return model;
    }

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) => Emissions.Plan(name);

    /// <summary>Throws where a block is of one class, before any class is known.</summary>
    private void RequireOfAllClasses(BlockNames blocks, FeatureSpace space)
    {
        string[] known =
            ["class_weights", "weights", .. Emissions.Create(space, Components, Prior).ParameterLayout.Blocks.Select(block => block.Name)];
        if (blocks.Names.Except(known).FirstOrDefault() is { } unknown)
            throw new ArgumentException(
                $"fixed: {Type} has no block '{unknown}' before labels name its classes; it has {string.Join(", ", known)}, each of all "
                    + "classes. To hold a block of one class, list the classes (classes: [good, bad]) and name it good.weights",
                nameof(blocks));
    }

    private static ClassNames Numbered(int classes) =>
        new([.. Enumerable.Range(0, classes).Select(number => number.ToString(CultureInfo.InvariantCulture))]);

    /// <summary>A block by its name, or those of all classes by what is after their names.</summary>
    private static IEnumerable<string> OfClasses(string block, Classifier model) => model.ParameterLayout.Contains(block)
        ? [block]
        : model.Classes.Select(name => $"{name}.{block}").Where(model.ParameterLayout.Contains).DefaultIfEmpty(block);
}
