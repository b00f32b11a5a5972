using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

public sealed class CsvDecoderTests
{
    private static readonly RecordSchema Two = new() { Features = ["a", "b"] };
    private static readonly RecordSchema Full = Two with { Label = "label", Weight = "w", Key = "key", Timestamp = "ts", Target = "y" };

    private static RecordBatch Decode(string text, RecordSchema? schema = null) => Decoded.Batch(RecordFormat.Csv, schema ?? Two, text);

    [Fact]
    public void Decode_ColumnsInAnotherOrder_GoByName()
    {
        RecordBatch batch = Decode("x,b,y,a\nfoo,2,bar,1\n,4,,3");
        Assert.Equal([1.0, 2.0, 3.0, 4.0], batch.Records.Values.ToArray());
        Assert.Equal([20L, 25L], new[] { batch.NextOffset(0), batch.NextOffset(1) });
        Assert.Equal(25, batch.EndOffset);
    }

    [Fact]
    public void Decode_AllFields_AreTaken()
    {
        RecordBatch batch = Decode("a,label,w,key,ts,y,b\n1,on,2.5,d7,2026-11-20T08:00:00Z,9,2\n3,,,,,,4\n", Full);
        Assert.Equal([1, 2, 9, 3, 4, double.NaN], batch.Records.Values.ToArray());
        Assert.Equal(("on", 2.5, "d7", 1795161600000L),
            (batch.Label(0), batch.Records.Weight(0), batch.Key(0), batch.Records.Timestamp(0)));
        Assert.Equal((null, 1.0, null, RecordBatch.NoTimestamp),
            (batch.Label(1), batch.Records.Weight(1), batch.Key(1), batch.Records.Timestamp(1)));
    }

    [Theory]
    [InlineData("a,b,y\n1,2,9\n3,4,\n", 9)]
    [InlineData("a,b\n1,2\n3,4\n", double.NaN)]
    [InlineData("b,a\n\"2\",1\n4,\"3\"\n", double.NaN)]
    public void Decode_Target_IsTheLastColumnAndMayBeMissing(string text, double expected)
    {
        RecordSchema schema = Two with { Target = "y", AllowMissing = false, MayLackRoles = true };
        RecordBatch batch = Decode(text, schema);
        Assert.Empty(batch.Rejected);
        Assert.Equal([1, 2, expected, 3, 4, double.NaN], batch.Records.Values.ToArray());
    }

    [Fact]
    public void Decode_TargetWithoutAColumn_IsMissedWhereThereHasToBeOne() =>
        Assert.Throws<SourceException>(() => Decode("a,b\n1,2\n", Two with { Target = "y" }));

    [Fact]
    public void Decode_OneColumnForTwoRoles_FeedsBoth()
    {
        RecordBatch batch = Decode("a,b\n1,2\n\"3\",4\r\n", Two with { Target = "a", Label = "b" });
        Assert.Equal(("2", "4"), (batch.Label(0), batch.Label(1)));
        Assert.Equal([1.0, 2.0, 1.0, 3.0, 4.0, 3.0], batch.Records.Values.ToArray());
    }

    [Theory]
    [InlineData("a,b\r\n1,2\r\n3,4\r\n")]
    [InlineData("\uFEFFa,b\n1,2\n3,4")]
    [InlineData("\n\na,b\n\n1,2\n \t\n\r\n3,4\n\n")]
    [InlineData("\"a\",\"b\"\n\"1\",\"2\"\n\"3\",\"4\"\n")]
    [InlineData(" a , b \n 1 ,2\n3, 4 \n")]
    [InlineData("a,b\n\"1\",\" 2 \"\r\n3,\"4\"\r\n")]
    public void Decode_WaysToWriteIt_GiveTheSame(string text)
    {
        RecordBatch batch = Decode(text);
        Assert.Empty(batch.Rejected);
        Assert.Equal([1.0, 2.0, 3.0, 4.0], batch.Records.Values.ToArray());
    }

    [Theory]
    [InlineData("\"x\"\"y\"", "x\"y")]
    [InlineData("\"\"\"\"", "\"")]
    [InlineData("\"x,y\"", "x,y")]
    [InlineData("\"x\r\ny\n\"", "x\r\ny\n")]
    [InlineData("\"\"", null)]
    [InlineData(" x ", "x")]
    [InlineData(" \"x\" ", "x")]
    [InlineData("5\" pipe", "5\" pipe")]
    [InlineData("NA", null)]
    public void Decode_QuotedText_IsUndone(string written, string? expected)
    {
        RecordBatch batch = Decode($"a,label,b\n1,{written},2\n3,z,4\n", Two with { Label = "label" });
        Assert.Empty(batch.Rejected);
        Assert.Equal((expected, "z"), (batch.Label(0), batch.Label(1)));
    }

