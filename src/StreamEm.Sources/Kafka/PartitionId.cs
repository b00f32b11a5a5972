using System.Globalization;
using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// Which partition of which topic, in a fixed order: topics by name, partitions by number. In positions and messages it is written as its
/// <see cref="Name"/>, to the client as <see cref="ForClient"/>. The same partition is a <see cref="KafkaPartition"/> to the reader and an
/// <see cref="AssignedPartition"/> to the polling thread.
/// </summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="Number">The partition's number in its topic, from 0.</param>
internal readonly record struct PartitionId(string Topic, int Number)
{
    /// <summary>The partition's name: <c>sensors/3</c> (no topic's name contains a slash).</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Topic}/{Number}");

    /// <summary>What the client calls it.</summary>
    public TopicPartition ForClient => new(Topic, Number);

    /// <summary>Which of two comes first.</summary>
    public static int Compare(PartitionId one, PartitionId other)
    {
        int byTopic = string.CompareOrdinal(one.Topic, other.Topic);
        return byTopic != 0 ? byTopic : one.Number.CompareTo(other.Number);
    }
}
