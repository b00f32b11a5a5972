using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.RandomWalks;

/// <summary>Counts of a level that walks at random: <c>type: poisson_random_walk</c>.</summary>
internal sealed record PoissonRandomWalkOptions : LatentModelOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "poisson_random_walk",
        "Counts of a level that walks at random, at several places with exposures; each key a sequence. Particle filter, Monte Carlo EM.",
        entry => new PoissonRandomWalkOptions { Entry = entry },
        new Setting<PoissonRandomWalkOptions, int>(
            "particles", new IntegerKind(10, 1_000_000), o => o.Particles, (o, v) => o with { Particles = v },
            "Particles of the filter, and paths drawn backwards."),
        new Setting<PoissonRandomWalkOptions, NameList>(
            "exposures", new ExposuresKind(), o => o.Exposures, (o, v) => o with { Exposures = v },
            "How much of every count's place was looked at: a number, or the feature that holds it; empty for 1 each."),
        new Setting<PoissonRandomWalkOptions, ulong>(
            "seed", new SeedKind(), o => o.Seed, (o, v) => o with { Seed = v }, "Seed of all chance."),
        SequenceOptionsKind.SettingOf<PoissonRandomWalkOptions>(o => o.Sequences, (o, v) => o with { SequencesMade = v }),
        new Setting<PoissonRandomWalkOptions, int>(
            "max_keys", new IntegerKind(1, 10_000_000), o => o.Keys, (o, v) => o with { Keys = v },
            "Keys remembered at once, each with its particles; beyond them the one not met for longest is forgotten. At least "
                + "minibatch.size."),
        ForecastSetting.Of<PoissonRandomWalkOptions>(o => o.Forecast, (o, v) => o with { Forecast = v }),
        PriorSetting.Of<PoissonRandomWalkOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        BlockNames.SettingOf<PoissonRandomWalkOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }));

    /// <summary>Particles.</summary>
    public int Particles { get; init; } = 1000;

    /// <summary>Of every count a number or a feature's name; empty for 1 each.</summary>
    public NameList Exposures { get; init; } = NameList.None;

    /// <summary>Seed of all chance.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>When the sequence of a key is over.</summary>
    public SequenceOptions SequencesMade { get; init; } = SequenceOptions.Default;

    /// <summary>Keys remembered at once.</summary>
    public int Keys { get; init; } = 1000;

    /// <summary>Steps that every score looks ahead.</summary>
    public int Forecast { get; init; }

    /// <summary>There is none: the setting is every model's.</summary>
    public Prior Prior { get; init; } = Prior.None;

    /// <summary>Blocks that stay what they are: of one sequence nothing can be said of how levels differ where they begin.</summary>
    public BlockNames Fixed { get; init; } = new([PoissonRandomWalk.InitialVariance]);

    /// <inheritdoc/>
    public override SequenceOptions Sequences => SequencesMade;

    /// <inheritdoc/>
    public override string? IntervalsProblem => "its E-step draws, and what it draws would be taken for information";

    /// <inheritdoc/>
    public override int MaxKeys => Keys;

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema)) yield return problem;
        if (Sequences.Lag > 0)
            yield return "sequences: lag is of hidden_markov and linear_gaussian_state_space; here paths are drawn through the records of "
                + "a minibatch: a larger minibatch.size looks further ahead, end: whole to the end";
        string[] counts = [.. schema.Features.Where(name => !IsExposure(name))];
        if (counts.Length == 0) yield return "exposures: every feature holds one; at least one must hold counts";
        if (Exposures.Names.Count > 0 && Exposures.Names.Count != counts.Length)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"exposures: there are {Exposures.Names.Count} for {counts.Length} count(s) ({string.Join(", ", counts)}); "
                    + $"give one for each: a number or the name of the feature that holds it");
        foreach (string name in Exposures.Names)
            if (!ExposuresKind.IsNumber(name, out _) && !schema.Features.Contains(name))
                yield return $"exposures: '{name}' is neither a number nor one of features: {string.Join(", ", schema.Features)}";
    }

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => 2;

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        int[] counts = [.. Enumerable.Range(0, space.Dimension).Where(d => !IsExposure(space.Features[d].Name))];
        double[] numbers = new double[counts.Length];
        int[] features = new int[counts.Length];
        for (int at = 0; at < counts.Length; at++)
        {
            (numbers[at], features[at]) = (1, -1);
            if (Exposures.Names.Count == 0) continue;
            if (!ExposuresKind.IsNumber(Exposures.Names[at], out numbers[at]))
                features[at] = Enumerable.Range(0, space.Dimension).First(d => space.Features[d].Name == Exposures.Names[at]);
        }
        var model = new PoissonRandomWalk(Type, space.Dimension, new PlaceCounts(counts, numbers, features), Particles, Seed)
        {
            Forecast = Forecast,
            IsWhole = Sequences.End == SequenceEnd.Whole,
        };
        model.Hold(Fixed);
        return model;
    }

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) =>
        new(name, IsExposure(name) ? FeatureKind.NonNegative : FeatureKind.Count, FeatureScaling.None);

    private bool IsExposure(string name) => Exposures.Names.Contains(name);
}
