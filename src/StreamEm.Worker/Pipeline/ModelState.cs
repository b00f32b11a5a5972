namespace StreamEm.Worker.Pipeline;

/// <summary>Where a model of the worker stands.</summary>
public enum ModelState
{
    /// <summary>No record has come yet.</summary>
    Waiting,

    /// <summary>The buffer for the initialisation is filling.</summary>
    WarmingUp,

    /// <summary>There are parameters and they are being updated.</summary>
    Learning,

    /// <summary>It takes no records until a person has it go on.</summary>
    Paused,

    /// <summary>Its source has ended and everything was learned, kept and published.</summary>
    Finished,

    /// <summary>The worker is stopping.</summary>
    Stopped,

    /// <summary>It cannot go on.</summary>
    Failed,
}
