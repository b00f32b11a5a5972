using System.Text;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Auditing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Auditing;

public sealed class FeedAuditTests
{
    private static readonly LearnedModel[] Learned = [.. Pipelines.Versions(count: 6, minibatch: 20)];

    [Fact]
    public void Feed_AsItWasWritten_IsWhole()
    {
        FeedAudit audit = Audit(Feed());

        Assert.Null(audit.Break);
        AuditedRun run = Assert.Single(audit.Runs);
        Assert.Equal((1L, 6L, 6, 0L), (run.First, run.Last, run.Versions, run.Missing));
        Assert.Equal(SnapshotReader.Read(Feed()[5]).Ancestry!.Hash, run.HashOf(6));
    }

    [Fact]
    public void Feed_AVersionMadeAgainAfterACrash_IsARepeat()
    {
        byte[][] feed = Feed();
        byte[] again = Feed(createdAt: DateTimeOffset.UnixEpoch.AddHours(1))[3];

        FeedAudit audit = Audit([.. feed[..4], again, .. feed[4..]]);

        Assert.Null(audit.Break);
        Assert.NotEqual(feed[3], again);
        Assert.Equal(1, audit.Runs[0].Repeats);
    }

    [Fact]
    public void Feed_ADigitChanged_Breaks()
    {
        byte[][] feed = Feed();
        feed[2] = Changed(feed[2], "\"records\":", "\"records\":1");

        AssertBreak(BreakKind.Changed, 3, feed);
    }

    [Fact]
    public void Feed_ASnapshotChangedWithAHashOfItsOwnMade_BreaksAtTheNext()
    {
        byte[][] feed = Feed();
        ModelSnapshot forged = SnapshotReader.Read(feed[2]);
        double[] parameters = [.. forged.Parameters];
        parameters[2] += 1;
        forged = forged with { Parameters = parameters };
        feed[2] = Json(forged with { Ancestry = Ancestry.Of(forged, forged.Ancestry!.Parents) });

        AssertBreak(BreakKind.Parent, 4, feed);
    }

    [Fact]
    public void Feed_AVersionLeftOut_BreaksUnlessGapsAreAllowed()
    {
        byte[][] feed = [.. Feed().Where((_, at) => at != 2)];

        AssertBreak(BreakKind.Gap, 3, feed);
        FeedAudit tolerant = Audit(feed, allowsGaps: true);
        Assert.Null(tolerant.Break);
        Assert.Equal(1, tolerant.Runs[0].Missing);
    }

    [Fact]
    public void Feed_ItsBeginningLeftOut_BreaksUnlessGapsAreAllowed()
    {
        AssertBreak(BreakKind.Gap, 1, Feed()[2..]);
        Assert.Null(Audit(Feed()[2..], allowsGaps: true).Break);
    }

    [Fact]
    public void Feed_GapsAllowed_StillVerifiesWhatFollowsEachOther()
    {
        byte[][] feed = Feed();
        ModelSnapshot forged = SnapshotReader.Read(feed[4]) with { ComponentIds = ["c7", "c8"] };
        byte[] json = Json(forged with { Ancestry = Ancestry.Of(forged, forged.Ancestry!.Parents) });

        AssertBreak(BreakKind.Parent, 4, [feed[0], feed[3], json, feed[5]], allowsGaps: true);
    }

    [Fact]
    public void Feed_OneVersionTwiceWithOtherContent_IsAFork()
    {
        byte[][] feed = Feed();
        ModelSnapshot other = SnapshotReader.Read(feed[3]) with { ComponentIds = ["c7", "c8"] };

        AssertBreak(BreakKind.Fork, 5, [.. feed[..4], Json(other with { Ancestry = Ancestry.Of(other, other.Ancestry!.Parents) })]);
    }

    [Fact]
    public void Feed_VersionsOutOfOrder_Breaks()
    {
        byte[][] feed = Feed();

        AssertBreak(BreakKind.Fork, 3, [feed[0], feed[2], feed[1]], allowsGaps: true);
    }

    [Fact]
    public void Feed_SomethingElse_Breaks() => AssertBreak(BreakKind.Unreadable, 2, [Feed()[0], "hello"u8.ToArray()]);

    [Fact]
    public void Feed_AnOlderReleaseThenThisOne_IsWholeButNotTheOtherWayRound()
    {
        byte[][] feed = Feed(), older = [.. feed.Select(line => Json(SnapshotReader.Read(line) with { Ancestry = null }))];
        byte[][] rest = Feed(skip: 2);

        FeedAudit audit = Audit([older[0], older[1], .. rest]);

        Assert.Null(audit.Break);
        Assert.Equal(2, audit.Runs[0].Unsigned);
        AssertBreak(BreakKind.Unsigned, 3, [feed[0], feed[1], older[2]]);
    }

    [Fact]
    public void Feed_ARunThatCameFromAnother_IsHeldToTheOneInTheFeed()
    {
        byte[][] feed = Feed();
        SnapshotParent last = ParentOf(feed[5]);
        byte[] child = Child(last), forged = Child(last with { Hash = ParentOf(feed[4]).Hash });

        Assert.Equal([last], Audit([.. feed, child]).Runs[1].Origins);
        AssertBreak(BreakKind.Parent, 7, [.. feed, forged]);
    }

    [Fact]
    public void Topic_AKeyOfAnotherModel_Breaks()
    {
        var audit = new FeedAudit(allowsGaps: false);

        audit.Take(Feed()[0], "offset 0 of partition 0", "turbine");

        Assert.Equal(BreakKind.Changed, audit.Break!.Kind);
    }

    private static byte[] Child(SnapshotParent parent)
    {
        ModelSnapshot snapshot = new RunIdentity("clouds", "later", "sha256:test").Stamp(Learned[0], DateTimeOffset.UnixEpoch);
        return Json(snapshot with { Ancestry = Ancestry.Of(snapshot, [parent]) });
    }

    private static SnapshotParent ParentOf(byte[] line)
    {
        ModelSnapshot snapshot = SnapshotReader.Read(line);
        return new SnapshotParent(snapshot.RunId, snapshot.Version, snapshot.Ancestry!.Hash);
    }

    private static byte[][] Feed(DateTimeOffset? createdAt = null, int skip = 0)
    {
        var chain = new SnapshotChain(first: null);
        var identity = new RunIdentity("clouds", "run", "sha256:test");
        return [.. Learned.Skip(skip)
            .Select(learned => chain.Add(identity.Stamp(learned, createdAt ?? DateTimeOffset.UnixEpoch)).Json.ToArray())];
    }

    private static byte[] Json(ModelSnapshot snapshot) => new SnapshotDocument(snapshot).Json.ToArray();

    private static byte[] Changed(byte[] line, string from, string to) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line).Replace(from, to, StringComparison.Ordinal));

    private static FeedAudit Audit(byte[][] feed, bool allowsGaps = false)
    {
        var audit = new FeedAudit(allowsGaps);
        for (int at = 0; at < feed.Length; at++) audit.Take(feed[at], $"line {at + 1}");
        return audit;
    }

    private static void AssertBreak(BreakKind kind, int line, byte[][] feed, bool allowsGaps = false)
    {
        FeedBreak? broken = Audit(feed, allowsGaps).Break;
        Assert.Equal((kind, $"line {line}"), (broken?.Kind, broken?.Place));
    }
}
