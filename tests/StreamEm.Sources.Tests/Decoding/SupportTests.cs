using System.Runtime.InteropServices;
using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>
/// Features that hold counts, yes and no, or numbers of at least 0: other numbers are refused, in every format and on every way through it.
/// </summary>
public sealed class SupportTests
{
    private const string BinaryExpected = "0 or 1, false or true", CountExpected = "a count: an integer of at least 0",
        NonNegativeExpected = "a number of at least 0";

    private static readonly RecordSchema Flags = new() { Features = ["f", "x"], Kinds = [FeatureKind.Binary, FeatureKind.Number] };
    private static readonly RecordSchema Counts = Flags with { Kinds = [FeatureKind.Count, FeatureKind.Number] };

    [Theory]
    [InlineData("0", "0", 0)]
    [InlineData("1", "1", 1)]
    [InlineData("1.0", "1.0", 1)]
    [InlineData("true", "true", 1)]
    [InlineData("false", "false", 0)]
    [InlineData("TRUE", "\"True\"", 1)]
    [InlineData("False", "\"FALSE\"", 0)]
    [InlineData("\"1\"", "\"1\"", 1)]
    [InlineData("", "null", double.NaN)]
    [InlineData("NA", "\"NA\"", double.NaN)]
    public void Binary_AnyWayToWriteIt_IsTaken(string cell, string json, double expected)
    {
        Assert.Equal([1, 5, expected, 6], Values(RecordFormat.Csv, Flags, $"f,x\n1,5\n{cell},6\n"));
        Assert.Equal([1, 5, expected, 6], Values(RecordFormat.Ndjson, Flags, $"{{\"f\":1,\"x\":5}}\n{{\"f\":{json},\"x\":6}}\n"));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("17", 17)]
    [InlineData("3.0", 3)]
    [InlineData("1e3", 1000)]
    [InlineData("9007199254740992", 9007199254740992)]
    public void Count_AnInteger_IsTaken(string written, double expected)
    {
        Assert.Equal([expected, 6], Values(RecordFormat.Csv, Counts, $"f,x\n{written},6\n"));
        Assert.Equal([expected, 6], Values(RecordFormat.Ndjson, Counts, $"{{\"f\":{written},\"x\":6}}\n"));
        Assert.Equal([expected, 6], Decoded.Batch(RecordFormat.Float64, Counts, Raw(expected, 6)).Records.Values.ToArray());
    }

    [Theory]
    [InlineData(FeatureKind.Binary, "2", BinaryExpected)]
    [InlineData(FeatureKind.Binary, "-1", BinaryExpected)]
    [InlineData(FeatureKind.Binary, "0.5", BinaryExpected)]
    [InlineData(FeatureKind.Count, "-1", CountExpected)]
    [InlineData(FeatureKind.Count, "0.5", CountExpected)]
    [InlineData(FeatureKind.Count, "-3.00", CountExpected)]
    [InlineData(FeatureKind.NonNegative, "-1", NonNegativeExpected)]
    [InlineData(FeatureKind.NonNegative, "-1e-300", NonNegativeExpected)]
    public void NumberItCannotHold_IsRejectedWithWhatIsExpected(FeatureKind kind, string written, string expected)
    {
        RecordSchema schema = Flags with { Kinds = [kind, FeatureKind.Number] };
        double number = double.Parse(written, System.Globalization.CultureInfo.InvariantCulture);
        RejectedRecord csv = Only(Decoded.Batch(RecordFormat.Csv, schema, $"f,x\n1,5\n{written},6\n0,7\n")),
            json = Only(Decoded.Batch(RecordFormat.Ndjson, schema, Lines(written)));
        Assert.Equal((RejectionReason.OutOfRange, $"column 'f' holds another value, expected {expected}"), (csv.Reason, csv.Detail));
        Assert.Equal((RejectionReason.OutOfRange, $"field 'f' holds another value, expected {expected}"), (json.Reason, json.Detail));
        Assert.Equal([json], Read(new NdjsonDecoder(schema, learnsShapes: false), Lines(written)).Rejected);

        RejectedRecord raw = Only(Decoded.Batch(RecordFormat.Float64, schema, Raw(1, 5, number, 6, 0, 7)));
        Assert.Equal((RejectionReason.OutOfRange, $"feature 'f' is not {expected}"), (raw.Reason, raw.Detail));
    }

    [Fact]
    public void NumberItCannotHold_AmongFourReadAtOnce_IsRejected()
    {
        var schema = new RecordSchema
        {
            Features = ["a", "b", "c", "d", "e"],
            Kinds = [FeatureKind.Number, FeatureKind.Number, FeatureKind.Binary, FeatureKind.Count, FeatureKind.Binary]
        };
        var csv = new StringBuilder("a,b,c,d,e\n");
        var lines = new StringBuilder();
        for (int row = 0; row < 50; row++)
        {
            string c = row == 20 ? "2" : "1", d = row == 30 ? "2.5" : "7", e = row == 40 ? "-1" : "0";
            csv.Append(System.Globalization.CultureInfo.InvariantCulture, $"1.25,-3.5,{c}.0,{d},{e}\n");
            lines.Append(System.Globalization.CultureInfo.InvariantCulture, $"{{\"a\":1.25,\"b\":-3.5,\"c\":{c}.0,\"d\":{d},\"e\":{e}}}\n");
        }
        string[] expected = ["'c' holds another value, expected " + BinaryExpected, "'d' holds another value, expected " + CountExpected,
            "'e' holds another value, expected " + BinaryExpected];
        Assert.Equal(expected.Select(detail => "column " + detail),
            Decoded.Batch(RecordFormat.Csv, schema, csv.ToString()).Rejected.Select(rejected => rejected.Detail));
        Assert.Equal(expected.Select(detail => "field " + detail),
            Decoded.Batch(RecordFormat.Ndjson, schema, lines.ToString()).Rejected.Select(rejected => rejected.Detail));
    }

    [Fact]
    public void TextThatIsNeitherNumberNorWord_IsNoNumber()
    {
        RejectedRecord csv = Only(Decoded.Batch(RecordFormat.Csv, Flags, "f,x\n1,5\nyes,6\n0,7\n")),
            count = Only(Decoded.Batch(RecordFormat.Csv, Counts, "f,x\n1,5\ntrue,6\n0,7\n"));
        Assert.Equal((RejectionReason.NotANumber, "column 'f' holds a text of 3 bytes, expected a number"), (csv.Reason, csv.Detail));
        Assert.Equal((RejectionReason.NotANumber, "column 'f' holds a text of 4 bytes, expected a number"), (count.Reason, count.Detail));
    }

    private static RejectedRecord Only(RecordBatch batch)
    {
        Assert.Equal([1.0, 5.0, 0.0, 7.0], batch.Records.Values.ToArray());
        return batch.OnlyRejected();
    }

    private static string Lines(string second) => $"{{\"f\":1,\"x\":5}}\n{{\"f\":{second},\"x\":6}}\n{{\"f\":0,\"x\":7}}\n";

    private static byte[] Raw(params double[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static double[] Values(RecordFormat format, RecordSchema schema, string text)
    {
        RecordBatch batch = Decoded.Batch(format, schema, text);
        Assert.Empty(batch.Rejected);
        return batch.Records.Values.ToArray();
    }

    private static RecordBatch Read(NdjsonDecoder decoder, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var batch = new RecordBatch(2);
        batch.Clear("data.csv");
        decoder.Decode(bytes, 0, isFinal: true, batch);
        return batch;
    }
}
