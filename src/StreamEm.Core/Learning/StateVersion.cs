namespace StreamEm.Core.Learning;

/// <summary>The forms of a learner's saved state that this release reads.</summary>
internal enum StateVersion
{
    /// <summary>0.1.0: mixtures of Gaussians only.</summary>
    Release010 = 2,

    /// <summary>
    /// Before records were held back and components could come and go: nothing of what was held back, or of what sleeps, and numbers for ids.
    /// </summary>
    WithoutGuard = 3,

    /// <summary>What this release writes.</summary>
    Current = 4,
}
