namespace StreamEm.Worker.Checkpoints;

/// <summary>Something a person did to a run, kept with its state.</summary>
/// <param name="At">When.</param>
/// <param name="Version">The version it came after.</param>
/// <param name="Text">What, for a person: <c>learning.step_size.kappa: 0.7 -> 0.6</c>.</param>
public sealed record RunEvent(DateTimeOffset At, long Version, string Text)
{
    /// <summary>The most that are kept; the oldest go first.</summary>
    public const int Most = 100;

    /// <summary>A history with more events.</summary>
    /// <param name="history">The history so far; null for none.</param>
    /// <param name="events">What happened, in order.</param>
    public static IReadOnlyList<RunEvent>? Append(IReadOnlyList<RunEvent>? history, IEnumerable<RunEvent> events)
    {
        RunEvent[] all = [.. history ?? [], .. events];
        return all.Length == 0 ? null : all[Math.Max(0, all.Length - Most)..];
    }
}