    [Theory]
    [InlineData("5", RejectionReason.CsvColumns, "the row has 1 columns, the header has 2")]
    [InlineData("5,6,7", RejectionReason.CsvColumns, "the row has 3 columns, the header has 2")]
    [InlineData("5,\"6\"x", RejectionReason.CsvQuote,
        "the quoted field in column 2 is followed by text, expected a separator or the end of the line")]
    [InlineData("5,6\"", RejectionReason.CsvQuote,
        "column 2 holds a quote but does not begin with one; expected a quoted field with its quotes doubled")]
    [InlineData("\"5,6", RejectionReason.CsvQuote,
        "the quoted field in column 1 is not closed before the end of the data or within 65536 bytes")]
    [InlineData("5,deep", RejectionReason.NotANumber, "column 'b' holds a text of 4 bytes, expected a number")]
    [InlineData("1e400,6", RejectionReason.NotFinite,
        "column 'a' holds an infinite number, expected a finite one within double precision")]
    [InlineData("5,-1.#INF", RejectionReason.NotFinite,
        "column 'b' holds an infinite number, expected a finite one within double precision")]
    [InlineData("5,\"6,5\"", RejectionReason.NotANumber,
        "column 'b' holds a number with a decimal comma, expected a number; the source's 'decimal' says which mark it is")]
    public void Decode_RecordThatCannotBeUsed_IsKeptAsideAndTheRestGoesOn(string record, RejectionReason reason, string detail)
    {
        RecordBatch batch = Decode($"a,b\n1,2\n{record}\r\n3,4\n");
        Assert.Equal([1.0, 2.0, 3.0, 4.0], batch.Records.Values.ToArray());
        Assert.Equal(new RejectedRecord(reason, detail, "data.csv", 8, record, 1), batch.OnlyRejected());
    }

    [Theory]
    [InlineData("w", "-1", RejectionReason.OutOfRange,
        "column 'w' holds another number, expected a weight of 0, or 1e-100 to 1e100 (only ratios of weights count)")]
    [InlineData("w", "1e308", RejectionReason.OutOfRange,
        "column 'w' holds another number, expected a weight of 0, or 1e-100 to 1e100 (only ratios of weights count)")]
    [InlineData("w", "1e-310", RejectionReason.OutOfRange,
        "column 'w' holds another number, expected a weight of 0, or 1e-100 to 1e100 (only ratios of weights count)")]
    [InlineData("w", "heavy", RejectionReason.NotANumber, "column 'w' holds a text of 5 bytes, expected a number")]
    [InlineData("w", "inf", RejectionReason.NotFinite,
        "column 'w' holds an infinite number, expected a finite one within double precision")]
    [InlineData("y", "!", RejectionReason.NotANumber, "column 'y' holds a text of 1 byte, expected a number")]
    public void Decode_OtherFieldThatCannotBeUsed_IsRejected(string column, string value, RejectionReason reason, string detail)
    {
        string[] columns = ["a", "b", "label", "w", "key", "ts", "y"];
        string row = string.Join(
            ',', columns.Select(name => string.Equals(name, column, StringComparison.Ordinal) ? value : name is "a" or "b" ? "1" : ""));
        RejectedRecord rejected = Decode($"{string.Join(',', columns)}\n{row}\n", Full).OnlyRejected();
        Assert.Equal((reason, detail), (rejected.Reason, rejected.Detail));
    }

    [Fact]
    public void Decode_MissingCells_AreNaNOrRejected()
    {
        const string Text = "a,b\n,2\n1,NA\nnull,nan\n";
        Assert.Equal([double.NaN, 2.0, 1.0, double.NaN, double.NaN, double.NaN], Decode(Text).Records.Values.ToArray());
        RecordBatch strict = Decode(Text, Two with { AllowMissing = false });
        Assert.Equal(0, strict.Count);
        Assert.All(strict.Rejected, rejected => Assert.Equal(RejectionReason.MissingFeature, rejected.Reason));
        Assert.Equal("column 'a' is empty, and missing values are not allowed here (missing: reject)", strict.Rejected[0].Detail);
    }

