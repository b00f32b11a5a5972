using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Factors;

/// <summary>How the loadings are learned.</summary>
internal enum LoadingsStep
{
    /// <summary>By the maximum of Q.</summary>
    Em,

    /// <summary>By that of a larger model whose factors have any normal distribution, taken back to this one (parameter expansion: Liu,
    /// Rubin &amp; Wu 1998).</summary>
    PxEm,
}

/// <summary>What factor analysis and probabilistic PCA share, and mixtures of either.</summary>
internal abstract record FactorOptions : LatentModelOptions
{
    /// <summary>Number of factors q.</summary>
    public int Factors { get; init; } = 2;

    /// <summary>Number of components K.</summary>
    public int Components { get; init; } = 1;

    /// <summary>How the loadings are learned.</summary>
    public LoadingsStep LoadingsStep { get; init; }

    /// <summary>Added to every noise variance in the M-step, in units of each feature's variance.</summary>
    public double RegCovar { get; init; } = 1e-6;

    /// <summary>Nothing but <c>reg_covar</c>, or an inverse gamma on every noise variance.</summary>
    public Prior Prior { get; init; } = Prior.None;

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <inheritdoc/>
    public override bool HasResponsibilities => Components > 1;

    /// <summary>Whether all features have one noise variance, and with it one unit.</summary>
    protected abstract bool IsIsotropic { get; }

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema)) yield return problem;
        if (Factors >= schema.Features.Count)
            yield return FormattableString.Invariant(
                $"factors: {Factors} factors of {schema.Features.Count} features; there must be fewer factors than features");
    }

    /// <inheritdoc/>
    public override string? IntervalsProblem => "its loadings are known up to a rotation only, and so have no information of their own";

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => (long)Components * (Factors + 2);

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        IReadOnlyList<Feature> features = space.Features;
        var regularization = CovarianceRegularization.Of(features, RegCovar);
        if (Prior == Prior.Conjugate) regularization = regularization.WithPrior(features, Components, 1);
        var analyser = new FactorAnalyser(Components, features.Count, Factors, IsIsotropic, isAlone: true, regularization)
        {
            IsExpanded = LoadingsStep == LoadingsStep.PxEm,
        };
        LatentModel model = Components == 1 ? new SingleComponent(Type, analyser) : new Mixture(Type, analyser);
        model.Hold(Fixed);
        return model;
    }

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) =>
        new(name, Scaling: IsIsotropic ? FeatureScaling.CommonScale : FeatureScaling.LocationAndScale);

    /// <summary>An entry of the catalogue with the settings of both.</summary>
    protected static ModelEntry EntryOf(string type, string description, Func<ModelEntry, FactorOptions> create) => new(
        type,
        description,
        create,
        new Setting<FactorOptions, int>(
            "factors", new IntegerKind(1, 65_536), o => o.Factors, (o, v) => o with { Factors = v },
            "Number of factors q, fewer than features."),
        new Setting<FactorOptions, int>(
            "components", new IntegerKind(1, 65_536), o => o.Components, (o, v) => o with { Components = v },
            "Number of components K: more than one make a mixture."),
        new Setting<FactorOptions, LoadingsStep>(
            "loadings_step", new ChoiceKind<LoadingsStep>(), o => o.LoadingsStep, (o, v) => o with { LoadingsStep = v },
            "How loadings are learned: by the maximum of Q, or by that of a larger model, in far fewer passes over data that end."),
        new Setting<FactorOptions, double>(
            "reg_covar", new NumberKind(Interval.AtLeast(0)), o => o.RegCovar, (o, v) => o with { RegCovar = v },
            "Added to every noise variance, in units of each feature's variance."),
        PriorSetting.Of<FactorOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        BlockNames.SettingOf<FactorOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }));
}
