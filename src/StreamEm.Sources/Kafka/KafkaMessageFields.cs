using System.Globalization;
using System.Text.Unicode;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// What a record takes from its message rather than from the message's value: <c>kafka.key</c>, <c>kafka.timestamp</c>,
/// <c>kafka.header.NAME</c> as the schema's key, timestamp and weight.
/// </summary>
internal sealed class KafkaMessageFields
{
    /// <summary>Splits a schema.</summary>
    /// <param name="schema">The records' fields.</param>
    /// <param name="keepsOriginals">Whether every part of a message is needed, to pass rejected ones on.</param>
    /// <exception cref="SourceException">A role is given to a part of the message that cannot fill it.</exception>
    public KafkaMessageFields(RecordSchema schema, bool keepsOriginals = false)
    {
        KeepsOriginals = keepsOriginals;
        UsesKey = schema.Key == KafkaFields.Key;
        UsesTimestamp = schema.Timestamp == KafkaFields.Timestamp;
        WeightHeader = schema.Weight?.StartsWith(KafkaFields.HeaderPrefix, StringComparison.Ordinal) == true
            ? schema.Weight[KafkaFields.HeaderPrefix.Length..]
            : null;
        Value = schema with
        {
            Key = UsesKey ? null : schema.Key,
            Timestamp = UsesTimestamp ? null : schema.Timestamp,
            Weight = WeightHeader is null ? schema.Weight : null,
        };
        if (KafkaFields.Refusals(schema).FirstOrDefault() is { Reason: { } reason })
            throw new SourceException(SourceFailure.Configuration, reason);
    }

    /// <summary>What the decoder looks for in the value.</summary>
    public RecordSchema Value { get; }

    /// <summary>Whether every part of a message is needed.</summary>
    public bool KeepsOriginals { get; }

    /// <summary>Whether the message's key is the record's.</summary>
    public bool UsesKey { get; }

    /// <summary>Whether the key is its text, which is read here.</summary>
    public bool KeyIsText { get; init; } = true;

    /// <summary>Whether the message's timestamp is the record's.</summary>
    public bool UsesTimestamp { get; }

    /// <summary>Whether the message's key is needed.</summary>
    public bool NeedsKey => UsesKey || KeepsOriginals;

    /// <summary>Whether the message's timestamp is needed.</summary>
    public bool NeedsTimestamp => UsesTimestamp || KeepsOriginals;

    /// <summary>Whether the message's headers are needed.</summary>
    public bool NeedsHeaders => WeightHeader is not null || KeepsOriginals || KeepsTraces;

    /// <summary>Whether records keep the trace that their message came with.</summary>
    public bool KeepsTraces { get; init; }

    /// <summary>The header that holds the weight, as decimal text; null without.</summary>
    public string? WeightHeader { get; }

    /// <summary>
    /// Which parts of a message besides key and value the client has to hand over. Every one costs time with every message.
    /// </summary>
    /// <param name="isOneTopic">Whether the topic's name is known without being told.</param>
    public string ConsumeResultFields(bool isOneTopic)
    {
        List<string> fields = [];
        if (!isOneTopic) fields.Add("topic");
        if (NeedsTimestamp) fields.Add("timestamp");
        if (NeedsHeaders) fields.Add("headers");
        return fields.Count == 0 ? "none" : string.Join(',', fields);
    }

    /// <summary>What the record has from its message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="texts">What the key becomes a number of.</param>
    /// <param name="defaults">What it has.</param>
    /// <returns>Why the record cannot be used, and what was found; null when it can.</returns>
    public (RejectionReason Reason, string Detail)? Read(in KafkaMessage message, TextTable texts, out RecordDefaults defaults)
    {
        defaults = RecordDefaults.None;
        int key = Minibatch.NoKey;
        double weight = 1;
        OptionalFields unread = OptionalFields.None;
        if (UsesKey && KeyIsText && message.Key is { Length: > 0 } bytes)
        {
            if (Utf8.IsValid(bytes.Span)) key = texts.Number(bytes.Span);
            else unread = OptionalFields.Key;
        }

        if (WeightHeader is not null && message.Headers?.TryGetLastBytes(WeightHeader, out byte[] text) == true && text is not null)
        {
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out weight))
                return (RejectionReason.NotANumber, Found("something else"));
            if (!double.IsFinite(weight)) return (RejectionReason.NotFinite, Found("an infinite number"));
            if (!RelativeWeights.IsValid(weight)) return (RejectionReason.OutOfRange, Found("another number"));
        }

        defaults = new RecordDefaults(weight, key, UsesTimestamp ? message.Timestamp : RecordBatch.NoTimestamp, unread);
        return null;
    }

    private string Found(string what) => $"header '{WeightHeader}' holds {what}, expected {RelativeWeights.Expected}";
}
