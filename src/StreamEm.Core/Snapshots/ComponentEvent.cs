namespace StreamEm.Core.Snapshots;

/// <summary>What may happen to a component.</summary>
public enum ComponentEventKind
{
    /// <summary>It is new: no component had its id before.</summary>
    Born,

    /// <summary>It is no more; no other ever gets its id.</summary>
    Died,

    /// <summary>It had lost its weight, or what was learned explained nothing, and was given a new start under its id.</summary>
    Reseeded,

    /// <summary>Its covariance was not positive definite and was held at the floor.</summary>
    Floored,
}

/// <summary>Something that happened to a component; the same within fifty updates is one event.</summary>
/// <param name="Kind">What.</param>
/// <param name="Component">The component's id; null for all of them.</param>
/// <param name="Version">With which version it began.</param>
/// <param name="Until">The last version with it.</param>
/// <param name="Count">In how many updates.</param>
public readonly record struct ComponentEvent(ComponentEventKind Kind, string? Component, long Version, long Until, long Count);
