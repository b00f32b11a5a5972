using System.Diagnostics;
using StreamEm.Sources;

namespace StreamEm.Worker.Telemetry;

/// <summary>
/// The contexts of what one span is made of, to be its links: each once, sampled ones before others, and no more than
/// <see cref="Most"/>. One thread.
/// </summary>
internal sealed class TraceLinks
{
    /// <summary>The most links of a span: what OpenTelemetry keeps where nobody says otherwise.</summary>
    public const int Most = 128;

    private readonly HashSet<ActivityContext> _sampled = [], _others = [];
    private byte[]? _last;

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => _sampled.Count + _others.Count == 0;

    /// <summary>Adds what records of a batch came with.</summary>
    public void Add(RecordBatch batch, int first, int count)
    {
        if (!batch.HasTraces) return;
        for (int row = first; row < first + count; row++) Add(batch.Trace(row));
    }

    /// <summary>Adds what a record or message came with, if that is a context.</summary>
    public void Add(in RecordTrace trace)
    {
        if (trace.Parent is not { } parent || _sampled.Count == Most) return;
        // Records of one request, or of one batch of a producer, have the same.
        if (parent.AsSpan().SequenceEqual(_last)) return;
        _last = parent;
        if (_others.Count == Most && !TraceContext.SaysSampled(parent)) return;
        if (TraceContext.TryRead(trace, out ActivityContext context)) Add(context);
    }

    /// <summary>Adds a context.</summary>
    public void Add(ActivityContext context)
    {
        bool isSampled = context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);
        HashSet<ActivityContext> alike = isSampled ? _sampled : _others;
        if (alike.Count < Most) alike.Add(context);
    }

    /// <summary>Gives a span its links and forgets them.</summary>
    /// <param name="span">The span; null where none is made.</param>
    public void MoveTo(Activity? span)
    {
        if (span is { IsAllDataRequested: true })
            foreach (ActivityContext context in _sampled.Concat(_others).Take(Most)) span.AddLink(new ActivityLink(context));
        Clear();
    }

    /// <summary>Forgets them.</summary>
    public void Clear()
    {
        _sampled.Clear();
        _others.Clear();
        _last = null;
    }
}
