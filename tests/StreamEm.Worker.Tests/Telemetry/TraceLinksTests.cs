using System.Diagnostics;
using StreamEm.Sources;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Telemetry;

public sealed class TraceLinksTests
{
    private readonly TraceLinks _links = new();

    [Fact]
    public void MoveTo_MoreContextsThanLinks_HasTheSampledOnesBeforeTheOthers()
    {
        ActivityContext[] others = Contexts(200, ActivityTraceFlags.None), sampled = Contexts(100, ActivityTraceFlags.Recorded);
        foreach (ActivityContext context in others.Concat(sampled)) _links.Add(TraceContext.Of(context));

        List<ActivityContext> linked = Move();

        Assert.Equal(128, linked.Count);
        Assert.Equal(Ids([.. sampled, .. others[..28]]), Ids(linked));
        Assert.True(_links.IsEmpty);
    }

    [Fact]
    public void MoveTo_MoreSampledContextsThanLinks_HasTheFirst()
    {
        ActivityContext[] sampled = Contexts(200, ActivityTraceFlags.Recorded);
        foreach (ActivityContext context in sampled) _links.Add(TraceContext.Of(context));

        Assert.Equal(Ids(sampled[..128]), Ids(Move()));
    }

    [Fact]
    public void Add_TheSameContextAgain_LinksToItOnce()
    {
        ActivityContext[] contexts = Contexts(2, ActivityTraceFlags.Recorded);
        foreach (int which in (int[])[0, 0, 1, 0, 1, 1]) _links.Add(TraceContext.Of(contexts[which]));

        Assert.Equal(Ids(contexts), Ids(Move()));
    }

    [Fact]
    public void Add_Nothing_LinksToNothing()
    {
        _links.Add(default(RecordTrace));
        _links.Add(new RecordTrace("00-nonsense"u8.ToArray(), null));

        Assert.True(_links.IsEmpty);
        Assert.Empty(Move());
    }

    private List<ActivityContext> Move()
    {
        using var span = new Activity("test");
        _links.MoveTo(span);
        return [.. span.Links.Select(link => link.Context)];
    }

    private static ActivityContext[] Contexts(int count, ActivityTraceFlags flags) =>
    [
        .. Enumerable.Range(0, count)
            .Select(_ => new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), flags)),
    ];

    private static IEnumerable<string> Ids(IEnumerable<ActivityContext> contexts) =>
        contexts.Select(context => context.TraceId.ToHexString());
}
