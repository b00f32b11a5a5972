namespace StreamEm.Worker.Publishing;

/// <summary>
/// Which run publishes, and whose place it takes: what decides between several workers that can write to the same topic.
/// </summary>
/// <param name="RunId">The run.</param>
public sealed record RunClaim(string RunId)
{
    /// <summary>
    /// This start of the run: higher than that of every start before it, however the clock is set; near the time of the start in
    /// milliseconds since 1970.
    /// </summary>
    public long Incarnation { get; init; }

    /// <summary>
    /// The newest start of the run that the state knows of, the one before this. A later one was made from another copy of the state.
    /// </summary>
    public long KnownIncarnation { get; init; }

    /// <summary>Earlier runs of the model whose place this one takes, oldest first.</summary>
    public IReadOnlyList<string> Predecessors { get; init; } = [];
}
