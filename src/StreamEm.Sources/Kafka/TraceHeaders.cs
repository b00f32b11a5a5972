using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>The trace of a message, from its headers; where a name comes again the last counts, as with other clients.</summary>
public static class TraceHeaders
{
    /// <summary>Reads it; none where there are no headers.</summary>
    public static RecordTrace Read(Headers? headers) =>
        headers?.TryGetLastBytes(RecordTrace.ParentHeader, out byte[] parent) == true && parent is not null
            ? new RecordTrace(parent, headers.TryGetLastBytes(RecordTrace.StateHeader, out byte[] state) ? state : null)
            : default;
}
