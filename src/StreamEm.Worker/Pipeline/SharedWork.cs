namespace StreamEm.Worker.Pipeline;

/// <summary>Who learns a model that several workers learn, as the brokers know it, and how far the model is in every partition.</summary>
/// <param name="GroupId">The consumer group of the workers.</param>
/// <param name="ThisWorker">The name of the worker that was asked.</param>
/// <param name="Workers">The members of the group, and who stands ready to fold.</param>
/// <param name="Partitions">The partitions of the source.</param>
/// <param name="Lag">Records that are not in the model yet, of the partitions that it has begun with.</param>
internal sealed record SharedWork(
    string GroupId, string ThisWorker, IReadOnlyList<GroupWorker> Workers, IReadOnlyList<SharedPartition> Partitions, long Lag);

/// <summary>A worker of several that learn a model.</summary>
/// <param name="Worker">Its name: its host's, and a digest of its state directory.</param>
/// <param name="Host">Where the brokers see it.</param>
/// <param name="Partitions">The partitions that the group has given it.</param>
/// <param name="Folds">Whether it folds the statistics of all.</param>
internal sealed record GroupWorker(string Worker, string Host, IReadOnlyList<string> Partitions, bool Folds);

/// <summary>A partition of the source.</summary>
/// <param name="Partition">Topic and number: <c>sensors/3</c>.</param>
/// <param name="Worker">Who works on it; null while nobody does.</param>
/// <param name="Position">The next record that is not in the model; null before it has begun with the partition.</param>
/// <param name="End">The offset after the last record.</param>
/// <param name="Lag">Records that are not in the model yet; null before it has begun with the partition.</param>
internal sealed record SharedPartition(string Partition, string? Worker, long? Position, long End, long? Lag);
