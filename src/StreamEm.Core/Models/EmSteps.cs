namespace StreamEm.Core.Models;

/// <summary>
/// Where a model's two steps are other than EM's: an exact expectation, and the maximum of Q over all parameters at once. What a model
/// declares decides which engines take it, and which laws its tests hold it to.
/// </summary>
[Flags]
public enum EmSteps
{
    /// <summary>Both are EM's (Dempster, Laird &amp; Rubin 1977).</summary>
    Exact = 0,

    /// <summary>The expectation is an average over draws (Wei &amp; Tanner 1990; with running statistics SAEM, Delyon, Lavielle &amp;
    /// Moulines 1999). Draws come from <see cref="Pass.Chance"/>, so that a stream is the same again after a stop and on any number of
    /// threads; a pass that belongs to no update has the same draws every time, so that batch EM converges.</summary>
    MonteCarlo = 1,

    /// <summary>The M-step raises Q and need not maximise it: GEM, a Newton step (Lange 1995). Its statistics are where to go from the
    /// parameters they were taken at (<see cref="LatentModel.Summarize"/>), no sums over rows.</summary>
    Generalized = 2,

    /// <summary>The M-step maximises Q block by block, each given the others: ECM (Meng &amp; Rubin 1993).</summary>
    Conditional = 4,

    /// <summary>Some blocks raise the likelihood itself instead of Q: ECME (Liu &amp; Rubin 1994). Their statistics too are where to go.
    /// </summary>
    Either = 8,
}
