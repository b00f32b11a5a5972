using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Emissions;

/// <summary>How the degrees of freedom are learned.</summary>
internal enum FreedomStep
{
    /// <summary>By the maximum of Q given means and scale matrices: the rows' own weights count as observed (ECM).</summary>
    Ecm,

    /// <summary>By a step of scoring on the likelihood itself, which does not wait for the weights (ECME).</summary>
    Ecme,
}

/// <summary>Components of multivariate Student-t distributions.</summary>
internal sealed record StudentTOptions : EmissionOptions
{
    /// <summary>What says that the degrees of freedom are learned.</summary>
    private const string Learned = "learned";

    /// <summary>The family in the catalogue.</summary>
    public static EmissionEntry Catalogued { get; } = new(
        "student_t",
        "K multivariate Student-t distributions; clusters with outliers.",
        () => new StudentTOptions(),
        new Setting<StudentTOptions, double?>(
            "degrees_of_freedom", new NumberOrWordKind(Interval.Above(0), Learned), o => o.DegreesOfFreedom,
            (o, v) => o with { DegreesOfFreedom = v },
            "nu of every component: learned, between 1 and 200, or held at a number."),
        new Setting<StudentTOptions, FreedomStep>(
            "degrees_of_freedom_step", new ChoiceKind<FreedomStep>(), o => o.FreedomStep, (o, v) => o with { FreedomStep = v },
            "How nu is learned: by the maximum of Q, or by a step on the likelihood, which is faster and noisier."),
        new Setting<StudentTOptions, double>(
            "reg_covar", new NumberKind(Interval.AtLeast(0)), o => o.RegCovar, (o, v) => o with { RegCovar = v },
            "Added to the diagonal of every scale matrix, in units of each feature's variance."),
        PriorSetting.Of<StudentTOptions>(o => o.Prior, (o, v) => o with { Prior = v }));

    /// <inheritdoc/>
    public override EmissionEntry Entry => Catalogued;

    /// <summary>nu; null where it is learned.</summary>
    public double? DegreesOfFreedom { get; init; }

    /// <summary>How nu is learned, where it is.</summary>
    public FreedomStep FreedomStep { get; init; }

    /// <summary>Added to the diagonal of every scale matrix in the M-step, in units of each feature's variance.</summary>
    public double RegCovar { get; init; } = 1e-6;

    /// <summary>Nothing but <c>reg_covar</c>, or an inverse Wishart on every scale matrix.</summary>
    public Prior Prior { get; init; } = Prior.None;

    /// <inheritdoc/>
    public override EmissionOptions WithoutPrior() => this with { Prior = Prior.None };

    /// <inheritdoc/>
    public override Feature Plan(string feature) => new(feature);

    /// <inheritdoc/>
    public override long RowsToStart(int components, int dimension) => (long)components * (dimension + 1);

    /// <inheritdoc/>
    public override Emission Create(IReadOnlyList<Feature> features, int components)
    {
        var regularization = CovarianceRegularization.Of(features, RegCovar);
        if (Prior == Prior.Conjugate) regularization = regularization.WithPrior(features, components, features.Count);
        return new StudentT(components, features.Count, regularization, DegreesOfFreedom, FreedomStep);
    }
}
