using System.Globalization;
using System.Text;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Http;
using StreamEm.Sources.Tests.Decoding;

namespace StreamEm.Sources.Tests;

/// <summary>Texts travel as numbers of a batch's table: they must be the same texts wherever the batch goes.</summary>
public sealed class RecordBatchTests
{
    private const int MaxTexts = 1 << 16;

    private static readonly RecordSchema Schema =
        new() { Features = ["c", "x"], Kinds = [FeatureKind.Level, FeatureKind.Number], Key = "k", Label = "l" };

    [Fact]
    public void Clear_TableBeyondItsBound_BeginsAnewAndLeavesTheOldOneAlone()
    {
        var batch = new RecordBatch(Schema, 1000);
        var decoder = RecordDecoder.Create(RecordFormat.Csv, Schema);
        Assert.True(decoder.TryBegin("c,x,k,l\n"u8, isFinal: false, "data", out _));
        TextTable first = batch.Texts;
        int rows = 0;
        while (first.Count <= MaxTexts)
        {
            batch.Clear("data");
            Assert.Same(first, batch.Texts);
            decoder.Decode(Encoding.UTF8
                .GetBytes(string.Concat(Enumerable.Range(rows, 1000)
                    .Select(row => string.Create(CultureInfo.InvariantCulture, $"red,1,device{row},on\n")))), 0, isFinal: false, batch);
            rows += batch.Count;
        }
        int last = batch.Records.Key(999);

        batch.Clear("data");
        Assert.NotSame(first, batch.Texts);
        Assert.Equal(0, batch.Texts.Count);
        decoder.Decode("blue,2,new,off\n"u8, 0, isFinal: false, batch);

        Assert.Equal(("blue", "new", "off"), (batch.Texts[(int)batch.Row(0)[0]], batch.Key(0), batch.Label(0)));
        Assert.Equal(3, batch.Texts.Count);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"device{rows - 1}"), first[last]);
    }

    [Fact]
    public void Reject_AnyRecord_LeavesThePositionAfterIt()
    {
        var batch = new RecordBatch(1, 10);
        batch.Clear("part", identity: "same", 100);
        Assert.Equal(new PartitionPosition(100, "same"), batch.EndPosition);

        batch.Reject(RejectionReason.NotANumber, "text", 100, 107, "first");
        Assert.Equal(new PartitionPosition(107, "same"), batch.EndPosition);
        batch.NextRow[0] = 1;
        batch.Commit(110);
        Assert.Equal(new PartitionPosition(110, "same"), batch.PositionAfter(0));
        batch.Reject(RejectionReason.NotANumber, "text", 110, 121, "last");

        Assert.Equal(new PartitionPosition(121, "same"), batch.EndPosition);
        Assert.Equal([(100L, 0), (110L, 1)], batch.Rejected.Select(record => (record.Offset, record.BeforeRow)));
    }

    [Fact]
    public async Task HttpPush_RecordsCopiedToAnotherTable_KeepTheirTexts()
    {
        await using var source =
            new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        string[] colours = ["red", "green", "blue"];
        string Line(int row) =>
            string.Create(CultureInfo.InvariantCulture,
                $"{{\"c\":\"{colours[row % 3]}\",\"x\":{row},\"k\":\"device{row % 5}\",\"l\":\"{(row % 2 == 0 ? "on" : "")}\"}}");
        foreach (int first in (int[])[0, 10])
        {
            string body = string.Join('\n', Enumerable.Range(first, 10).Select(Line).Append("rubbish"));
            PushResult pushed = source.TryPush(Encoding.UTF8.GetBytes(body), RequestFormat.Ndjson);
            Assert.Equal((PushStatus.Taken, 10, 1), (pushed.Status, pushed.Accepted, pushed.Rejected));
        }
        source.Complete();

        // Its table already has other texts, so that no number is the same by chance.
        var batch = new RecordBatch(Schema, 7);
        foreach (string other in (string[])["x", "on", "y", "device3", "z"]) batch.Texts.Number(other);
        int row = 0;
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
            for (int at = 0; at < batch.Count; at++, row++)
            {
                Assert.Equal((colours[row % 3], row), (batch.Texts[(int)batch.Row(at)[0]], batch.Row(at)[1]));
                Assert.Equal(($"device{row % 5}", row % 2 == 0 ? "on" : null), (batch.Key(at), batch.Label(at)));
            }
        Assert.Equal(20, row);
    }

    [Fact]
    public void Roles_ThatMayBeLacking_AreReadWhereTheyAre()
    {
        RecordSchema lenient = Schema with { MayLackRoles = true };
        RecordBatch without = Decoded.Batch(RecordFormat.Csv, lenient, "x,c\n1,red\n"),
            with = Decoded.Batch(RecordFormat.Csv, lenient, "x,k,c\n1,device,red\n");
        Assert.Equal((1, null), (without.Count, without.Key(0)));
        Assert.Equal(("device", null), (with.Key(0), with.Label(0)));
        Assert.StartsWith("'data.csv' has no column 'l'.",
            Assert.Throws<SourceException>(() => Decoded.Batch(RecordFormat.Csv, Schema, "x,k,c\n1,device,red\n")).Message,
            StringComparison.Ordinal);
        Assert.StartsWith("'data.csv' has no column 'c'.",
            Assert.Throws<SourceException>(() => Decoded.Batch(RecordFormat.Csv, lenient, "x,k\n1,device\n")).Message,
            StringComparison.Ordinal);
    }
}
