using System.Buffers;
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
    /// <summary>Where the parts of a <c>traceparent</c> begin, and its least length: <c>00-TRACE-SPAN-00</c>.</summary>
    private const int Trace = 3, Span = 36, Flags = 53, Length = 55;

    /// <summary>The longest that is looked at: later versions may append to it.</summary>
    private const int MostBytes = 256;

    private static readonly SearchValues<byte> Hexadecimal = SearchValues.Create("0123456789abcdef"u8);
    private static readonly TraceContextPropagator Propagator = new();

    /// <summary>Reads the context that a record came with.</summary>
    /// <returns>Whether there is one.</returns>
    public static bool TryRead(in RecordTrace trace, out ActivityContext context)
    {
        context = default;
        if (!HasShape(trace.Parent)) return false;
        context = Propagator.Extract(default, trace, static (from, name) => name switch
        {
            RecordTrace.ParentHeader => [Encoding.Latin1.GetString(from.Parent!)],
            RecordTrace.StateHeader when from.State is { } state => [Encoding.Latin1.GetString(state)],
            _ => null,
        }).ActivityContext;
        return context != default;
    }

    /// <summary>Whether what has the shape of a context says that its trace is recorded.</summary>
    public static bool SaysSampled(ReadOnlySpan<byte> parent) => parent.Length >= Length && "13579bdf"u8.Contains(parent[Flags + 1]);

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

    /// <summary>
    /// Whether it looks like a context. The propagator throws and catches where it does not, which a producer that sends nonsense with
    /// every record would make dear.
    /// </summary>
    private static bool HasShape(ReadOnlySpan<byte> parent) =>
        parent.Length is >= Length and <= MostBytes
        && parent[Trace - 1] == '-' && parent[Span - 1] == '-' && parent[Flags - 1] == '-'
        && IsHexadecimal(parent[..(Trace - 1)]) && IsHexadecimal(parent[Flags..Length])
        && IsId(parent[Trace..(Span - 1)]) && IsId(parent[Span..(Flags - 1)]);

    private static bool IsId(ReadOnlySpan<byte> id) => IsHexadecimal(id) && id.ContainsAnyExcept((byte)'0');

    private static bool IsHexadecimal(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(Hexadecimal);
}
