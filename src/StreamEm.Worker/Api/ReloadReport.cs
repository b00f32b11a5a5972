namespace StreamEm.Worker.Api;

/// <summary>What became of reading the configuration again.</summary>
/// <param name="Succeeded">Whether the worker runs as it says now; else it runs as before.</param>
/// <param name="Added">Models that began.</param>
/// <param name="Changed">Models that go on with other settings.</param>
/// <param name="Removed">Models that were stopped; their state is kept.</param>
/// <param name="Unchanged">Models that were not touched.</param>
/// <param name="Problem">Why it runs as before; null when it does not.</param>
public sealed record ReloadReport(
    bool Succeeded, IReadOnlyList<string> Added, IReadOnlyList<string> Changed, IReadOnlyList<string> Removed,
    IReadOnlyList<string> Unchanged, string? Problem)
{
    /// <summary>The configuration cannot be used, or not without another start.</summary>
    public static ReloadReport Refused(string problem) => new(false, [], [], [], [], problem);

    /// <summary>Whether any model is another one now.</summary>
    public bool HasChanged => Succeeded && Added.Count + Changed.Count + Removed.Count > 0;
}
