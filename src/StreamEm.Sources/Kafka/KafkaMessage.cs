using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>A message on its way from the client to the decoder.</summary>
/// <param name="Offset">Its offset.</param>
/// <param name="Value">Its bytes; null for a tombstone.</param>
/// <param name="Key">Its key, when needed.</param>
/// <param name="Headers">Its headers, when needed.</param>
/// <param name="Timestamp">Milliseconds since 1970, or <see cref="RecordBatch.NoTimestamp"/>.</param>
/// <param name="IsGap">Not a message: the records before <paramref name="Offset"/> are gone, and the configuration allows to go on
/// there.</param>
internal readonly record struct KafkaMessage(
    long Offset, MessageBytes Value, MessageBytes Key, Headers? Headers, long Timestamp, bool IsGap = false)
{
    /// <summary>What it costs without its bytes.</summary>
    private const int Overhead = 64;

    /// <summary>What a header costs, a short one as most are: its name, its value, and the client's objects round them.</summary>
    private const int HeaderBytes = 192;

    /// <summary>About what it costs in memory.</summary>
    public int Bytes => Overhead + Value.Length + Key.Length + (Headers is null ? 0 : HeaderBytes * Headers.Count);
}
