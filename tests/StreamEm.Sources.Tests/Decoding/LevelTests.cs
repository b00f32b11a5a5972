using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>Features that hold one of a number of levels: a text or a number, the same one however it is written.</summary>
public sealed class LevelTests
{
    private static readonly RecordSchema Colours = new() { Features = ["c", "x"], Kinds = [FeatureKind.Level, FeatureKind.Number] };

    private static readonly string[] Written = ["\"red\"", "\"blue\"", "1", "1.0", "\"1\"", "1e0", "01", "-0.0", "0", "2.50", "1e2", "true",
        "\"true\"", "\"NA\"", "null", "\"\"", "\"h\u00e9\"", "\"h\\u00e9\"", "\" red \"", "\"1 x\"", "12345678901234567890",
        "\"Infinity\""];

    /// <summary>A cell of CSV, the same value of JSON, and the level's text; null for a missing one.</summary>
    public static TheoryData<string, string, string?> Spellings => new()
    {
        { "red", "\"red\"", "red" },
        { "Red", "\"Red\"", "Red" },
        { " red ", "\" red \"", "red" },
        { "\"red\"", "\"red\"", "red" },
        { "\"red, dark\"", "\"red, dark\"", "red, dark" },
        { "\"say \"\"hi\"\"\"", "\"say \\\"hi\\\"\"", "say \"hi\"" },
        { "h\u00E9", "\"h\\u00e9\"", "h\u00E9" },
        { "true", "true", "true" },
        { "7", "7", "7" },
        { "7", "\"7\"", "7" },
        { "1.0", "1.0", "1" },
        { "1", "1.00", "1" },
        { "1e0", "10e-1", "1" },
        { "+1", "\"+1\"", "1" },
        { "001", "\"001\"", "1" },
        { "-0", "-0.0", "0" },
        { "0", "0e7", "0" },
        { "2.50", "2.5", "2.5" },
        { "100", "1e2", "100" },
        { "1x", "\"1x\"", "1x" },
        { "inf", "\"inf\"", "inf" },
        { "", "null", null },
        { "", "\"\"", null },
        { "  ", "\"  \"", null },
        { "NA", "\"NA\"", null },
        { "NaN", "\"NaN\"", null },
        { "nan", "\"nan\"", null },
        { "null", "\"null\"", null },
    };

    [Theory]
    [MemberData(nameof(Spellings))]
    public void Level_AsCsvAndAsJson_IsTheSameText(string cell, string json, string? level)
    {
        RecordBatch csv = Decoded.Batch(RecordFormat.Csv, Colours, $"x,c\n1,first\n2,{cell}\n"),
            lines = Decoded.Batch(RecordFormat.Ndjson, Colours, $"{{\"c\":\"first\",\"x\":1}}\n{{\"c\":{json},\"x\":2}}\n");
        Assert.Empty(csv.Rejected.Concat(lines.Rejected));
        Assert.Equal(["first", level], Levels(csv));
        Assert.Equal(["first", level], Levels(lines));
        Assert.Equal([1.0, 2.0], new[] { csv.Row(0)[1], csv.Row(1)[1] });
        Assert.Equal([1.0, 2.0], new[] { lines.Row(0)[1], lines.Row(1)[1] });
    }

