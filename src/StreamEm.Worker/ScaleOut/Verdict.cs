namespace StreamEm.Worker.ScaleOut;

/// <summary>What became of a message of the statistics topic.</summary>
internal enum Verdict
{
    /// <summary>It is in the model.</summary>
    Accepted,

    /// <summary>It is in the model, with a smaller step, because it was late.</summary>
    StaleDamped,

    /// <summary>Its parameters are too old: its records are worked on anew.</summary>
    StaleRejected,

    /// <summary>Its records are in the model already.</summary>
    Duplicate,

    /// <summary>Some of its records are in the model already: the others are worked on anew.</summary>
    Overlap,

    /// <summary>Records before it are missing: they and it are worked on anew.</summary>
    Gap,

    /// <summary>It is of another model or run.</summary>
    WrongRun,

    /// <summary>It is no message, or damaged: as if it were not there.</summary>
    Corrupt,
}
