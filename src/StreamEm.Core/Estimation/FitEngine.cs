namespace StreamEm.Core.Estimation;

/// <summary>How parameters are fitted to data that end: rules over the same E-step and M-step, with the same fixed points.</summary>
public enum FitEngine
{
    /// <summary>Every minibatch once, as a worker would: the recursion, not a fixed point.</summary>
    Stepwise,

    /// <summary>All rows, then an M-step, again and again.</summary>
    Batch,

    /// <summary>An M-step after every block of rows, whose statistics take the place of those it had before.</summary>
    Incremental,

    /// <summary>Batch, with steps that grow beyond the M-step's as long as that pays.</summary>
    OverRelaxed,

    /// <summary>All rows now and then, few in between: differences of statistics in place of statistics.</summary>
    Spider,

    /// <summary>Batch, with quasi-Newton steps along the gradient of the likelihood in place of M-steps.</summary>
    Gradient,
}
