using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models;

/// <summary>
/// How log joint densities become responsibilities, a row block at a time: soft is Bayes' rule. Labels have taken components out before
/// (negative infinity).
/// </summary>
internal abstract class ResponsibilityRule
{
    /// <summary>Overwrites log joint densities by responsibilities.</summary>
    /// <param name="logJoint">K x <see cref="RowBlock.Stride"/>: log weight plus log p(x given z = k); overwritten by responsibilities that
    /// sum to 1.</param>
    /// <param name="components">K.</param>
    /// <param name="logDensities">Overwritten with log p(x) per lane, which no rule changes.</param>
    /// <param name="count">Rows in the block.</param>
    /// <param name="pass">The pass: its update decides a temperature.</param>
    public abstract void Apply(Span<double> logJoint, int components, Span<double> logDensities, int count, in Pass pass);
}

/// <summary>r = p(z = k given x).</summary>
internal sealed class SoftResponsibilities : ResponsibilityRule
{
    /// <summary>The rule.</summary>
    public static SoftResponsibilities Instance { get; } = new();

    /// <inheritdoc/>
    public override void Apply(Span<double> logJoint, int components, Span<double> logDensities, int count, in Pass pass) =>
        LogSumExp.Normalize(logJoint, components, logDensities, count);
}

/// <summary>r = 1 for the most probable component, the lowest number among equals: classification EM (Celeux &amp; Govaert 1992); with
/// spherical Gaussians of equal weights, k-means.</summary>
internal sealed class HardResponsibilities : ResponsibilityRule
{
    /// <summary>The rule.</summary>
    public static HardResponsibilities Instance { get; } = new();

    /// <inheritdoc/>
    public override void Apply(Span<double> logJoint, int components, Span<double> logDensities, int count, in Pass pass)
    {
        LogSumExp.Normalize(logJoint, components, logDensities, count);
        for (int i = 0; i < count; i++)
        {
            int most = 0;
            for (int k = 1; k < components; k++)
                if (logJoint[k * RowBlock.Stride + i] > logJoint[most * RowBlock.Stride + i]) most = k;
            for (int k = 0; k < components; k++) logJoint[k * RowBlock.Stride + i] = k == most ? 1 : 0;
        }
    }
}
