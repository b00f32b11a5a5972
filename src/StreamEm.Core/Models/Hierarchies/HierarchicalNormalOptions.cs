using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Hierarchies;

/// <summary>What keeps the variance between groups away from 0.</summary>
internal enum GroupVariancePrior
{
    /// <summary>Nothing: maximum likelihood, which is 0 where the groups differ by no more than their errors.</summary>
    None,

    /// <summary>Gamma(2) with a rate near 0 on the standard deviation between groups (Chung et al. 2013): away from 0, and else nothing.
    /// </summary>
    BoundaryAvoiding,
}

/// <summary>
/// Estimates of groups with their standard errors (<c>type: hierarchical_normal</c>). The features are the estimate, its standard error,
/// and where they are named the fields of group and house.
/// </summary>
internal sealed record HierarchicalNormalOptions : LatentModelOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "hierarchical_normal",
        "Groups that are alike, each known by estimates with standard errors: schools, polls; shrinks what is little known.",
        entry => new HierarchicalNormalOptions { Entry = entry },
        new Setting<HierarchicalNormalOptions, string?>(
            "estimate", new OptionalTextKind("the name of a feature, or null"), o => o.Estimate, (o, v) => o with { Estimate = v },
            "The feature that holds the estimate; null: the first that is no name."),
        new Setting<HierarchicalNormalOptions, string?>(
            "standard_error", new OptionalTextKind("the name of a feature, or null"), o => o.StandardError,
            (o, v) => o with { StandardError = v }, "The feature that holds its standard error; null: the second that is no name."),
        new Setting<HierarchicalNormalOptions, string?>(
            "group", new OptionalTextKind("the name of a feature, or null"), o => o.Group, (o, v) => o with { Group = v },
            "The feature that names the group of an estimate; without one every record is a group of its own."),
        new Setting<HierarchicalNormalOptions, string?>(
            "effects", new OptionalTextKind("the name of a feature, or null"), o => o.House, (o, v) => o with { House = v },
            "The feature that names who made the estimate: what all estimates of one are off by is learned; needs group."),
        new Setting<HierarchicalNormalOptions, double>(
            "shared", new NumberKind(Interval.AtLeast(0)), o => o.SharedDeviation, (o, v) => o with { SharedDeviation = v },
            "Standard deviation of an error that all groups have in common, in the estimates' units: it is in scores and in sample."),
        new Setting<HierarchicalNormalOptions, int>(
            "max_groups", new IntegerKind(1, 1000), o => o.MaxGroups, (o, v) => o with { MaxGroups = v }, "The most groups."),
        new Setting<HierarchicalNormalOptions, int>(
            "max_houses", new IntegerKind(1, 1000), o => o.MaxHouses, (o, v) => o with { MaxHouses = v }, "The most houses."),
        new Setting<HierarchicalNormalOptions, GroupVariancePrior>(
            "prior", new ChoiceKind<GroupVariancePrior>(), o => o.Prior, (o, v) => o with { Prior = v },
            "boundary_avoiding keeps the variance between groups above 0."),
        BlockNames.SettingOf<HierarchicalNormalOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }));

    /// <summary>The feature that holds the estimate; null for the first that is no name.</summary>
    public string? Estimate { get; init; }

    /// <summary>The feature that holds its standard error; null for the second that is no name.</summary>
    public string? StandardError { get; init; }

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <summary>The feature that names the group; null for none.</summary>
    public string? Group { get; init; }

    /// <summary>The feature that names the house; null for none.</summary>
    public string? House { get; init; }

    /// <summary>Standard deviation of the error that all groups share.</summary>
    public double SharedDeviation { get; init; }

    /// <summary>The most groups.</summary>
    public int MaxGroups { get; init; } = 128;

    /// <summary>The most houses.</summary>
    public int MaxHouses { get; init; } = 64;

    /// <summary>What keeps the variance between groups above 0.</summary>
    public GroupVariancePrior Prior { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema)) yield return problem;
        if (House is not null && Group is null)
            yield return "effects: without group every record is a group of its own; set group, or leave effects out";
        if (Group is null && SharedDeviation > 0)
            yield return "shared: an error that all groups share needs group, the feature that names them";
        foreach (string name in (IEnumerable<string>)[.. Named])
            if (!schema.Features.Contains(name)) yield return $"'{name}' is named as group or effects and is none of the features";
        if (Group is not null && Group == House) yield return "effects: it is the same feature as group";
        string[] numbers = NumbersOf(schema);
        if (numbers.Length != 2)
            yield return FormattableString.Invariant(
                $"features: {numbers.Length} beside group and effects; expected two, the estimate and its standard error");
        else if (Estimate is { } estimate && !numbers.Contains(estimate))
            yield return $"estimate: '{estimate}' is not one of {numbers[0]} and {numbers[1]}";
        else if (StandardError is { } error && !numbers.Contains(error))
            yield return $"standard_error: '{error}' is not one of {numbers[0]} and {numbers[1]}";
        else if (Estimate is not null && Estimate == StandardError)
            yield return "standard_error: it is the same feature as estimate";
    }

    /// <inheritdoc/>
    public override string? ParameterRecursionProblem => Group is null ? null
        : "what groups and houses are is latent for the whole stream, and what maximises a minibatch's own Q counts the prior once per "
            + "minibatch, so that it never washes out; the statistics recursion keeps the moments of the data instead";

    /// <inheritdoc/>
    public override string? IntervalsProblem => Group is null ? null
        : "what groups and houses are is latent for the whole stream, which is then one observation";

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => 3;

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        int[] numbers = [.. Enumerable.Range(0, space.Dimension).Where(d => !space.Features[d].HasLevels)];
        if (EstimateAmong([.. numbers.Select(d => space.Names[d])]) != 0) Array.Reverse(numbers);
        LatentModel model = Create(space, numbers);
        model.Hold(Fixed);
        return model;
    }

    private LatentModel Create(FeatureSpace space, int[] numbers)
    {
        if (Group is null) return new HierarchicalNormal(Type, space.Features[numbers[0]], Prior) { EstimateAt = numbers[0] };
        int Find(string? name) => name is null ? -1 : space.Names.ToList().IndexOf(name);
        IReadOnlyList<string> Levels(int feature) => feature < 0 ? [] : space.Features[feature].Levels;
        int group = Find(Group), house = Find(House);
        return new GroupedNormal(Type, new GroupedFields(numbers[0], numbers[1], group, house), Levels(group), Levels(house))
        {
            Estimate = space.Features[numbers[0]],
            Prior = Prior,
            SharedVariance = SharedDeviation * SharedDeviation,
        };
    }

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) =>
        name == Group ? new Feature(name, FeatureKind.Level, FeatureScaling.None) { MaxLevels = MaxGroups }
        : name == House ? new Feature(name, FeatureKind.Level, FeatureScaling.None) { MaxLevels = MaxHouses }
        : new Feature(name, FeatureKind.Number, FeatureScaling.None);

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name, RecordSchema schema) =>
        Named.Contains(name) || NumbersOf(schema) is var numbers && numbers[EstimateAmong(numbers)] == name
            ? PlanFeature(name)
            : new Feature(name, FeatureKind.NonNegative, FeatureScaling.None);

    /// <summary>Which of the two numbers the estimate is.</summary>
    private int EstimateAmong(string[] numbers) =>
        Estimate is not null ? Estimate == numbers[0] ? 0 : numbers.Length - 1
        : StandardError is not null && StandardError == numbers[0] ? numbers.Length - 1 : 0;

    private string[] NumbersOf(RecordSchema schema) => [.. schema.Features.Where(name => !Named.Contains(name))];

    private string[] Named => [.. ((string?[])[Group, House]).OfType<string>()];
}

/// <summary>Which features are what; -1 for none.</summary>
/// <param name="Estimate">The estimate.</param>
/// <param name="Error">Its standard error.</param>
/// <param name="Group">Its group.</param>
/// <param name="House">Who made it.</param>
internal readonly record struct GroupedFields(int Estimate, int Error, int Group, int House)
{
    /// <summary>How many features they are.</summary>
    public int Count => 2 + (Group >= 0 ? 1 : 0) + (House >= 0 ? 1 : 0);
}
