namespace StreamEm.Core.Estimation;

/// <summary>The parts of an update, for those who want to know how long each takes: Core has no clock.</summary>
public enum UpdatePhase
{
    /// <summary>The E-step begins.</summary>
    Expectation,

    /// <summary>The E-step is over, the M-step begins.</summary>
    Maximization,

    /// <summary>The M-step is over.</summary>
    Done,
}
