using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Sequences;

/// <summary>A hidden Markov model: <c>type: hidden_markov</c>.</summary>
internal sealed record HiddenMarkovOptions : LatentModelOptions
{
    /// <summary>Number of states K.</summary>
    public int States { get; init; } = 2;

    /// <summary>The states' family, or families over different features.</summary>
    public required EmissionParts Emissions { get; init; }

    /// <summary>Keys remembered at once.</summary>
    public int Keys { get; init; } = 10_000;

    /// <summary>When the sequence of a key is over.</summary>
    public SequenceOptions SequencesMade { get; init; } = SequenceOptions.Default;

    /// <summary>Steps that every score looks ahead.</summary>
    public int Forecast { get; init; }

    /// <summary>The priors of startprob, transmat and the families; none leaves out all of them.</summary>
    public Prior Prior { get; init; }

    /// <summary>The concentration of the Dirichlet prior of startprob.</summary>
    public double StartPrior { get; init; } = 1.1;

    /// <summary>The concentration of the Dirichlet prior of every row of transmat.</summary>
    public double TransitionPrior { get; init; } = 1.1;

    /// <summary>Imaginary passages from each state to itself.</summary>
    public double Sticky { get; init; }

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <summary>The entry in the catalogue.</summary>
    /// <param name="families">The families there are; the first is the default.</param>
    public static ModelEntry EntryOver(IReadOnlyList<EmissionEntry> families) => new(
        "hidden_markov",
        "Hidden Markov model: K states that follow each other, each key a sequence of its own, endless or whole.",
        entry => new HiddenMarkovOptions { Entry = entry, Emissions = EmissionParts.Of(families[0].CreateOptions()) },
        new Setting<HiddenMarkovOptions, int>(
            "states", new IntegerKind(1, 4096), o => o.States, (o, v) => o with { States = v }, "Number of states K."),
        new Setting<HiddenMarkovOptions, EmissionParts?>(
            "emission", EmissionPartsKind.Single(families), o => o.Emissions.IsProduct ? null : o.Emissions,
            (o, v) => v is null ? o : o with { Emissions = v },
            "What a state's records are made of, over all features."),
        new Setting<HiddenMarkovOptions, EmissionParts?>(
            "emissions", EmissionPartsKind.Product(families), o => o.Emissions.IsProduct ? o.Emissions : null,
            (o, v) => v is null ? o : o with { Emissions = v },
            "Several families, each over features of its own, in place of emission."),
        new Setting<HiddenMarkovOptions, int>(
            "max_keys", new IntegerKind(1, 10_000_000), o => o.Keys, (o, v) => o with { Keys = v },
            "Keys remembered at once; beyond them the one not met for longest is forgotten. At least minibatch.size."),
        SequenceOptionsKind.SettingOf<HiddenMarkovOptions>(o => o.SequencesMade, (o, v) => o with { SequencesMade = v }),
        ForecastSetting.Of<HiddenMarkovOptions>(o => o.Forecast, (o, v) => o with { Forecast = v }),
        new Setting<HiddenMarkovOptions, double>(
            "startprob_prior", new NumberKind(Interval.AtLeast(1)), o => o.StartPrior, (o, v) => o with { StartPrior = v },
            "Concentration of the Dirichlet prior of startprob; 1 is none."),
        new Setting<HiddenMarkovOptions, double>(
            "transmat_prior", new NumberKind(Interval.AtLeast(1)), o => o.TransitionPrior, (o, v) => o with { TransitionPrior = v },
            "Concentration of the Dirichlet prior of every row of transmat; 1 is none."),
        new Setting<HiddenMarkovOptions, double>(
            "sticky", new NumberKind(Interval.AtLeast(0)), o => o.Sticky, (o, v) => o with { Sticky = v },
            "Imaginary passages from each state to itself: states last longer."),
        PriorSetting.Of<HiddenMarkovOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        BlockNames.SettingOf<HiddenMarkovOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }));

    /// <inheritdoc/>
    public override string? IntervalsProblem => null;

    /// <inheritdoc/>
    public override bool HasResponsibilities => true;

    /// <inheritdoc/>
    public override int MaxKeys => Keys;

    /// <inheritdoc/>
    public override SequenceOptions Sequences => SequencesMade;

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema) =>
        [.. base.ProblemsWith(schema), .. Emissions.ProblemsWith(schema)];

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => Emissions.RowsToStart(States, dimension);

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        bool hasPrior = Prior != Prior.None;
        var model = new HiddenMarkov(Type, Emissions.Create(space, States, Prior), Prior)
        {
            ImaginaryStarts = hasPrior ? Imaginary(StartPrior) : 0,
            ImaginaryPassages = hasPrior ? Imaginary(TransitionPrior) : 0,
            Sticky = hasPrior ? Sticky : 0,
            Forecast = Forecast,
            IsWhole = Sequences.End == SequenceEnd.Whole,
        };
        model.Hold(Fixed.With(Emissions.Fixed.Names));
        return model;
    }

    /// <summary>alpha - 1, in decimals: 1.1 is 0.1 and nothing beside.</summary>
    private static double Imaginary(double concentration) =>
        concentration < 1e15 ? (double)((decimal)concentration - 1) : concentration;

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) => Emissions.Plan(name);
}
