using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

public sealed class NdjsonDecoderTests
{
    private static readonly RecordSchema Two = new() { Features = ["a", "b"] };
    private static readonly RecordSchema Full = Two with { Label = "label", Weight = "w", Key = "key", Timestamp = "ts", Target = "y" };

    private static RecordBatch Decode(string text, RecordSchema? schema = null) => Decoded.Batch(RecordFormat.Ndjson, schema ?? Two, text);

    [Fact]
    public void Decode_AllFields_AreTaken()
    {
        RecordBatch batch = Decode(
            "{\"a\":1,\"b\":\"2.5\",\"label\":\"on\",\"w\":2,\"key\":7,\"ts\":\"1970-01-01T00:00:01Z\",\"y\":9,\"other\":[{\"a\":8}]}\n" +
            "{\"ts\":2,\"y\":null,\"label\":null,\"w\":null,\"key\":true,\"b\":null,\"a\":\"NaN\"}\n", Full);
        Assert.Empty(batch.Rejected);
        Assert.Equal([1.0, 2.5, 9, double.NaN, double.NaN, double.NaN], batch.Records.Values.ToArray());
        Assert.Equal(("on", 2.0, "7", 1000L),
            (batch.Label(0), batch.Records.Weight(0), batch.Key(0), batch.Records.Timestamp(0)));
        Assert.Equal((null, 1.0, "true", 2000L),
            (batch.Label(1), batch.Records.Weight(1), batch.Key(1), batch.Records.Timestamp(1)));
    }

    [Theory]
    [InlineData("{\"p\":{\"x\":1,\"q\":{\"y\":2}}}")]
    [InlineData("{\"p\":{\"q\":{\"z\":0,\"y\":2},\"x\":1},\"x\":5}")]
    [InlineData("{\"p.x\":1,\"p\":{\"q\":{\"y\":2}}}")]
    [InlineData("{\"p\":{\"\\u0078\":1,\"q\":{\"y\":2}}}")]
    public void Decode_Path_ReachesIntoObjects(string record)
    {
        RecordBatch batch = Decode(record, new RecordSchema { Features = ["p.x", "p.q.y"] });
        Assert.Equal([1.0, 2.0], batch.Row(0).ToArray());
    }

