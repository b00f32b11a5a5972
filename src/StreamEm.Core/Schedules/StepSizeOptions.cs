namespace StreamEm.Core.Schedules;

/// <summary>gamma_t = max(floor, (t + t0)^-kappa), t = 1, 2, ...</summary>
public sealed record StepSizeOptions
{
    /// <summary>Exponent, 0.5 &lt; kappa &lt;= 1.</summary>
    public double Kappa { get; init; } = 0.7;

    /// <summary>Delay, at least 0.</summary>
    public double T0 { get; init; } = 1;

    /// <summary>Smallest step size, in [0, 1): the memory of a model that must follow drift is 1 / floor minibatches.</summary>
    public double Floor { get; init; }
}
