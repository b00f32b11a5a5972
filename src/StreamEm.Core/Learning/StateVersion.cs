namespace StreamEm.Core.Learning;

/// <summary>The forms of a learner's saved state that this release reads.</summary>
internal enum StateVersion
{
    /// <summary>0.1.0: mixtures of Gaussians only.</summary>
    Release010 = 2,

    /// <summary>Before components could come and go: their ids were their numbers.</summary>
    NumberedComponents = 3,

    /// <summary>What this release writes.</summary>
    Current = 4,
}
