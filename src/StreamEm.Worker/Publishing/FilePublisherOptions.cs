namespace StreamEm.Worker.Publishing;

/// <summary><c>publish: - file</c>: one snapshot a line.</summary>
public sealed record FilePublisherOptions
{
    /// <summary><c>path</c>.</summary>
    public required string Path { get; init; }

    /// <summary><c>every_updates</c>: only versions divisible by it (and the last one of a drained run).</summary>
    public int EveryUpdates { get; init; } = 1;
}
