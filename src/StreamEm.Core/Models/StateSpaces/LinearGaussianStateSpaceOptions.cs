using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.StateSpaces;

/// <summary>A linear-Gaussian state space: <c>type: linear_gaussian_state_space</c>.</summary>
internal sealed record LinearGaussianStateSpaceOptions : LatentModelOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "linear_gaussian_state_space",
        "Linear-Gaussian state space: a hidden state that moves linearly, each key a sequence; Kalman filter and smoother.",
        entry => new LinearGaussianStateSpaceOptions { Entry = entry },
        new Setting<LinearGaussianStateSpaceOptions, int>(
            "state_dimension", new IntegerKind(1, 256), o => o.StateDimension, (o, v) => o with { StateDimension = v },
            "Dimension d of the state, where the form is free."),
        new Setting<LinearGaussianStateSpaceOptions, StateSpaceForm>(
            "form", new ChoiceKind<StateSpaceForm>(), o => o.Form, (o, v) => o with { Form = v },
            "What is known of the matrices: free learns all; the others are structural time series of every feature."),
        new Setting<LinearGaussianStateSpaceOptions, int>(
            "season", new IntegerKind(2, 256), o => o.Season, (o, v) => o with { Season = v },
            "Records of a period, of local_trend_season."),
        SequenceOptionsKind.SettingOf<LinearGaussianStateSpaceOptions>(o => o.Sequences, (o, v) => o with { SequencesMade = v }),
        new Setting<LinearGaussianStateSpaceOptions, int>(
            "max_keys", new IntegerKind(1, 10_000_000), o => o.Keys, (o, v) => o with { Keys = v },
            "Keys remembered at once; beyond them the one not met for longest is forgotten. At least minibatch.size."),
        ForecastSetting.Of<LinearGaussianStateSpaceOptions>(o => o.Forecast, (o, v) => o with { Forecast = v }),
        new Setting<LinearGaussianStateSpaceOptions, double>(
            "reg_covar", new NumberKind(Interval.AtLeast(0)), o => o.RegCovar, (o, v) => o with { RegCovar = v },
            "Added to the diagonal of observation_covariance, in units of each feature's variance."),
        PriorSetting.Of<LinearGaussianStateSpaceOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        BlockNames.SettingOf<LinearGaussianStateSpaceOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }));

    /// <summary>Dimension d of the state; a form other than free has its own.</summary>
    public int StateDimension { get; init; } = 1;

    /// <summary>What is known of the matrices.</summary>
    public StateSpaceForm Form { get; init; }

    /// <summary>Records of a period.</summary>
    public int Season { get; init; } = 12;

    /// <summary>When the sequence of a key is over.</summary>
    public SequenceOptions SequencesMade { get; init; } = SequenceOptions.Default;

    /// <summary>Keys remembered at once.</summary>
    public int Keys { get; init; } = 10_000;

    /// <summary>Steps that every score looks ahead.</summary>
    public int Forecast { get; init; }

    /// <summary>Added to the diagonal of R in the M-step, in units of each feature's variance.</summary>
    public double RegCovar { get; init; } = 1e-9;

    /// <summary>Nothing but <c>reg_covar</c>, or an inverse Wishart on Q and R.</summary>
    public Prior Prior { get; init; } = Prior.None;

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <inheritdoc/>
    public override SequenceOptions Sequences => SequencesMade;

    /// <inheritdoc/>
    public override string? IntervalsProblem =>
        "its matrices are known up to a change of the state's coordinates only, and so have no information of their own";

    /// <inheritdoc/>
    public override int MaxKeys => Keys;

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => 2L * (Form == StateSpaceForm.Free ? StateDimension : 1) + 2;

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        var regularization = CovarianceRegularization.Of(space.Features, RegCovar);
        StructuralModel? structure = Form == StateSpaceForm.Free ? null : new StructuralModel(Form, Season, space.Dimension);
        double[] variances = [.. space.Features.Select(feature => feature.Variance)];
        var model = new LinearGaussianStateSpace(
            Type, structure?.Dimension ?? StateDimension, variances, structure, regularization)
        {
            HasPrior = Prior == Prior.Conjugate,
            Forecast = Forecast,
            IsWhole = Sequences.End == SequenceEnd.Whole,
        };
        model.Hold(Fixed);
        return model;
    }

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) => new(name, Scaling: FeatureScaling.None);
}
