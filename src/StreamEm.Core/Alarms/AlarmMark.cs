namespace StreamEm.Core.Alarms;

/// <summary>What a record does to the alarm of its key.</summary>
public enum AlarmMark
{
    /// <summary>Nobody watches.</summary>
    None,

    /// <summary>There is none.</summary>
    Quiet,

    /// <summary>It lasts.</summary>
    Lasting,

    /// <summary>It is raised, or again.</summary>
    Raised,

    /// <summary>It ends.</summary>
    Cleared,
}
