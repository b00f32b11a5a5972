using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Emissions;

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
        new Setting<StudentTOptions, double>(
            "reg_covar", new NumberKind(Interval.AtLeast(0)), o => o.RegCovar, (o, v) => o with { RegCovar = v },
            "Added to the diagonal of every scale matrix, in units of each feature's variance."));

    /// <inheritdoc/>
    public override EmissionEntry Entry => Catalogued;

    /// <summary>nu; null where it is learned.</summary>
    public double? DegreesOfFreedom { get; init; }

    /// <summary>Added to the diagonal of every scale matrix in the M-step, in units of each feature's variance.</summary>
    public double RegCovar { get; init; } = 1e-6;

    /// <inheritdoc/>
    public override Feature Plan(string feature) => new(feature);

    /// <inheritdoc/>
    public override long RowsToStart(int components, int dimension) => (long)components * (dimension + 1);

    /// <inheritdoc/>
    public override Emission Create(IReadOnlyList<Feature> features, int components) => new StudentT(
        components, features.Count, CovarianceRegularization.Of(features, RegCovar), DegreesOfFreedom);
}
