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
        new Setting<BayesianNetworkOptions, NetworkStructure>(
            "structure", new NetworkStructureKind(), o => o.Structure, (o, v) => o with { Structure = v },
            "The parents of every node, by name; nodes left out have none."),
        new Setting<BayesianNetworkOptions, HiddenNodes>(
            "hidden", new HiddenNodesKind(), o => o.Hidden, (o, v) => o with { Hidden = v },
            "Nodes that no record holds, with the number of their states."),
        new Setting<BayesianNetworkOptions, int>(
            "max_levels", new IntegerKind(2, 65_536), o => o.MaxLevels, (o, v) => o with { MaxLevels = v },
            "The most levels of a feature; a value beyond them counts as missing."),
        new Setting<BayesianNetworkOptions, double>(
            "equivalent_sample_size", new NumberKind(Interval.AtLeast(0)), o => o.EquivalentSampleSize,
            (o, v) => o with { EquivalentSampleSize = v }, "Imaginary records that the prior (BDeu) spreads evenly over every table."));

    /// <summary>The parents of every node.</summary>
    public NetworkStructure Structure { get; init; } = NetworkStructure.None;

    /// <summary>The hidden nodes.</summary>
    public HiddenNodes Hidden { get; init; } = HiddenNodes.None;

    /// <summary>The most levels of a feature.</summary>
    public int MaxLevels { get; init; } = 16;

    /// <summary>a of the BDeu prior.</summary>
    public double EquivalentSampleSize { get; init; } = 1;

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema)) yield return problem;
        string[] hidden = [.. Hidden.States.Select(node => node.Node)], names = [.. schema.Features, .. hidden];
        if (schema.Features.FirstOrDefault(hidden.Contains) is { } both)
            yield return $"hidden: '{both}' is a feature; a hidden node has a name that no feature has";
        foreach ((string node, IReadOnlyList<string> parents) in Structure.Parents)
            foreach (string name in (string[])[node, .. parents])
                if (!names.Contains(name))
                {
                    yield return $"structure: '{name}' is neither a feature nor a hidden node; there are {string.Join(", ", names)}"
                        + Spelling.Suggestion(name, names);
                    yield break;
                }
        foreach ((string node, IReadOnlyList<string> parents) in Structure.Parents)
            if (Entries([node, .. parents]) is var entries && entries > EliminationPlan.Limit)
            {
                yield return FormattableString.Invariant(
                    $"structure: the table of '{node}' may have {entries} entries with max_levels {MaxLevels}; at most ")
                    + FormattableString.Invariant($"{EliminationPlan.Limit}. Lower max_levels, or give the node fewer parents");
                yield break;
            }
        if (Network.Circle(names, Structure) is { } circle)
            yield return $"structure: '{circle}' is its own ancestor; the graph must have no circle";
        else if (EliminationPlan.For(NetworkOf(schema.Features, _ => [.. Enumerable.Repeat("", 2)]), [.. schema.Features.Select(_ => false),
            .. hidden.Select(_ => true)]) is { IsFeasible: false } plan)
            yield return FormattableString.Invariant(
                $"hidden: summing the hidden nodes out exactly takes tables of {plan.Entries} entries; at most {EliminationPlan.Limit}. ")
                + "Give the hidden nodes fewer states, or fewer common children";
    }

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => 2L * Math.Max(1, Hidden.States.Count);

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space) => new BayesianNetwork(
        Type, NetworkOf(space.Names, feature => space.Features[feature].Levels), space.Dimension, EquivalentSampleSize);

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) =>
        new(name, FeatureKind.Level, FeatureScaling.None) { MaxLevels = MaxLevels };

    /// <summary>Entries of a table at most, beyond any limit counted as 2^40.</summary>
    private long Entries(IEnumerable<string> members)
    {
        long entries = 1;
        foreach (string name in members)
        {
            int states = Hidden.States.Where(node => node.Node == name).Select(node => node.States).DefaultIfEmpty(MaxLevels).First();
            entries = Math.Min(entries * states, 1L << 40);
        }
        return entries;
    }

    private Network NetworkOf(IReadOnlyList<string> features, Func<int, IReadOnlyList<string>> levels)
    {
        List<string> names = [.. features, .. Hidden.States.Select(node => node.Node)];
        // A feature that had no value yet has one level, which it always has.
        return new Network([.. names.Select((name, at) => new NetworkNode(
            name,
            at < features.Count
                ? levels(at) is { Count: > 0 } known ? known : [""]
                : [.. Enumerable.Range(0, Hidden.States[at - features.Count].States)
                    .Select(state => FormattableString.Invariant($"{state}"))],
            [.. Structure.Of(name).Select(parent => names.IndexOf(parent))],
            at >= features.Count))]);
    }
}
