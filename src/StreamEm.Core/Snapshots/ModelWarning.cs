namespace StreamEm.Core.Snapshots;

/// <summary>What a warning is about: two warnings of a kind say the same with other numbers.</summary>
public enum ModelWarningKind
{
    /// <summary>Not known: read from a snapshot of an earlier release.</summary>
    Other,

    /// <summary>A feature had no value in the first records.</summary>
    AbsentFeature,

    /// <summary>Minibatches are too small for the parameter recursion.</summary>
    SmallMinibatch,

    /// <summary>Records were too far from every component.</summary>
    ImpossibleRecords,

    /// <summary>No record of the last minibatches could be used.</summary>
    NothingLearned,

    /// <summary>Labels were ignored: no component was left.</summary>
    UnknownLabels,

    /// <summary>Values were none of a feature's levels.</summary>
    UnknownLevels,

    /// <summary>Keys were forgotten to make room for others.</summary>
    EvictedKeys,

    /// <summary>The parameters were initialised anew.</summary>
    StartedAnew,

    /// <summary>A feature that had one value or none in the first records came to life.</summary>
    FeatureAwake,

    /// <summary>Records too far from every component kept coming and are learned from.</summary>
    ChangeLearned,

    /// <summary>A feature varies by too little for a variance.</summary>
    SpreadTooSmall,

    /// <summary>Records became less likely than they had been.</summary>
    LogLikelihoodFell,

    /// <summary>A feature holds a value, always the same, that is too far from all others to be a measurement.</summary>
    TiedValues,

    /// <summary>Records near each other are held back, for no component can be spared for them.</summary>
    ClusterHeld,

    /// <summary>A component was moved to records near each other that were held back before.</summary>
    ClusterLearned,

    /// <summary>Records have been less likely than before for long.</summary>
    Drifted,

    /// <summary>The parameters went back to those of an earlier version, because somebody asked for it.</summary>
    Reverted,

    /// <summary>The first records are spread wider about their components than the family says.</summary>
    Overdispersed,

    /// <summary>There are more free parameters than intervals are made of.</summary>
    TooManyForIntervals,
}

/// <summary>A warning for a person.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Text">What was found, and what to do.</param>
/// <param name="Subject">Which one, where a kind has several at once: a feature's name.</param>
public readonly record struct ModelWarning(ModelWarningKind Kind, string Text, string Subject = "")
{
    /// <inheritdoc/>
    public override string ToString() => Text;
}
