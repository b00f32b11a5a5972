namespace StreamEm.Worker.Checkpoints;

/// <summary><c>checkpoint</c>: when the state is written.</summary>
public sealed record CheckpointOptions
{
    /// <summary><c>every_updates</c>.</summary>
    public int EveryUpdates { get; init; } = 50;

    /// <summary><c>every</c>.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary><c>keep</c>.</summary>
    public int Keep { get; init; } = 3;
}
