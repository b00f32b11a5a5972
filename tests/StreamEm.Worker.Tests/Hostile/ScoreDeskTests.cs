using System.Buffers;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Http;
using StreamEm.Worker.Api;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hostile;

public sealed class ScoreDeskTests
{
    [Fact]
    public void Score_OneRecordAfterAnother_AllocatesLittle()
    {
        SnapshotDocument document = Document();
        var desks = new ScoreDesks();
        var output = new ArrayBufferWriter<byte>();
        byte[] body = "{\"x\": 1, \"y\": 2}"u8.ToArray();
        Score(desks, document, body, output);
        Score(desks, document, body, output);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Score(desks, document, body, output);

        // The writer of the answer, and the arrays for the scores of one record.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 100, 0, 4096);
    }

    [Fact]
    public void Take_OfANewerVersion_ScoresUnderThatOne()
    {
        var desks = new ScoreDesks();
        LearnedModel[] versions = [.. Pipelines.Versions(2, minibatch: 100)];
        SnapshotDocument first = Document(versions[0]), second = Document(versions[1]);
        ScoreDesk desk = desks.Take(first);
        desks.Return(desk);

        Assert.Same(desk, desks.Take(second));
        Assert.Same(second.Snapshot, desk.Session.Scorer.Learned);
    }

    private static void Score(ScoreDesks desks, SnapshotDocument document, byte[] body, ArrayBufferWriter<byte> output)
    {
        output.ResetWrittenCount();
        ScoreDesk desk = desks.Take(document);
        Assert.True(desk.Records.TryBegin(body, RequestFormat.Json, out _));
        var format = new JsonScoreFormat(output, asLines: false, withVersion: true);
        Assert.False(desk.Score(body, desk.Begin(format)));
        desks.Return(desk);
    }

    private static SnapshotDocument Document() => Document(Pipelines.Versions(1, minibatch: 100).First());

    private static SnapshotDocument Document(LearnedModel learned) => new(RunIdentity
        .New("clouds", "sha256:test", TimeProvider.System).Stamp(learned, DateTimeOffset.UnixEpoch, new StreamEm.Sources.SourcePosition()));
}
