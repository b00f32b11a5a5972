using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>What programs write where there is no value, and how they write labels: the same in CSV and in JSON.</summary>
public sealed class SpellingTests
{
    private static readonly RecordSchema Schema =
        new() { Features = ["a", "b"], Label = "label", Key = "key", Timestamp = "ts", Target = "y", Weight = "w" };

    private static readonly string[] Standard =
    [
        "NaN", "nan", "NAN", "-nan", "-NaN", "+nan", "nan(ind)", "-nan(ind)", "NaN(0x7ff8)", "nan(snan)", "1.#QNAN", "-1.#IND", "1.#IND00",
        "-1.#QNAN0", "1.#SNAN", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "\\N", "\\n", "None", "none", "NULL", "null", "<null>", "(null)",
        "NaT", "nil", "?", "-", "--", "n.a.",
    ];

    /// <summary>What every program's reader knows.</summary>
    public static TheoryData<string> Missing => new(Standard);

    /// <summary>What a program may write into JSON as it is; a comment mark or a backslash would end or break a value.</summary>
    public static TheoryData<string> Bare => new(Standard.Where(text => !text.Contains(' ')));

    [Theory]
    [MemberData(nameof(Missing))]
    public void Missing_InEveryField_IsNothing(string text)
    {
        RecordBatch csv = Csv($"a,b,label,key,ts,y,w\n{text},1,{text},{text},{text},{text},{text}\n {text} ,\"{text}\",,,,,\n");
        string json = text.Replace("\\", "\\\\", StringComparison.Ordinal);
        RecordBatch lines = Lines(
            $"{{\"a\":\"{json}\",\"b\":1,\"label\":\"{json}\",\"key\":\"{json}\",\"ts\":\"{json}\",\"y\":\"{json}\",\"w\":\"{json}\"}}\n");
        Assert.Empty(csv.Rejected.Concat(lines.Rejected));
        Assert.Equal([double.NaN, 1, double.NaN, double.NaN, double.NaN, double.NaN], csv.Records.Values.ToArray());
        foreach (RecordBatch batch in new[] { csv, lines })
        {
            Assert.Equal([double.NaN, 1.0, double.NaN], batch.Row(0).ToArray());
            Assert.Equal((null, null, RecordBatch.NoTimestamp, 1.0),
                (batch.Label(0), batch.Key(0), batch.Records.Timestamp(0), batch.Records.Weight(0)));
            Assert.Equal((0, 0), (batch.CountUnread(OptionalFields.Key, 0, 1), batch.CountUnread(OptionalFields.Timestamp, 0, 1)));
        }
    }

    [Theory]
    [MemberData(nameof(Bare))]
    public void Missing_BareInJson_IsNull(string text)
    {
        RecordBatch batch = Lines(
            $"{{\"a\": {text}, \"b\":1,\"label\":{text},\"other\":[1,{text},{{\"c\":{text}}}],\"note\":\"{{\\\"a\\\":NaN,\"}}\n"
                + $"{{\"a\":2,\"b\":{text}}}\n{{\"a\":3,\"b\":4}}\n");
        Assert.Empty(batch.Rejected);
        Assert.Equal(
            [double.NaN, 1, double.NaN, 2, double.NaN, double.NaN, 3, 4, double.NaN], batch.Records.Values.ToArray());
        Assert.Null(batch.Label(0));
    }

