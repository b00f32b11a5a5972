using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Experts;

/// <summary>What says how probable each expert is before the target is looked at.</summary>
internal enum GateKind
{
    /// <summary>softmax of a linear function of the features, by Newton steps.</summary>
    Softmax,

    /// <summary>A normal distribution of the features for every expert, in closed form; features may be missing.</summary>
    Gaussian,

    /// <summary>Nothing but a weight: a mixture of regressions.</summary>
    Constant,
}

/// <summary>What an expert says of the target.</summary>
internal enum ExpertKind
{
    /// <summary>Normal about a linear function of the features.</summary>
    Linear,

    /// <summary>One of several classes, by multinomial logistic regression.</summary>
    Logistic,
}

/// <summary>Mixture of experts (<c>type: mixture_of_experts</c>).</summary>
internal sealed record ExpertsOptions : LatentModelOptions
{
    /// <summary>The part of the target's variance that an imaginary row of an expert is off by, squared.</summary>
    private const double ImaginarySquare = 0.01;

    /// <summary>The most groups of a tree.</summary>
    private const int MostOfATree = 256;

    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "mixture_of_experts",
        "Mixture of K regressions, or classifiers, of a target, chosen by the features: piecewise, with several answers where there are.",
        entry => new ExpertsOptions { Entry = entry },
        new Setting<ExpertsOptions, int>(
            "experts", new IntegerKind(1, 65_536), o => o.Experts, (o, v) => o with { Experts = v },
            "Number of experts K; with depth 2 of groups, and of experts in each."),
        new Setting<ExpertsOptions, GateKind>(
            "gate", new ChoiceKind<GateKind>(), o => o.Gate, (o, v) => o with { Gate = v },
            "What chooses the expert: softmax of the features; gaussian, their distribution under each expert; or constant, a weight."),
        new Setting<ExpertsOptions, int>(
            "depth", new IntegerKind(1, 2), o => o.Depth, (o, v) => o with { Depth = v },
            "Levels of a softmax gate: 2 is a tree of K x K experts, a group chosen first and then one of its K."),
        new Setting<ExpertsOptions, ExpertKind>(
            "expert", new ChoiceKind<ExpertKind>(), o => o.Expert, (o, v) => o with { Expert = v },
            "linear: the target is a number; logistic: it is a class, a text or a number."),
        new Setting<ExpertsOptions, int>(
            "max_classes", new IntegerKind(2, 65_536), o => o.MaxTargetClasses, (o, v) => o with { MaxTargetClasses = v },
            "The most classes of a target of logistic experts."),
        new Setting<ExpertsOptions, double>(
            "gate_precision", new NumberKind(Interval.AtLeast(0)), o => o.GatePrecision, (o, v) => o with { GatePrecision = v },
            "Precision of the normal prior of every coefficient of a softmax gate, and of logistic experts, of standardised features; "
                + "prior: none leaves it out."),
        new Setting<ExpertsOptions, double>(
            "min_variance", new NumberKind(Interval.AtLeast(0)), o => o.MinVariance, (o, v) => o with { MinVariance = v },
            "The least noise variance of a linear expert, in units of the target's variance."),
        new Setting<ExpertsOptions, double>(
            "reg_covar", new NumberKind(Interval.AtLeast(0)), o => o.RegCovar, (o, v) => o with { RegCovar = v },
            "Added to every noise variance, and to the variances of a gaussian gate, in units of the target's and the features' own."),
        PriorSetting.Of<ExpertsOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        BlockNames.SettingOf<ExpertsOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }));

    /// <summary>Number of experts K.</summary>
    public int Experts { get; init; } = 2;

    /// <summary>What chooses the expert.</summary>
    public GateKind Gate { get; init; }

    /// <summary>Levels of the gate; with 2 there are K x K experts.</summary>
    public int Depth { get; init; } = 1;

    private int Leaves => Depth == 1 ? Experts : Experts * Experts;

    /// <summary>What an expert says.</summary>
    public ExpertKind Expert { get; init; }

    /// <summary>The most classes of a target.</summary>
    public int MaxTargetClasses { get; init; } = 32;

    /// <summary>tau of the coefficients of softmax.</summary>
    public double GatePrecision { get; init; } = 0.1;

    /// <summary>The least noise variance, in units of the target's variance.</summary>
    public double MinVariance { get; init; }

    /// <summary>Added to variances, in units of the columns' own.</summary>
    public double RegCovar { get; init; }

    /// <summary>What is known before the first record.</summary>
    public Prior Prior { get; init; }

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <inheritdoc/>
    public override bool NeedsTarget => true;

    /// <inheritdoc/>
    public override string? IntervalsProblem => "its gate moves by Newton's steps, which are no sums over records";

    /// <inheritdoc/>
    public override bool HasResponsibilities => true;

    /// <inheritdoc/>
    /// <remarks>Of a tree the nearest that is a square.</remarks>
    public override LatentModelOptions WithComponents(int components) =>
        this with { Experts = Depth == 1 ? components : Math.Max(1, (int)Math.Round(Math.Sqrt(components))) };

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema)) yield return problem;
        if (Gate == GateKind.Gaussian && Expert == ExpertKind.Logistic)
            yield return "gate: a gaussian gate is for linear experts; use softmax or constant with logistic ones";
        if (Depth > 1 && Gate != GateKind.Softmax)
            yield return $"depth: {Depth} levels are of a softmax gate; leave gate out, or use depth: 1";
        if (Depth > 1 && Experts > MostOfATree)
            yield return $"experts: with depth: 2 there are {Experts} x {Experts} experts; use at most {MostOfATree}";
    }

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => (long)Leaves * (dimension + 2);

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        double precision = Prior == Prior.Conjugate ? GatePrecision : 0;
        int classes = Expert == ExpertKind.Logistic ? Math.Max(1, space.Features[^1].Levels.Count) : 0;
        Emission experts = Expert == ExpertKind.Logistic
            ? new LogisticExperts(Leaves, space.Dimension, classes, precision)
            : Gate == GateKind.Gaussian ? Joint(space) : new LinearExperts(Leaves, space.Dimension, Regularization(space));
        SoftmaxTree? tree = Gate == GateKind.Softmax ? new SoftmaxTree(Experts, Depth, space.Dimension) : null;
        var model = new MixtureOfExperts(Type, experts, tree, precision)
        {
            TargetClasses = Expert == ExpertKind.Logistic ? space.Features[^1].Levels : [],
        };
        model.Hold(Fixed);
        return model;
    }

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) => new(name);

    /// <inheritdoc/>
    protected override Feature PlanTarget(string name) => Expert == ExpertKind.Linear
        ? new(name)
        : new(name, FeatureKind.Level, FeatureScaling.None) { MaxLevels = MaxTargetClasses };

    private ExpertRegularization Regularization(FeatureSpace space)
    {
        double variance = space.Variances[^1];
        return new ExpertRegularization(variance, RegCovar * variance, MinVariance * variance)
        {
            PriorRows = Prior == Prior.Conjugate ? 1 : 0,
            PriorSquare = ImaginarySquare * variance,
        };
    }

    private GaussianExperts Joint(FeatureSpace space)
    {
        var regularization = CovarianceRegularization.Of(space.Features, RegCovar);
        if (Prior == Prior.Conjugate)
            regularization = regularization with
            {
                PriorRows = 1,
                PriorSquares = [.. space.Features.Select(feature => ImaginarySquare * feature.Variance)],
            };
        return new GaussianExperts(Experts, space.Dimension, regularization);
    }
}
