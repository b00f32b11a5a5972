using System.Diagnostics;

namespace StreamEm.Worker.Telemetry;

/// <summary>Spans of what takes time beside learning; nothing is made while nobody listens.</summary>
internal static class WorkerTraces
{
    /// <summary>Where they come from.</summary>
    public static ActivitySource Source { get; } = new("StreamEM");

    /// <summary>Begins the span of a model's work.</summary>
    /// <param name="name">The work: <c>checkpoint</c>, <c>publish</c>.</param>
    /// <param name="model">The model; null where it is not known.</param>
    /// <param name="version">The version it is of.</param>
    public static Activity? Begin(string name, string? model, long version)
    {
        Activity? span = Source.StartActivity(name);
        if (model is not null) span?.SetTag("streamem.model", model);
        span?.SetTag("streamem.version", version);
        return span;
    }
}
