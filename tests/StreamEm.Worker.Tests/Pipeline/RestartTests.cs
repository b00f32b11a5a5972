using StreamEm.Sources;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>What a restarted worker shows and counts: what it showed and counted before.</summary>
public sealed class RestartTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Restart_IdleSource_ShowsTheVersionOfBeforeAtOnce()
    {
        ReadOnlyMemory<byte> before;
        await using (ModelPipeline first = await Learned(330))
        {
            before = first.Feed.Latest!.Json;
            await Stop(first);
        }

        await using ModelPipeline second = await Learned(330);

        Assert.Equal(10, second.Feed.Latest!.Version);
        Assert.True(before.Span.SequenceEqual(second.Feed.Latest.Json.Span), "The version is shown with other bytes than before.");
        await Stop(second);
    }

    [Fact]
    public async Task Restart_AfterRejections_GoesOnCountingThem()
    {
        await using (ModelPipeline first = await Learned(330, badEvery: 33))
        {
            Assert.Equal(10, first.Metrics.Rejected(RejectionReason.NotANumber));
            await Stop(first);
        }

        await using ModelPipeline second = await Learned(330, badEvery: 33);

        Assert.Equal(10, second.Metrics.Rejected(RejectionReason.NotANumber));
        Assert.Equal(320, second.Metrics.Records);
        await Stop(second);
    }

    /// <summary>Of 5000 records every fourth is bad from record 400 on.</summary>
    [Theory]
    [InlineData(300)]
    [InlineData(450)]
    [InlineData(700)]
    public async Task Restart_BeforeTooManyAreRejected_StopsAtTheSameRecordAsWithout(int stopAfter)
    {
        double[]?[] items = [.. Pipelines.Clouds(400), .. Pipelines.Clouds(4600, badEvery: 4)];
        using var whole = new TemporaryDirectory();
        PipelineEnd expected = await Pipelines.Drain(whole, Pipelines.Model(whole), items);
        Assert.Equal(ExitCode.DataCorrupt, expected.Code);

        MemorySource? source = null;
        await using (ModelPipeline first = Pipelines.Create(_directory, Pipelines.Model(_directory),
            position => source = new MemorySource(items[..stopAfter], position, endless: true)))
        {
            await first.StartAsync(CancellationToken.None);
            await Eventually.Within(source!.Drained);
            await Stop(first);
        }

        PipelineEnd end = await Pipelines.Drain(_directory, Pipelines.Model(_directory), items);

        Assert.Equal((expected.Code, expected.Failure), (end.Code, end.Failure));
    }

    [Fact]
    public void Counts_SavedAndGoneOnWith_AreTheSameAsNeverSaved()
    {
        var whole = new RejectionLedger(new RejectionCounts());
        RejectionLedger part = whole;
        var random = new Random(1);
        for (int record = 0; record < 25_000; record++)
        {
            bool isBad = random.Next(7) == 0;
            foreach (RejectionLedger ledger in (RejectionLedger[])(part == whole ? [whole] : [whole, part]))
            {
                if (isBad) ledger.Reject(RejectionReason.CsvColumns);
                else ledger.Accept();
            }

            if (record % 3001 == 0) part = new RejectionLedger(part.ToCounts());
            RejectionCounts expected = whole.ToCounts(), found = part.ToCounts();
            Assert.Equal((whole.Read, whole.Rejected), (part.Read, part.Rejected));
            Assert.Equal((expected.RecentRead, expected.RecentRejected), (found.RecentRead, found.RecentRejected));
        }
    }

    private async Task<ModelPipeline> Learned(int records, int badEvery = int.MaxValue)
    {
        MemorySource? source = null;
        ModelPipeline pipeline = Pipelines.Create(_directory, Pipelines.Model(_directory),
            position => source = new MemorySource(Pipelines.Clouds(records, badEvery), position, endless: true));
        await pipeline.StartAsync(CancellationToken.None);
        await Eventually.Within(source!.Drained);
        await Eventually.True(() => pipeline.Metrics.Records == records - records / badEvery, "all records are taken");
        return pipeline;
    }

    private static async Task Stop(ModelPipeline pipeline)
    {
        pipeline.RequestStop();
        Assert.Null((await Eventually.Within(pipeline.Completion)).Failure);
    }
}
