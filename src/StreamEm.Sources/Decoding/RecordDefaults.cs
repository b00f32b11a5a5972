using StreamEm.Core.Data;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// What a record has when it does not say otherwise: the key, time and weight that came with it from outside its bytes (a Kafka message's
/// key, timestamp and headers).
/// </summary>
/// <param name="Weight">Weight, one that <see cref="RelativeWeights.IsValid"/>.</param>
/// <param name="Key">Key, as a number in the texts of the batch it goes to, or <see cref="Minibatch.NoKey"/>.</param>
/// <param name="Timestamp">Milliseconds since 1970, or <see cref="RecordBatch.NoTimestamp"/>.</param>
/// <param name="Unread">Which of them came with it and could not be read.</param>
internal readonly record struct RecordDefaults(double Weight, int Key, long Timestamp, OptionalFields Unread = OptionalFields.None)
{
    /// <summary>Weight 1, no key, no time.</summary>
    public static RecordDefaults None => new(1, Minibatch.NoKey, RecordBatch.NoTimestamp);
}
