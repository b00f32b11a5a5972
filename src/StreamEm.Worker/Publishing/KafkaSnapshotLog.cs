using System.Text;
using Confluent.Kafka;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Publishing;

/// <summary>The newest snapshot of a model in a topic.</summary>
/// <param name="Id">The record's key: the model's id.</param>
/// <param name="Document">The snapshot.</param>
/// <param name="Partition">Where it is.</param>
/// <param name="Offset">Where it is.</param>
internal sealed record TopicSnapshot(string Id, SnapshotDocument Document, int Partition, long Offset);

/// <summary>
/// What a topic of snapshots says, read to its end as any consumer does: of every key the last valid record counts; a lower version of the
/// same run than one already read is a repeat and passed over; a record without a value takes the model away. Records of another kind are
/// counted.
/// </summary>
internal sealed class KafkaSnapshotLog
{
    private readonly SortedDictionary<string, Held> _models = new(StringComparer.Ordinal);
    private readonly bool _isThorough;

    private KafkaSnapshotLog(bool isThorough) => _isThorough = isThorough;

    /// <summary>Records read.</summary>
    public long Records { get; private set; }

    /// <summary>Records that are no snapshots.</summary>
    public long Foreign { get; private set; }

    /// <summary>Where the last of them is, and what is wrong with it; null without.</summary>
    public string? LastForeign { get; private set; }

    /// <summary>The newest snapshot of every model, by id.</summary>
    public IReadOnlyList<TopicSnapshot> Models { get; private set; } = [];

    /// <summary>Reads a topic to the end it has now.</summary>
    public static KafkaSnapshotLog Read(KafkaTopic topic)
    {
        // Parameters are parsed of the newest records only; should one of those be damaged, all are, to find the last that is not.
        var log = new KafkaSnapshotLog(isThorough: false);
        topic.ReadToEnd(since: null, log.Take);
        if (log.TryFinish()) return log;
        log = new KafkaSnapshotLog(isThorough: true);
        topic.ReadToEnd(since: null, log.Take);
        log.TryFinish();
        return log;
    }

    private void Take(ConsumeResult<byte[]?, byte[]?> record)
    {
        Records++;
        (byte[]? key, byte[]? json) = (record.Message.Key, record.Message.Value);
        string id = key is null ? "" : Encoding.UTF8.GetString(key);
        if (json is null)
        {
            _models.Remove(id);
            return;
        }

        SnapshotIdentity? identity = SnapshotIdentity.Read(json);
        string? fault = identity is null
            ? "its value does not begin as a snapshot"
            : identity.ModelId != id ? $"its key is '{id}', the snapshot is of model '{identity.ModelId}'" : null;
        if (fault is null && _isThorough) fault = FaultOf(json);
        if (fault is not null)
        {
            Foreign++;
            LastForeign = $"at offset {record.Offset.Value} of partition {record.Partition.Value}: {fault}";
        }
        else if (!_models.TryGetValue(id, out Held? held) || held.Identity.RunId != identity!.RunId
            || held.Identity.Version <= identity.Version)
        {
            _models[id] = new Held(identity!, json, record.Partition.Value, record.Offset.Value);
        }
    }

    private bool TryFinish()
    {
        try
        {
            Models = [
                .. _models.Select(
                    pair => new TopicSnapshot(pair.Key, SnapshotDocument.Parse(pair.Value.Json), pair.Value.Partition, pair.Value.Offset))];
            return true;
        }
        catch (InvalidDataException) when (!_isThorough)
        {
            return false;
        }
    }

    private static string? FaultOf(byte[] json)
    {
        try
        {
            SnapshotDocument.Parse(json);
            return null;
        }
        catch (InvalidDataException failure)
        {
            return failure.Message;
        }
    }

    private sealed record Held(SnapshotIdentity Identity, byte[] Json, int Partition, long Offset);
}
