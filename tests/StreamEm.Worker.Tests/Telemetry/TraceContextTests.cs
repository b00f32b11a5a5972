using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Text;
using StreamEm.Sources;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Telemetry;

public sealed class TraceContextTests
{
    /// <summary>The example of the recommendation.</summary>
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736", Span = "00f067aa0ba902b7", Valid = $"00-{Trace}-{Span}-01";

    [Theory]
    [InlineData(Valid, ActivityTraceFlags.Recorded)]
    [InlineData($"00-{Trace}-{Span}-00", ActivityTraceFlags.None)]
    // What a later version appends is passed over.
    [InlineData($"cc-{Trace}-{Span}-01-what-will-be", ActivityTraceFlags.Recorded)]
    public void TryRead_Context_IsThatContextFromElsewhere(string parent, ActivityTraceFlags flags)
    {
        Assert.True(TraceContext.TryRead(Of(parent), out ActivityContext context));

        Assert.Equal((Trace, Span), (context.TraceId.ToHexString(), context.SpanId.ToHexString()));
        Assert.Equal(flags, context.TraceFlags);
        Assert.True(context.IsRemote);
        Assert.Equal(flags == ActivityTraceFlags.Recorded, TraceContext.SaysSampled(Encoding.UTF8.GetBytes(parent)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData($"00-{Trace}-{Span}-0")]
    [InlineData($"00-{Trace}-{Span}-01-more")]
    [InlineData($"00_{Trace}-{Span}-01")]
    [InlineData($"ff-{Trace}-{Span}-01")]
    [InlineData($"0g-{Trace}-{Span}-01")]
    [InlineData($"00-{Trace}-{Span}-0x")]
    [InlineData($"00-4BF92F3577B34DA6A3CE929D0E0E4736-{Span}-01")]
    [InlineData($"00-00000000000000000000000000000000-{Span}-01")]
    [InlineData($"00-{Trace}-0000000000000000-01")]
    [InlineData($"00-{Trace}-00f067aa0ba902\u00E4-01")]
    public void TryRead_Nonsense_IsNoContextAndThrowsNothing(string parent)
    {
        (int thread, int thrown) = (Environment.CurrentManagedThreadId, 0);
        EventHandler<FirstChanceExceptionEventArgs> count =
            (_, _) => thrown += Environment.CurrentManagedThreadId == thread ? 1 : 0;
        AppDomain.CurrentDomain.FirstChanceException += count;
        bool isRead;
        try
        {
            isRead = TraceContext.TryRead(Of(parent), out _);
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= count;
        }

        Assert.False(isRead);
        Assert.Equal(0, thrown);
        Assert.False(TraceContext.TryRead(default, out _));
    }

    [Fact]
    public void TryRead_LongerThanAnyVersionNeeds_IsNoContext() =>
        Assert.False(TraceContext.TryRead(Of($"01-{Trace}-{Span}-01-{new string('a', 1000)}"), out _));

    [Theory]
    [InlineData("vendor=1,other=2", "vendor=1,other=2")]
    [InlineData("not a state", null)]
    [InlineData("vendor=\u00E4", null)]
    public void TryRead_State_IsKeptWhereItIsOne(string state, string? kept)
    {
        Assert.True(TraceContext.TryRead(Of(Valid, state), out ActivityContext context));

        Assert.Equal(kept ?? "", context.TraceState ?? "");
    }

    [Fact]
    public void Of_AContext_IsWhatIsReadAgain()
    {
        Assert.True(TraceContext.TryRead(Of(Valid, "vendor=1"), out ActivityContext context));

        RecordTrace written = TraceContext.Of(context);

        Assert.Equal((Valid, "vendor=1"), (Encoding.UTF8.GetString(written.Parent!), Encoding.UTF8.GetString(written.State!)));
        Assert.True(TraceContext.Of(default).IsNone);
    }

    private static RecordTrace Of(string parent, string? state = null) =>
        new(Encoding.UTF8.GetBytes(parent), state is null ? null : Encoding.UTF8.GetBytes(state));
}
