using StreamEm.Sources;
using StreamEm.Worker.Rejections;

namespace StreamEm.Worker.Tests.Rejections;

public sealed class RejectionLedgerTests
{
    [Fact]
    public void Excess_BelowAHundredRecords_SaysNothingYet()
    {
        var ledger = new RejectionLedger(new RejectionCounts());
        for (int i = 0; i < 99; i++) ledger.Reject(RejectionReason.JsonSyntax);

        Assert.Null(ledger.Excess(0.05, atEnd: false));
        Assert.NotNull(ledger.Excess(0.05, atEnd: true));
        ledger.Reject(RejectionReason.JsonSyntax);
        Assert.NotNull(ledger.Excess(0.05, atEnd: false));
    }

    [Fact]
    public void Excess_StreamTurnsBadAfterAMillionGoodRecords_IsSeenWithinAFewThousand()
    {
        var ledger = new RejectionLedger(new RejectionCounts());
        for (int i = 0; i < 1_000_000; i++) ledger.Accept();
        int bad = 0;
        for (; ledger.Excess(0.05, atEnd: false) is null; bad++) ledger.Reject(RejectionReason.JsonSyntax);

        // At most 10 000 good ones are remembered: 5 % of 10 000 + bad is reached by 527 bad ones.
        Assert.InRange(bad, 200, 527);
    }

    [Fact]
    public void Excess_AtTheLimit_IsAllowed()
    {
        var ledger = new RejectionLedger(new RejectionCounts());
        for (int i = 0; i < 190; i++) ledger.Accept();
        for (int i = 0; i < 10; i++) ledger.Reject(RejectionReason.CsvColumns);

        Assert.Null(ledger.Excess(0.05, atEnd: true));
        ledger.Reject(RejectionReason.CsvColumns);
        Assert.NotNull(ledger.Excess(0.05, atEnd: true));
    }

    [Fact]
    public void Accept_RecordsWithoutAFieldThatCouldNotBeRead_AreCountedAndKept()
    {
        var batch = new RecordBatch(1, 4);
        batch.Clear("p");
        batch.Commit(1, weight: 1, unread: OptionalFields.Key | OptionalFields.Timestamp);
        batch.Commit(2, weight: 1);
        batch.Commit(3, weight: 1, unread: OptionalFields.Timestamp);
        var ledger = new RejectionLedger(new RejectionCounts { UnreadKeys = 5 });
        ledger.Accept(batch, 0, 2);
        Assert.Equal((2, 6, 1, 0), (ledger.Read, ledger.UnreadKeys, ledger.UnreadTimestamps, ledger.Rejected));
        var later = new RejectionLedger(ledger.ToCounts());
        later.Accept(batch, 2, 1);
        Assert.Equal((3, 6, 2), (later.Read, later.UnreadKeys, later.UnreadTimestamps));
    }

    [Fact]
    public void Accept_ManyAtOnce_CountsAsOneByOne()
    {
        var single = new RejectionLedger(new RejectionCounts());
        var many = new RejectionLedger(new RejectionCounts());
        foreach (int count in (int[])[1, 9_998, 1, 3, 25_000, 0, 4_999, 60_000])
        {
            for (int i = 0; i < count; i++) single.Accept();
            many.Accept(count);
            single.Reject(RejectionReason.TooLarge);
            many.Reject(RejectionReason.TooLarge);
            Assert.Equal(single.Excess(0, atEnd: true), many.Excess(0, atEnd: true));
            Assert.Equal(single.ToCounts().RecentRead, many.ToCounts().RecentRead);
        }
    }

    [Fact]
    public void ToCounts_AndBack_GoesOnTheSame()
    {
        var whole = new RejectionLedger(new RejectionCounts());
        var parts = new RejectionLedger(new RejectionCounts());
        for (int i = 0; i < 25_000; i++)
        {
            if (i % 7 == 0) whole.Reject(RejectionReason.TooLarge);
            else whole.Accept();
            if (i % 7 == 0) parts.Reject(RejectionReason.TooLarge);
            else parts.Accept();
            if (i % 999 == 0) parts = new RejectionLedger(parts.ToCounts());
        }

        Assert.Equal(whole.Excess(0, atEnd: true), parts.Excess(0, atEnd: true));
    }
}
