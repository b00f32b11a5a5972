using System.Diagnostics;
using System.Text;
using OpenTelemetry.Context.Propagation;
using StreamEm.Sources;

namespace StreamEm.Worker.Telemetry;

/// <summary>
/// W3C Trace Context from and to the headers of messages, by OpenTelemetry's propagator. What is not valid is no context, and nothing else
/// comes of it.
/// </summary>
internal static class TraceContext
{
    /// <summary>Where a <c>traceparent</c> (<c>00-TRACE-SPAN-00</c>) has the digit that says whether its trace is recorded.</summary>
    private const int LastFlags = 54;

    private static readonly TraceContextPropagator Propagator = new();

    /// <summary>Reads the context that a record came with.</summary>
    /// <returns>Whether there is one.</returns>
    public static bool TryRead(in RecordTrace trace, out ActivityContext context)
    {
        context = default;
        if (trace.IsNone) return false;
        context = Propagator.Extract(default, trace, static (from, name) => name switch
        {
            RecordTrace.ParentHeader => [Encoding.Latin1.GetString(from.Parent!)],
            RecordTrace.StateHeader when from.State is { } state => [Encoding.Latin1.GetString(state)],
            _ => null,
        }).ActivityContext;
        return context != default;
    }

    /// <summary>Whether what may be a context says that its trace is recorded.</summary>
    public static bool SaysSampled(ReadOnlySpan<byte> parent) => parent.Length > LastFlags && "13579bdf"u8.Contains(parent[LastFlags]);

    /// <summary>A context as a record would bring it.</summary>
    public static RecordTrace Of(ActivityContext context)
    {
        (byte[]? parent, byte[]? state) = (null, null);
        Write(context, (name, value) =>
        {
            if (name == RecordTrace.ParentHeader) parent = value;
            else state = value;
        });
        return new RecordTrace(parent, state);
    }

    /// <summary>Writes a context as headers; nothing for none.</summary>
    /// <param name="context">The context.</param>
    /// <param name="add">Takes name and value.</param>
    public static void Write(ActivityContext context, Action<string, byte[]> add)
    {
        if (context == default) return;
        Propagator.Inject(
            new PropagationContext(context, default), add, static (to, name, value) => to(name, Encoding.UTF8.GetBytes(value)));
    }
}