    [Fact]
    public void Level_OfNumbersInRaw_IsTheTextOfTheShortestNumber()
    {
        double[] values = [1, 10, -0.0, 11, 0.1, 12, double.NaN, 13];
        RecordBatch batch = Decoded.Batch(RecordFormat.Float64, Colours, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        Assert.Equal(["1", "0", "0.1", null], Levels(batch));
    }

    [Fact]
    public void Level_MissingWhereThatIsRefused_IsRejected()
    {
        RecordSchema strict = Colours with { AllowMissing = false };
        RejectedRecord csv = Decoded.Batch(RecordFormat.Csv, strict, "c,x\nNA,1\nred,2\n").OnlyRejected(),
            json = Decoded.Batch(RecordFormat.Ndjson, strict, "{\"c\":null,\"x\":1}\n").OnlyRejected();
        Assert.Equal((RejectionReason.MissingFeature, "column 'c' is empty, and missing values are not allowed here (missing: reject)"),
            (csv.Reason, csv.Detail));
        Assert.Equal((RejectionReason.MissingFeature, "field 'c' is empty, and missing values are not allowed here (missing: reject)"),
            (json.Reason, json.Detail));
    }

    [Fact]
    public void Level_ThatIsNoSingleValue_IsRejected()
    {
        RejectedRecord rejected = Decoded.Batch(RecordFormat.Ndjson, Colours, "{\"c\":[\"red\"],\"x\":1}\n").OnlyRejected();
        Assert.Equal((RejectionReason.OutOfRange, "field 'c' holds an array, expected a single value"), (rejected.Reason, rejected.Detail));
    }

    [Fact]
    public void Level_BytesThatAreNotUtf8_AreRejected()
    {
        byte[] bytes = [.. "c,x\n"u8, 0xC3, 0x28, .. ",2\nred,3\n"u8];
        RecordBatch batch = Decoded.Batch(RecordFormat.Csv, Colours, bytes);
        Assert.Equal(RejectionReason.DecodeUtf8, batch.OnlyRejected().Reason);
        Assert.Equal(["red"], Levels(batch));
    }

    [Fact]
    public void Level_ByTheShortWay_IsWhatTheReaderReads()
    {
        var random = new Random(1);
        var text = new StringBuilder();
        for (int row = 0; row < 5000; row++)
            text.Append(CultureInfo.InvariantCulture,
                $"{{\"c\":{Written[random.Next(Written.Length)]},\"x\":{random.Next(100)}.5,\"n\":{random.Next(3)}}}\n");
        RecordSchema schema =
            Colours with { Features = ["c", "x", "n"], Kinds = [FeatureKind.Level, FeatureKind.Number, FeatureKind.Level] };
        RecordBatch fast = Read(new NdjsonDecoder(schema), text.ToString()),
            slow = Read(new NdjsonDecoder(schema, learnsShapes: false), text.ToString());
        Assert.Equal(slow.Rejected, fast.Rejected);
        Assert.Equal(Levels(slow), Levels(fast));
        Assert.Equal(Levels(slow, 2), Levels(fast, 2));
        Assert.Equal(slow.Records.Values.ToArray(), fast.Records.Values.ToArray());
    }

    [Theory]
    [InlineData(RecordFormat.Csv)]
    [InlineData(RecordFormat.Ndjson)]
    public void Decode_SteadyState_AllocatesNothing(RecordFormat format)
    {
        RecordSchema schema = Colours with { Label = "l", Key = "k" };
        var text = new StringBuilder(format == RecordFormat.Csv ? "c,x,l,k\n" : "");
        for (int row = 0; row < 500; row++)
            text.Append(format == RecordFormat.Csv
                ? string.Create(CultureInfo.InvariantCulture, $"level {row % 7},{row},{(row % 3 == 0 ? "on" : "")},device{row % 50}\n")
                : string.Create(CultureInfo.InvariantCulture,
                    $"{{\"c\":\"level {row % 7}\",\"x\":{row},\"l\":\"{(row % 3 == 0 ? "on" : "")}\",\"k\":\"device{row % 50}\"}}\n"));
        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        var decoder = RecordDecoder.Create(format, schema);
        var batch = new RecordBatch(schema, 1000);
        Assert.True(decoder.TryBegin(bytes, isFinal: true, "data", out int used));
        long allocated = long.MaxValue;
        for (int run = 0; run < 5; run++)
        {
            batch.Clear("data", null, used);
            long before = GC.GetAllocatedBytesForCurrentThread();
            decoder.Decode(bytes.AsSpan(used), used, isFinal: false, batch);
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(500, batch.Count);
        }
        Assert.Equal(0, allocated);
        Assert.Equal(7 + 1 + 50, batch.Texts.Count);
    }

    private static IEnumerable<string?> Levels(RecordBatch batch, int feature = 0) =>
        [.. Enumerable.Range(0, batch.Count).Select(row => batch.Row(row)[feature])
            .Select(value => double.IsNaN(value) ? null : batch.Texts[(int)value])];

    private static RecordBatch Read(RecordDecoder decoder, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var batch = new RecordBatch(3, 10_000);
        batch.Clear("data");
        Assert.True(decoder.TryBegin(bytes, isFinal: true, "data", out int used));
        Assert.Equal(bytes.Length, used + decoder.Decode(bytes.AsSpan(used), used, isFinal: true, batch));
        return batch;
    }
}