    [Theory]
    [InlineData("{\"a\":1", RejectionReason.JsonSyntax, "not a JSON object: from byte 6 on it is no JSON, or nested deeper than 64 levels")]
    [InlineData("{\"a\":1} {\"b\":2}", RejectionReason.JsonSyntax, "not a JSON object: from byte 8 on")]
    [InlineData("{\"a\":secret,\"b\":1}", RejectionReason.JsonSyntax, "not a JSON object: from byte 5 on")]
    [InlineData("{\"a\":1,\"label\":\"\\ud800\"}", RejectionReason.JsonSyntax, "field 'label' holds half a surrogate pair")]
    [InlineData("{\"a\":1,\"\\udc00\":2}", RejectionReason.JsonSyntax, "not a JSON object: a name has half a surrogate pair")]
    [InlineData("{\"a\":-Infinity}", RejectionReason.NotFinite, "field 'a' holds an infinite number")]
    [InlineData("{\"a\":1,\"w\":inf}", RejectionReason.NotFinite, "field 'w' holds an infinite number")]
    [InlineData("[1,2]", RejectionReason.JsonSyntax, "the record is an array, expected a JSON object")]
    [InlineData("17", RejectionReason.JsonSyntax, "the record is a number, expected a JSON object")]
    [InlineData("{\"a\":1,\"a\":2}", RejectionReason.JsonSyntax, "field 'a' occurs twice")]
    [InlineData("{\"a\":\"x\"}", RejectionReason.NotANumber, "field 'a' holds a text of 1 byte, expected a number")]
    [InlineData("{\"a\":true}", RejectionReason.NotANumber, "field 'a' holds a text of 4 bytes, expected a number")]
    [InlineData("{\"a\":[1]}", RejectionReason.NotANumber, "field 'a' holds an array, expected a single value")]
    [InlineData("{\"a\":1,\"label\":{\"x\":{}}}", RejectionReason.OutOfRange,
        "field 'label' holds what is no probability, expected a number from 0 to 1 for every class, such as {\"a\": 0.7, \"b\": 0.3}")]
    [InlineData("{\"a\":1e400}", RejectionReason.NotFinite,
        "field 'a' holds an infinite number, expected a finite one within double precision")]
    [InlineData("{\"a\":1,\"w\":-2}", RejectionReason.OutOfRange, "field 'w' holds another number, expected a weight of 0, or")]
    [InlineData("{\"a\":1,\"w\":1e308}", RejectionReason.OutOfRange, "field 'w' holds another number, expected a weight of 0, or")]
    [InlineData("{\"A\":1,\"B\":2}", RejectionReason.MissingFeature, "the record has none of the fields a, b")]
    public void Decode_RecordThatCannotBeUsed_IsKeptAsideAndTheRestGoesOn(string record, RejectionReason reason, string detail)
    {
        RecordBatch batch = Decode($"{{\"a\":1,\"b\":2}}\n{record}\r\n\r\n{{\"a\":3,\"b\":4}}\n", Full);
        Assert.Equal([1.0, 2.0, 3.0, 4.0], batch.Features(2));
        RejectedRecord rejected = batch.OnlyRejected();
        Assert.Equal((reason, 14L, record, 1), (rejected.Reason, rejected.Offset, rejected.Text, rejected.BeforeRow));
        Assert.StartsWith(detail, rejected.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_AbsentFeature_IsMissingOrRejected()
    {
        Assert.Equal([1.0, double.NaN], Decode("{\"a\":1}").Row(0).ToArray());
        RejectedRecord rejected = Decode("{\"a\":1}", Two with { AllowMissing = false }).OnlyRejected();
        Assert.Equal(RejectionReason.MissingFeature, rejected.Reason);
        Assert.Equal("the record has no field 'b', and missing values are not allowed here (missing: reject)", rejected.Detail);
    }

    [Theory]
    [InlineData(NdjsonDecoder.MaxDepth - 1, true)]
    [InlineData(NdjsonDecoder.MaxDepth, false)]
    [InlineData(100_000, false)]
    public void Decode_DeepNesting_IsLimited(int depth, bool accepted)
    {
        RecordBatch batch = Decode($"{{\"a\":1,\"b\":2,\"c\":{new string('[', depth)}{new string(']', depth)}}}");
        Assert.Equal(accepted ? 1 : 0, batch.Count);
        if (!accepted) Assert.Equal(RejectionReason.JsonSyntax, batch.OnlyRejected().Reason);
    }

    [Fact]
    public void Decode_BytesThatAreNotUtf8_AreRejected()
    {
        RecordBatch batch = Decoded.Batch(RecordFormat.Ndjson, Two, [.. "{\"a\":1,\"c\":\""u8, 0xFF, .. "\"}\n{\"a\":2}"u8]);
        Assert.Equal(1, batch.Count);
        Assert.Equal(RejectionReason.DecodeUtf8, batch.OnlyRejected().Reason);
        Assert.StartsWith("byte 12 of the record is not UTF-8", batch.OnlyRejected().Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_TooLarge_IsRejected()
    {
        string blanks = new(' ', RecordDecoder.MaxRecordBytes);
        RecordBatch batch =
            Decode($"{{\"a\":1}}\n{{\"a\":2{blanks}}}\n{{\"a\":3,\"b\":\"{blanks[..(RecordDecoder.MaxFieldBytes + 1)]}\"}}\n{{\"a\":4}}");
        Assert.Equal(2, batch.Count);
        Assert.Equal([RejectionReason.TooLarge, RejectionReason.TooLarge], batch.Rejected.Select(rejected => rejected.Reason));
        Assert.Equal("field 'b' is longer than 65536 bytes", batch.Rejected[1].Detail);
    }

    [Fact]
    public void Decode_SteadyState_AllocatesNothing()
    {
        byte[] bytes = Encoding.UTF8
            .GetBytes(string.Concat(
                Enumerable.Range(0, 2000).Select(i => $"{{\"label\":\"k\\u00e9{i % 5}\",\"a\":{i}.25,\"b\":{i}e-3,\"c\":[1]}}\n")));
        var decoder = new NdjsonDecoder(Two with { Label = "label" });
        var batch = new RecordBatch(2, 2000);
        long allocated = long.MaxValue;
        for (int pass = 0; pass < 5; pass++)
        {
            batch.Clear("data");
            long before = GC.GetAllocatedBytesForCurrentThread();
            decoder.Decode(bytes, 0, isFinal: true, batch);
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(2000, batch.Count);
        }
        Assert.Equal(0, allocated);
    }
}