    [Theory]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("inf")]
    [InlineData("-1.#INF")]
    public void Infinity_InAFieldNobodyReads_RejectsNothing(string text)
    {
        RecordBatch batch = Lines($"{{\"a\":1,\"b\":2,\"other\":{text}}}\n{{\"a\":3,\"b\":{text}}}\n");
        Assert.Equal([1.0, 2.0], batch.Features(2));
        Assert.Equal(RejectionReason.NotFinite, batch.OnlyRejected().Reason);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("naan")]
    [InlineData("n/")]
    [InlineData("1.#IN")]
    [InlineData("---")]
    [InlineData("nanx")]
    [InlineData("nan(")]
    public void OtherTexts_AreNoNumbers(string text)
    {
        Assert.Equal(RejectionReason.NotANumber, Csv($"a,b,label,key,ts,y,w\n{text},1,,,,,\n").OnlyRejected().Reason);
        Assert.Equal(RejectionReason.JsonSyntax, Lines($"{{\"a\":{text},\"b\":1}}\n").OnlyRejected().Reason);
    }

    [Fact]
    public void OwnSpellings_AreMissing_HoweverTheNumberIsWritten()
    {
        RecordSchema own = Schema with { MissingValues = ["-999", "unknown"] };
        const string Rows = "-999,1,-999,,,,\n-999.0,2,unknown,,,,\n 3 ,-9.99e2,on,,,,\nunknown,4,,,,,\n";
        RecordBatch csv = Decoded.Batch(RecordFormat.Csv, own, "a,b,label,key,ts,y,w\n" + Rows + Rows);
        RecordBatch lines = Decoded.Batch(RecordFormat.Ndjson, own, string.Concat(Enumerable.Repeat(
            "{\"a\":-999,\"b\":1,\"label\":-999}\n{\"a\":-999.0,\"b\":2,\"label\":\"unknown\"}\n{\"a\":3,\"b\":-9.99e2,\"label\":\"on\"}\n"
                + "{\"a\":\"unknown\",\"b\":4,\"label\":\"\"}\n", 2)));
        double[] expected = [double.NaN, 1, double.NaN, 2, 3, double.NaN, double.NaN, 4];
        foreach (RecordBatch batch in new[] { csv, lines })
        {
            Assert.Empty(batch.Rejected);
            Assert.Equal([.. expected, .. expected], batch.Features(2));
            Assert.Equal(new[] { null, null, "on", null }, Enumerable.Range(4, 4).Select(batch.Label));
        }
    }

    [Theory]
    [InlineData(RecordFormat.Csv, "a,b,c,d,e\n1,2,3,4,-999\n-999,2,3,4,5\n1,2,-999.00,4,5\n")]
    [InlineData(RecordFormat.Ndjson,
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":-999}\n{\"a\":-999,\"b\":2,\"c\":3,\"d\":4,\"e\":5}\n"
            + "{\"a\":1,\"b\":2,\"c\":-999.0,\"d\":4,\"e\":5}\n")]
    public void OwnNumbers_AmongNumbersReadAtOnce_AreMissing(RecordFormat format, string text)
    {
        var own = new RecordSchema { Features = ["a", "b", "c", "d", "e"], MissingValues = ["-999"] };
        RecordBatch batch = Decoded.Batch(format, own, text);
        Assert.Equal([1, 2, 3, 4, double.NaN, double.NaN, 2, 3, 4, 5, 1, 2, double.NaN, 4, 5], batch.Records.Values.ToArray());
        RecordBatch strict = Decoded.Batch(format, own with { AllowMissing = false }, text);
        Assert.Equal((0, 3), (strict.Count, strict.Rejected.Count));
        Assert.All(strict.Rejected, rejected => Assert.Equal(RejectionReason.MissingFeature, rejected.Reason));
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("1.0", "1")]
    [InlineData(" 1 ", "1")]
    [InlineData("1e0", "1")]
    [InlineData("-1.0", "-1")]
    [InlineData("2.50", "2.5")]
    [InlineData("on", "on")]
    [InlineData(" on ", "on")]
    [InlineData("inf", "inf")]
    public void Label_IsOneHoweverItIsWritten(string written, string label)
    {
        Assert.Equal(label, Csv($"a,b,label,key,ts,y,w\n1,2,{written},,,,\n").Label(0));
        Assert.Equal(label, Lines($"{{\"a\":1,\"b\":2,\"label\":\"{written}\"}}\n").Label(0));
    }

    [Theory]
    [InlineData("26.11.2026 08:00")]
    [InlineData("yesterday")]
    [InlineData("1e300")]
    public void Timestamp_ThatCannotBeRead_LeavesTheRecordAndIsCounted(string written)
    {
        RecordBatch csv = Csv($"a,b,label,key,ts,y,w\n1,2,,k,{written},,\n3,4,,k,2026-11-26,,\n5,6,,k,,,\n7,8,,k,{written},,\n");
        RecordBatch lines = Lines(string.Concat(new[] { written, "2026-11-26", "", written }
            .Select((time, i) => $"{{\"a\":{2 * i + 1},\"b\":{2 * i + 2},\"key\":\"k\",\"ts\":\"{time}\"}}\n")));
        foreach (RecordBatch batch in new[] { csv, lines })
        {
            Assert.Empty(batch.Rejected);
            Assert.Equal([1.0, 2, 3, 4, 5, 6, 7, 8], batch.Features(2));
            Assert.Equal([RecordBatch.NoTimestamp, 1795651200000, RecordBatch.NoTimestamp, RecordBatch.NoTimestamp],
                batch.Records.Timestamps.ToArray());
            Assert.Equal((2, 1, 0), (batch.CountUnread(OptionalFields.Timestamp, 0, 4), batch.CountUnread(OptionalFields.Timestamp, 1, 3),
                batch.CountUnread(OptionalFields.Key, 0, 4)));
            batch.Clear("next");
            batch.Commit(1, 1);
            Assert.Equal(0, batch.CountUnread(OptionalFields.Timestamp, 0, 1));
        }
    }

    [Fact]
    public void Key_ThatCannotBeRead_LeavesTheRecordAndIsCounted()
    {
        RecordBatch csv = Decoded.Batch(RecordFormat.Csv, Schema, [.. "a,b,label,key,ts,y,w\n1,2,,"u8, 0xFF, .. ",,,\n3,4,,\"k\"x,,,\n"u8]);
        RecordBatch lines =
            Lines("{\"a\":1,\"b\":2,\"key\":{\"id\":7}}\n{\"a\":3,\"b\":4,\"key\":\"\\udc00\"}\n{\"a\":5,\"b\":6,\"key\":[1],\"ts\":{}}\n");
        Assert.Empty(csv.Rejected.Concat(lines.Rejected));
        Assert.Equal((2, 3, 1),
            (csv.CountUnread(OptionalFields.Key, 0, 2), lines.CountUnread(OptionalFields.Key, 0, 3),
                lines.CountUnread(OptionalFields.Timestamp, 0, 3)));
        Assert.True(csv.Key(0) is null && lines.Key(1) is null);
    }

    [Fact]
    public void Key_IsTheTextWithoutBlanksRoundIt()
    {
        RecordBatch batch = Csv("a,b,label,key,ts,y,w\n1,2,, d7 ,,,\n1,2,,d7,,,\n1,2,,007,,,\n");
        Assert.Equal(["d7", "d7", "007"], Enumerable.Range(0, 3).Select(batch.Key));
    }

    [Theory]
    [InlineData("\u001B[31mred\u001B[0m")]
    [InlineData("secret")]
    public void Rejection_NeverSaysWhatTheRecordHolds(string written)
    {
        string json = written.Replace("\u001B", "\\u001b", StringComparison.Ordinal);
        RecordBatch csv = Csv(
            $"a,b,label,key,ts,y,w\n{written},2,,,,,\n1,2,,,,,{written}\n1,2,{written},{written}\n\"{written}\"x,2,,,,,\n");
        RecordBatch lines = Lines(
            $"{{\"a\":\"{json}\"}}\n{{\"a\":{written}}}\n{{\"{json}\":1}}\n{written}\n{{\"a\":1,\"w\":\"{json}\"}}\n");
        Assert.Equal((4, 5), (csv.Rejected.Count, lines.Rejected.Count));
        Assert.All(csv.Rejected.Concat(lines.Rejected), rejected =>
        {
            Assert.DoesNotContain("red", rejected.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", rejected.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain('\u001B', rejected.Detail);
        });
    }

    private static RecordBatch Csv(string text) => Decoded.Batch(RecordFormat.Csv, Schema, Encoding.UTF8.GetBytes(text));

    private static RecordBatch Lines(string text) => Decoded.Batch(RecordFormat.Ndjson, Schema, Encoding.UTF8.GetBytes(text));
}
