using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Schedules;

/// <summary>
/// gamma_t = max(floor, (t + t0)^-kappa), 0.5 &lt; kappa &lt;= 1: the sum diverges and the sum of squares converges (Robbins &amp; Monro
/// 1951; Cappé &amp; Moulines 2009, assumption 2; Liang &amp; Klein 2009, section 3 for t0 = 1). With a floor the memory is 1 / floor
/// updates.
/// </summary>
internal sealed class PowerLaw : StepSize
{
    private readonly StepSizeOptions _options;

    /// <summary>A schedule.</summary>
    /// <exception cref="ArgumentOutOfRangeException">kappa, t0 or floor outside their range.</exception>
    public PowerLaw(StepSizeOptions options)
    {
        if (options.Kappa is not (> 0.5 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(options), options.Kappa, "kappa must be above 0.5 and at most 1.");
        if (options.T0 is not (>= 0 and < double.PositiveInfinity))
            throw new ArgumentOutOfRangeException(nameof(options), options.T0, "t0 must be at least 0.");
        if (options.Floor is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(options), options.Floor, "floor must be at least 0 and below 1.");
        _options = options;
    }

    /// <inheritdoc/>
    public override double At(long t) => Math.Max(_options.Floor, ScalarMath.Pow(t + _options.T0, -_options.Kappa));

    /// <inheritdoc/>
    /// <remarks>share gamma_t; with kappa = 1 share / (t - 1 + share + t0), so that the running average is that of all rows.</remarks>
    public override double At(long t, double share) => _options.Kappa < 1 || !(share < 1)
        ? base.At(t, share)
        : Math.Max(_options.Floor * share, share > 0 ? share / (t - 1 + share + _options.T0) : 0);
}
