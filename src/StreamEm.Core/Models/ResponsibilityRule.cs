using System.Buffers;
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

    /// <summary>Whether few components of many have a share in a row, so that it pays to find out which before their densities are
    /// computed.</summary>
    /// <param name="components">K.</param>
    /// <param name="pass">The pass.</param>
    public virtual bool IsNarrow(int components, in Pass pass) => false;

    /// <summary>The power that joint densities are taken to in a pass; 1 for a rule without a temperature.</summary>
    /// <param name="pass">The pass.</param>
    public virtual double Beta(in Pass pass) => 1;
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

/// <summary>
/// r proportional to p(z = k, x)^beta, beta_t = min(1, start + (1 - start) (t - 1) / updates): flat at first, so that components are not
/// caught where they began (deterministic annealing: Ueda &amp; Nakano 1998).
/// </summary>
/// <param name="start">beta of the first update, in (0, 1].</param>
/// <param name="updates">The update after so many has beta 1.</param>
internal sealed class AnnealedResponsibilities(double start, double updates) : ResponsibilityRule
{
    /// <inheritdoc/>
    public override double Beta(in Pass pass) => pass.Update == 0 ? 1 : Math.Min(1, start + (1 - start) * (pass.Update - 1) / updates);

    /// <inheritdoc/>
    public override void Apply(Span<double> logJoint, int components, Span<double> logDensities, int count, in Pass pass)
    {
        double beta = Beta(pass);
        if (beta < 1)
        {
            Span<double> tempered = stackalloc double[RowBlock.Stride];
            int length = components * RowBlock.Stride;
            double[] rented = ArrayPool<double>.Shared.Rent(length);
            Span<double> flat = rented.AsSpan(0, length);
            logJoint[..length].CopyTo(flat);
            LogSumExp.Normalize(logJoint, components, logDensities, count);
            for (int at = 0; at < length; at++) flat[at] *= beta;
            LogSumExp.Normalize(flat, components, tempered, count);
            for (int k = 0; k < components; k++) flat.Slice(k * RowBlock.Stride, count).CopyTo(logJoint[(k * RowBlock.Stride)..]);
            ArrayPool<double>.Shared.Return(rented);
            return;
        }
        LogSumExp.Normalize(logJoint, components, logDensities, count);
    }
}

/// <summary>
/// Only the most probable components of every row have a share in it, those of the others given to them in proportion; every so many
/// updates all have (Neal &amp; Hinton 1998, section 4, without freezing).
/// </summary>
/// <param name="active">How many components.</param>
/// <param name="refresh">Every such update is a full one, beginning with the first.</param>
internal sealed class SparseResponsibilities(int active, int refresh) : ResponsibilityRule
{
    /// <summary>Components that have a share.</summary>
    public int Active => active;

    /// <inheritdoc/>
    public override bool IsNarrow(int components, in Pass pass) =>
        pass.Update > 0 && active < components && (pass.Update - 1) % refresh != 0;

    /// <inheritdoc/>
    public override void Apply(Span<double> logJoint, int components, Span<double> logDensities, int count, in Pass pass)
    {
        LogSumExp.Normalize(logJoint, components, logDensities, count);
        if (!IsNarrow(components, pass)) return;
        Span<double> shares = components <= 512 ? stackalloc double[components] : new double[components];
        for (int i = 0; i < count; i++)
        {
            int some = 0;
            for (int k = 0; k < components; k++)
                if (logJoint[k * RowBlock.Stride + i] is > 0 and var share) shares[some++] = share;
            if (some <= active) continue;
            shares[..some].Sort();
            double least = shares[some - active], kept = 0;
            // Of components of equal share the first ones.
            int equals = active;
            foreach (double share in shares[..some])
                if (share > least) equals--;
            for (int k = 0; k < components; k++)
            {
                ref double share = ref logJoint[k * RowBlock.Stride + i];
                if (share > least || (share == least && equals-- > 0)) kept += share;
                else share = 0;
            }
            for (int k = 0; k < components; k++)
                if (logJoint[k * RowBlock.Stride + i] is > 0 and var share) logJoint[k * RowBlock.Stride + i] = share / kept;
        }
    }
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
        MostProbable.Mark(logJoint, components, count);
    }
}
