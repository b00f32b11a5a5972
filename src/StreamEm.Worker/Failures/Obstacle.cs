namespace StreamEm.Worker.Failures;

/// <summary>What keeps the worker, or a model of it, from its work for now.</summary>
public enum ObstacleKind
{
    /// <summary>The worker is stopping.</summary>
    Stopping,

    /// <summary>A model is restoring its state.</summary>
    Starting,

    /// <summary>A model cannot go on.</summary>
    Failed,

    /// <summary>Checkpoints cannot be written.</summary>
    CheckpointsNotWritten,

    /// <summary>No records come although some may be there.</summary>
    SourceUnavailable,

    /// <summary>Snapshots cannot be published.</summary>
    SnapshotsNotPublished,

    /// <summary>Scored records cannot be delivered.</summary>
    ScoresNotDelivered,

    /// <summary>Rejected records cannot be passed on.</summary>
    RejectedRecordsNotKept,
}

/// <summary>
/// Something that keeps the worker from its work for now. Two of the same kind and subject are the same one, whatever their texts say.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">One sentence for a person; its numbers may change while it lasts.</param>
public sealed record Obstacle(ObstacleKind Kind, string Text)
{
    /// <summary>What it stands before: a publisher's name, a model's id; empty for the worker.</summary>
    public string Subject { get; init; } = "";

    /// <summary>The same obstacle as the worker tells it, which has several models.</summary>
    public Obstacle OfModel(string id) => this with
    { Text = Kind == ObstacleKind.Failed ? $"model '{id}' failed: {Text}" : $"model '{id}': {Text}", Subject = $"{id}/{Subject}" };
}
