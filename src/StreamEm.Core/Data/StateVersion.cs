namespace StreamEm.Core.Data;

/// <summary>The forms of a learner's saved state that this release reads.</summary>
internal enum StateVersion
{
    /// <summary>0.1.0: mixtures of Gaussians only.</summary>
    Release010 = 2,

    /// <summary>
    /// Weights are not yet relative, sets of missing features not told apart; no records held back, nothing asleep; numbers for ids.
    /// </summary>
    Levels = 3,

    /// <summary>Records that many others equal are not kept as they are; nothing is known of the records held back but their number.
    /// </summary>
    Patterns = 4,

    /// <summary>The records held back are not remembered.</summary>
    Frequent = 5,

    /// <summary>With the last records held back; nothing is said of events of the components, of the log-likelihood so far, or of averaged
    /// iterates.</summary>
    Held = 6,

    /// <summary>The first form that says it; nothing is remembered of the log-likelihood for a drift.</summary>
    Health = 7,

    /// <summary>The first form that remembers it; nothing is known of what people said of records.</summary>
    Drift = 8,

    /// <summary>The first form that knows it; a state that began at given parameters has forgotten them.</summary>
    Words = 9,

    /// <summary>The first form that remembers what it began at; nothing is known of how sure the parameters are.</summary>
    Origin = 10,

    /// <summary>The first form that knows it.</summary>
    Intervals = 11,

    /// <summary>What this release writes.</summary>
    Current = Intervals,
}