    [Fact]
    public void Decode_BrokenQuote_CostsOneLine()
    {
        RecordBatch batch = Decode("a,b\n1,\"2\n3,4\n5,6\n\"7\",8\n");
        Assert.Equal([3.0, 4.0, 5.0, 6.0, 7.0, 8.0], batch.Records.Values.ToArray());
        Assert.Equal("1,\"2", batch.OnlyRejected().Text);
    }

    [Theory]
    [InlineData("1,\"2\n3,4\n5\",6\n7,8\n")]
    [InlineData("1,\"2\n3,4\n5,6\"\n7,8\n")]
    public void Decode_OpenQuoteThatMeetsAnotherOne_DoesNotSwallowTheLinesBetween(string rows)
    {
        RecordBatch batch = Decode("a,b\n" + rows);
        Assert.Equal([3.0, 4.0, 7.0, 8.0], batch.Records.Values.ToArray());
        Assert.Equal([RejectionReason.CsvQuote, RejectionReason.CsvQuote], batch.Rejected.Select(rejected => rejected.Reason));
        Assert.EndsWith("a quote is not closed", batch.Rejected[0].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_BadNumberBesideTextOfSeveralLines_RejectsTheWholeRecord()
    {
        RecordBatch batch = Decode("a,label,b\n1,\"x\n5,y,6\n\",bad\n3,z,4\n", Two with { Label = "label" });
        Assert.Equal([3.0, 4.0], batch.Records.Values.ToArray());
        Assert.Equal("1,\"x\n5,y,6\n\",bad", batch.OnlyRejected().Text);
    }

    [Fact]
    public void Decode_BytesThatAreNotUtf8_AreNamed()
    {
        byte[] bytes = [.. "a,label,b\n1,"u8, 0xC3, 0x28, .. ",2\n"u8, 0xFF, .. ",,3\n4,\u00E9,5\n"u8];
        RecordBatch batch = Decoded.Batch(RecordFormat.Csv, Two with { Label = "label" }, bytes);
        Assert.Equal("\u00E9", batch.Label(0));
        Assert.Equal(2, batch.Rejected.Count);
        Assert.All(batch.Rejected, rejected => Assert.Equal(RejectionReason.DecodeUtf8, rejected.Reason));
        Assert.StartsWith("byte 2 of the record is not UTF-8", batch.Rejected[0].Detail, StringComparison.Ordinal);
        Assert.StartsWith("byte 0 of the record is not UTF-8", batch.Rejected[1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_TooLarge_IsRejectedWithTheBeginningOfItsText()
    {
        string field = new('1', RecordDecoder.MaxFieldBytes + 1), record = new('1', RecordDecoder.MaxRecordBytes + 1);
        RecordBatch batch = Decode($"a,b\n1,2\n{field},5\n3,4\n{record},6\n{field[1..]},7\n8,9\n{record}");
        Assert.Equal([1.0, 2.0, 3.0, 4.0, 8.0, 9.0], batch.Records.Values.ToArray());
        Assert.Equal([RejectionReason.TooLarge, RejectionReason.TooLarge, RejectionReason.NotFinite, RejectionReason.TooLarge],
            batch.Rejected.Select(r => r.Reason));
        Assert.All(batch.Rejected, rejected => Assert.Equal(RecordDecoder.MaxRejectedBytes, rejected.Text.Length));
        Assert.Equal("column 1 is longer than 65536 bytes", batch.Rejected[0].Detail);
        Assert.Equal("the record is longer than 1048576 bytes", batch.Rejected[1].Detail);
        Assert.Equal([8L, 8L + field.Length + 7], batch.Rejected.Take(2).Select(rejected => rejected.Offset));
    }

    [Theory]
    [InlineData("alpha,beta\n", "'data.csv' has no column 'a'. Its columns are: alpha, beta.")]
    [InlineData("A,b\n", "'data.csv' has no column 'a'. Did you mean 'A'? Its columns are: A, b.")]
    [InlineData("a,b,a\n", "'data.csv' has two columns 'a' (1 and 3). Rename one of them.")]
    [InlineData("\"a,b\n",
        "'data.csv' has no usable CSV header: the quoted field in column 1 is not closed before the end of the data or within 65536 bytes. "
            + "Expected the names of the columns.")]
    public void TryBegin_HeaderThatCannotBeUsed_Throws(string header, string message)
    {
        var failure = Assert.Throws<SourceException>(() => Decode(header));
        Assert.Equal((SourceFailure.Missing, message), (failure.Failure, failure.Message));
    }

    [Fact]
    public void TryBegin_TooManyColumns_Throws()
    {
        var failure = Assert.Throws<SourceException>(() => Decode(new string(',', RecordDecoder.MaxColumns) + "\n"));
        Assert.Equal("'data.csv' has a header of 4097 columns; at most 4096 can be read.", failure.Message);
    }

    [Fact]
    public void Decode_MostColumns_Works()
    {
        string header = "a," + new string(',', RecordDecoder.MaxColumns - 3) + ",b";
        RecordBatch batch = Decode($"{header}\n1{new string(',', RecordDecoder.MaxColumns - 1)}2\n");
        Assert.Equal([1.0, 2.0], batch.Row(0).ToArray());
    }

    [Fact]
    public void DecodeMessage_ColumnsKnown_TakesOneRow()
    {
        var decoder = new CsvDecoder(Two with { Key = "key" }, ["b", "key", "a"], "topic");
        var batch = new RecordBatch(2);
        batch.Clear("topic-0");
        var defaults = new RecordDefaults(3, batch.Texts.Number("outer"), 5);
        Assert.True(decoder.DecodeMessage("2,inner,1\n"u8, 40, 41, batch, defaults));
        Assert.True(decoder.DecodeMessage("4,,3"u8, 41, 42, batch, defaults));
        Assert.False(decoder.DecodeMessage("4,,3\n5,,6"u8, 42, 43, batch, defaults));
        Assert.False(decoder.DecodeMessage(""u8, 43, 44, batch, defaults));
        Assert.Equal([1.0, 2.0, 3.0, 4.0], batch.Records.Values.ToArray());
        Assert.Equal(("inner", "outer", 3.0, 5L, 42L),
            (batch.Key(0), batch.Key(1), batch.Records.Weight(1), batch.Records.Timestamp(1), batch.NextOffset(1)));
        Assert.All(batch.Rejected, rejected => Assert.Equal(RejectionReason.CsvColumns, rejected.Reason));
    }

    [Fact]
    public void Decode_FivePercentMalformed_AreCountedExactly()
    {
        const int Records = 20_000;
        string[] broken = ["1", "1,2,3", "x,1", "1,\"2", "1e999,2", "1,2\"", "\"1\"2,3"];
        var text = new StringBuilder("a,b\n");
        for (int i = 0; i < Records; i++)
        {
            if (i % 20 == 7) text.Append(broken[i / 20 % broken.Length]);
            else text.Append(i).Append(',').Append(-i).Append(".25");
            text.Append('\n');
        }
        RecordBatch batch = Decode(text.ToString());
        Assert.Equal(Records / 20, batch.Rejected.Count);
        Assert.Equal(Records - (Records / 20), batch.Count);
        Assert.Equal(Enumerable.Range(0, Records).Where(i => i % 20 != 7).Select(i => (double)i),
            Enumerable.Range(0, batch.Count).Select(row => batch.Row(row)[0]));
    }

    [Fact]
    public void Decode_SteadyState_AllocatesNothing()
    {
        var text = new StringBuilder("a,label,ts,b\n");
        for (int i = 0; i < 5000; i++)
            text.Append(i).Append(i % 3 == 0 ? ",\"on\"" : ",off").Append(",2026-11-20T08:00:00Z,1.2345678901234567e-").Append(i % 150)
                .Append('\n');
        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        var decoder = new CsvDecoder(Two with { Label = "label", Timestamp = "ts" });
        Assert.True(decoder.TryBegin(bytes, isFinal: true, "data.csv", out int header));
        var batch = new RecordBatch(2, 512);
        var start = new PartitionPosition(0);
        long allocated = long.MaxValue;
        for (int pass = 0; pass < 5; pass++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            int records = DecodeAll();
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(5000, records);
        }
        Assert.Equal(0, allocated);

        int DecodeAll()
        {
            int count = 0;
            for (int at = header; at < bytes.Length;)
            {
                batch.Clear("data.csv", start);
                at += decoder.Decode(bytes.AsSpan(at), at, isFinal: true, batch);
                count += batch.Count;
            }
            return count;
        }
    }
}
