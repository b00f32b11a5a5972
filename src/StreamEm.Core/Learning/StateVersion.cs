namespace StreamEm.Core.Learning;

/// <summary>The forms of a learner's saved state that this release reads.</summary>
internal enum StateVersion
{
    /// <summary>0.1.0: mixtures of Gaussians only.</summary>
    Release010 = 2,

    /// <summary>Features with levels, sequences, products; no set of missing features is told from another.</summary>
    Levels = 3,

    /// <summary>Weights are relative, and calibration knows which features are missing.</summary>
    Relative = 4,

    /// <summary>What this release writes.</summary>
    Current = Relative,
}
