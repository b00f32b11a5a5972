using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Regression;

/// <summary>What regressions share.</summary>
internal abstract record RegressionOptions : LatentModelOptions
{
    /// <summary>Whether there is an intercept.</summary>
    public bool FitIntercept { get; init; } = true;

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <inheritdoc/>
    public sealed override bool NeedsTarget => true;

    /// <inheritdoc/>
    public sealed override long RowsToStart(int dimension) => dimension + 2L;

    /// <inheritdoc/>
    public sealed override LatentModel Create(FeatureSpace space)
    {
        LatentModel model = CreateRegression(space);
        model.Hold(Fixed);
        return model;
    }

    /// <summary>Makes the model, all of whose blocks may move.</summary>
    protected abstract LatentModel CreateRegression(FeatureSpace space);

    /// <inheritdoc/>
    /// <remarks>Without an intercept zero means something: nothing is moved.</remarks>
    protected sealed override Feature PlanFeature(string name) =>
        new(name, Scaling: FitIntercept ? FeatureScaling.LocationAndScale : FeatureScaling.None);

    /// <summary>The settings of all regressions, with those of one of them before.</summary>
    private protected static Setting[] SettingsWith<TOptions>(params Setting[] own)
        where TOptions : RegressionOptions =>
    [
        .. own,
        new Setting<TOptions, bool>(
            "fit_intercept", new BooleanKind(), o => o.FitIntercept, (o, v) => o with { FitIntercept = v },
            "Whether there is an intercept, the first of the coefficients; without one nothing is standardised."),
        BlockNames.SettingOf<TOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }),
    ];
}
