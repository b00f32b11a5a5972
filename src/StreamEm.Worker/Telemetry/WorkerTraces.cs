using System.Diagnostics;
using StreamEm.Sources;

namespace StreamEm.Worker.Telemetry;

/// <summary>
/// Spans of what takes time beside learning, and of learning where its records came with a trace; nothing is made while nobody listens.
/// Names and attributes of messages are those of OpenTelemetry's semantic conventions for messaging spans and Kafka.
/// </summary>
internal static class WorkerTraces
{
    /// <summary>Where they come from.</summary>
    public static ActivitySource Source { get; } = new("StreamEM");

    /// <summary>Whether somebody listens, so that it is worth while to keep what records came with.</summary>
    public static bool IsOn => Source.HasListeners();

    /// <summary>The context of the span of ours that is under way; none without.</summary>
    public static ActivityContext Current => Activity.Current is { } span && span.Source == Source ? span.Context : default;

    /// <summary>The span of whoever asks, a request, as a trace to be kept with what it brings; none where nobody listens.</summary>
    public static RecordTrace OfCaller =>
        IsOn && Activity.Current is { IdFormat: ActivityIdFormat.W3C } span ? TraceContext.Of(span.Context) : default;

    /// <summary>Begins the span of a model's work.</summary>
    /// <param name="name">The work: <c>checkpoint</c>, <c>publish</c>.</param>
    /// <param name="model">The model; null where it is not known.</param>
    /// <param name="version">The version it is of.</param>
    /// <param name="kind">What it is to those it has to do with.</param>
    /// <param name="parent">What it is a part of; none: of what is under way.</param>
    /// <param name="since">When it began; none: now.</param>
    public static Activity? Begin(string name, string? model, long version, ActivityKind kind = ActivityKind.Internal,
        ActivityContext parent = default, DateTimeOffset since = default)
    {
        Activity? span = Source.StartActivity(name, kind, parent, tags: null, links: null, since);
        if (model is not null) span?.SetTag("streamem.model", model);
        span?.SetTag("streamem.version", version);
        return span;
    }

    /// <summary>Begins the span of sending messages to a topic; what is sent during it carries its context.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="messages">How many.</param>
    /// <param name="parent">What it is a part of; none: of what is under way.</param>
    public static Activity? Send(string topic, int messages, ActivityContext parent = default) => IsOn
        ? Source.StartActivity($"send {topic}", ActivityKind.Producer, parent).OfMessages("send", "send", topic, messages)
        : null;

    /// <summary>Says which messages a span has to do with.</summary>
    /// <param name="span">The span; null where none is made.</param>
    /// <param name="operation">What is done with them, in our words.</param>
    /// <param name="type">The same in the words of the conventions.</param>
    /// <param name="topic">Their topic; null where they are of several.</param>
    /// <param name="messages">How many.</param>
    public static Activity? OfMessages(this Activity? span, string operation, string type, string? topic, int messages) => span
        ?.SetTag("messaging.system", "kafka").SetTag("messaging.operation.name", operation).SetTag("messaging.operation.type", type)
        .SetTag("messaging.destination.name", topic).SetTag("messaging.batch.message_count", messages);
}
