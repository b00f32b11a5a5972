using System.Diagnostics;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>330 records in minibatches of 32 after a buffer of 96, each with a trace of its own, or none with any.</summary>
[Collection(ListeningTests.Name)]
public sealed class UpdateSpansTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ActivityContext[] _contexts =
    [
        .. Enumerable.Range(0, 330).Select(_ => new ActivityContext(
            ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded)),
    ];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Update_OfRecordsWithTraces_LinksToThoseOfItsMinibatch()
    {
        using var listening = new Listening();

        await Learn(_directory, withTraces: true);

        IReadOnlyList<Activity> updates = listening.Spans("update");
        // What fills the buffer is learned from in three updates, of which the first has all that came.
        Assert.Equal([1L, .. Enumerable.Range(4, 8).Select(version => (long)version)], updates.Select(VersionOf));
        IEnumerable<ActivityContext>[] expected =
            [_contexts.Take(96), .. Enumerable.Range(3, 7).Select(batch => _contexts.Skip(32 * batch).Take(32)), _contexts.Skip(320)];
        Assert.Equal(expected.Select(Ids), updates.Select(update => Ids(update.Links.Select(link => link.Context))));
        Assert.All(updates, update => Assert.Equal(("clouds", default), (update.GetTagItem("streamem.model"), update.ParentSpanId)));
    }

    [Fact]
    public async Task Publish_OfVersionsWithSpans_IsAPartOfTheNewestAndLinksToTheOthers()
    {
        using var listening = new Listening();

        await Learn(_directory, withTraces: true);

        var updates = listening.Spans("update").ToDictionary(VersionOf);
        IReadOnlyList<Activity> published = listening.Spans("publish");
        Assert.NotEmpty(published);
        foreach (Activity publish in published)
        {
            if (updates.TryGetValue(VersionOf(publish), out Activity? newest))
                Assert.Equal((newest.TraceId, newest.SpanId), (publish.TraceId, publish.ParentSpanId));
            else Assert.Equal(default, publish.ParentSpanId);
        }

        IEnumerable<ActivitySpanId> reached =
            published.SelectMany(publish => publish.Links.Select(link => link.Context.SpanId).Append(publish.ParentSpanId));
        Assert.Empty(updates.Values.Select(update => update.SpanId).Except(reached));
    }

    [Fact]
    public async Task Learned_WithAndWithoutTraces_IsTheSameToTheByte()
    {
        using var other = new TemporaryDirectory();
        using (new Listening()) await Learn(_directory, withTraces: true);

        await Learn(other, withTraces: false);

        Assert.Equal(PublishedLog.Contents(other["out/snapshots.ndjson"]), PublishedLog.Contents(_directory["out/snapshots.ndjson"]));
        Assert.Equal(State(other), State(_directory));
    }

    [Fact]
    public async Task Update_OfRecordsWithoutTraces_MakesNoSpan()
    {
        using var listening = new Listening();

        await Learn(_directory, withTraces: false);

        Assert.Empty(listening.Spans("update"));
        Assert.NotEmpty(listening.Spans("publish"));
    }

    private async Task Learn(TemporaryDirectory directory, bool withTraces)
    {
        RecordTrace[] traces = [.. _contexts.Select(TraceContext.Of)];
        await using ModelPipeline pipeline = Pipelines.Create(directory, Pipelines.Model(directory), position =>
            new MemorySource(Pipelines.Clouds(330), position) { Traces = withTraces ? offset => traces[offset] : null });
        await pipeline.StartAsync(CancellationToken.None);
        Assert.Equal(ModelState.Finished, (await Eventually.Within(pipeline.Completion)).State);
    }

    private static byte[] State(TemporaryDirectory directory) => CheckpointFile.Decode(File.ReadAllBytes(
        Directory.GetFiles(directory["state/clouds"], "*.sem").Max(StringComparer.Ordinal)!)).Learner.ToArray();

    private static long VersionOf(Activity span) => (long)span.GetTagItem("streamem.version")!;

    private static string Ids(IEnumerable<ActivityContext> contexts) =>
        string.Join(' ', contexts.Select(context => $"{context.TraceId}{context.SpanId}"));
}
