using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Networks;

/// <summary>
/// A network of discrete nodes (<c>type: bayesian_network</c>): every feature is one, and hidden ones are named beside them.
/// </summary>
internal sealed record BayesianNetworkOptions : LatentModelOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "bayesian_network",
        "Discrete fields that depend on each other as a given graph says, with hidden nodes; any field may be missing.",
        entry => new BayesianNetworkOptions { Entry = entry },
        new Setting<BayesianNetworkOptions, NetworkNodes>(
            "nodes", new NetworkNodesKind(), o => o.Nodes, (o, v) => o with { Nodes = v },
            "Levels and parents of nodes by name; those that are no features are hidden and need levels."),
        new Setting<BayesianNetworkOptions, int>(
            "max_levels", new IntegerKind(2, 65_536), o => o.MaxLevels, (o, v) => o with { MaxLevels = v },
            "The most levels of a feature; a value beyond them counts as missing."),
        new Setting<BayesianNetworkOptions, double>(
            "equivalent_sample_size", new NumberKind(Interval.AtLeast(0)), o => o.EquivalentSampleSize,
            (o, v) => o with { EquivalentSampleSize = v }, "Imaginary records that the prior (BDeu) spreads evenly over every table."),
        PriorSetting.Of<BayesianNetworkOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        BlockNames.SettingOf<BayesianNetworkOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }));

    /// <summary>What is said of the nodes.</summary>
    public NetworkNodes Nodes { get; init; } = NetworkNodes.None;

    /// <summary>The most levels of a feature.</summary>
    public int MaxLevels { get; init; } = 16;

    /// <summary>a of the BDeu prior.</summary>
    public double EquivalentSampleSize { get; init; } = 1;

    /// <summary>The BDeu prior, or none.</summary>
    public Prior Prior { get; init; }

    /// <summary>Tables that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema)) yield return problem;
        IReadOnlyList<DescribedNode> hidden = Nodes.Hidden(schema.Features);
        string[] names = [.. schema.Features, .. hidden.Select(node => node.Name)];
        if (hidden.FirstOrDefault(node => node.Levels.Count == 0) is { } bare)
        {
            yield return $"nodes: '{bare.Name}' is none of the features; a hidden node needs levels, a number or a list"
                + Spelling.Suggestion(bare.Name, schema.Features);
            yield break;
        }
        foreach (DescribedNode node in Nodes.Nodes)
        {
            if (node.Parents.FirstOrDefault(name => !names.Contains(name)) is { } stranger)
            {
                yield return $"nodes: '{stranger}', a parent of '{node.Name}', is neither a feature nor a hidden node; there are "
                    + $"{string.Join(", ", names)}{Spelling.Suggestion(stranger, names)}";
                yield break;
            }
            if (Entries([node.Name, .. node.Parents]) is var entries && entries <= EliminationPlan.Limit) continue;
            yield return FormattableString.Invariant(
                $"nodes: the table of '{node.Name}' may have {entries} entries with max_levels {MaxLevels}; at most ")
                + FormattableString.Invariant($"{EliminationPlan.Limit}. Lower max_levels, or give the node fewer parents");
            yield break;
        }
        if (Network.Circle(names, Nodes) is { } circle)
            yield return $"nodes: '{circle}' is its own ancestor; the graph must have no circle";
        else if (EliminationPlan.For(NetworkOf(schema.Features, _ => [.. Enumerable.Repeat("", 2)]), [.. schema.Features.Select(_ => false),
            .. hidden.Select(_ => true)]) is { IsFeasible: false } plan)
            yield return FormattableString.Invariant(
                $"nodes: summing the hidden nodes out exactly takes tables of {plan.Entries} entries; at most {EliminationPlan.Limit}. ")
                + "Give the hidden nodes fewer levels, or fewer common children";
    }

    /// <inheritdoc/>
    public override string? IntervalsProblem => null;

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => 2L * Math.Max(1, Nodes.Nodes.Count - dimension);

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        var model = new BayesianNetwork(
            Type, NetworkOf(space.Names, feature => space.Features[feature].Levels), space.Dimension,
            Prior == Prior.None ? 0 : EquivalentSampleSize);
        model.Hold(Fixed);
        return model;
    }

    /// <inheritdoc/>
    /// <remarks>Levels that are given are all there are; a value that is none of them counts as missing.</remarks>
    protected override Feature PlanFeature(string name) => Nodes.LevelsOf(name) is { Count: > 0 } levels
        ? new(name, FeatureKind.Level, FeatureScaling.None) { MaxLevels = levels.Count, Levels = levels }
        : new(name, FeatureKind.Level, FeatureScaling.None) { MaxLevels = MaxLevels };

    /// <summary>Entries of a table at most, beyond any limit counted as 2^40.</summary>
    private long Entries(IEnumerable<string> members)
    {
        long entries = 1;
        foreach (string name in members)
        {
            int states = Nodes.LevelsOf(name) is { Count: > 0 } levels ? levels.Count : MaxLevels;
            entries = Math.Min(entries * states, 1L << 40);
        }
        return entries;
    }

    private Network NetworkOf(IReadOnlyList<string> features, Func<int, IReadOnlyList<string>> levels)
    {
        IReadOnlyList<DescribedNode> hidden = Nodes.Hidden(features);
        List<string> names = [.. features, .. hidden.Select(node => node.Name)];
        // A feature that had no value yet has one level, which it always has.
        return new Network([.. names.Select((name, at) => new NetworkNode(
            name,
            at < features.Count ? levels(at) is { Count: > 0 } known ? known : [""] : hidden[at - features.Count].Levels,
            [.. Nodes.ParentsOf(name).Select(parent => names.IndexOf(parent))],
            at >= features.Count))]);
    }
}
