using System.Globalization;
using System.Runtime.InteropServices;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>Numbers whose squares are beyond double precision, or lost in it, are refused in every format.</summary>
public sealed class RangeTests
{
    private const string Expected = "0 or a magnitude of 1e-150 to 1e150, whose square is within double precision";

    private static readonly RecordSchema Schema = new()
    {
        Features = ["a", "b", "c", "d", "e"],
        Target = "y",
        Kinds = [FeatureKind.Number, FeatureKind.NonNegative, FeatureKind.Count, FeatureKind.Number, FeatureKind.Number,
            FeatureKind.Number],
    };

    public static TheoryData<string, string> Refused => new MatrixTheoryData<string, string>(
        ["a", "e"], ["1e155", "-1e155", "1.01e150", "1.7e308", "1e-200", "-1e-200", "0.99e-150", "5e-324"]);

    [Theory]
    [MemberData(nameof(Refused))]
    [InlineData("b", "1e155")]
    [InlineData("b", "1e-200")]
    [InlineData("c", "1e155")]
    [InlineData("y", "1e155")]
    [InlineData("y", "-1e-200")]
    public void NumberOutOfRange_IsRejectedWithTheLimits(string field, string written)
    {
        string detail = $"'{field}' holds a number that cannot be computed with, expected {Expected}";
        RejectedRecord csv = Only(Decoded.Batch(RecordFormat.Csv, Schema, $"a,b,c,d,e,y\n{Row("1")}{Row(written)}{Row("0")}"));
        Assert.Equal((RejectionReason.OutOfRange, "column " + detail), (csv.Reason, csv.Detail));
        RejectedRecord json = Only(Decoded.Batch(RecordFormat.Ndjson, Schema, Line("1") + Line(written) + Line("0")));
        Assert.Equal((RejectionReason.OutOfRange, "field " + detail), (json.Reason, json.Detail));
        json = Only(Decoded.Batch(RecordFormat.Ndjson, Schema, Line("1") + Line($"\"{written}\"") + Line("0")));
        Assert.Equal("field " + detail, json.Detail);
        if (field == "y") return;

        double[] row = [.. Schema.Features.Select(name => name == field ? double.Parse(written, CultureInfo.InvariantCulture) : 1)];
        byte[] bytes = Raw([1, 1, 1, 1, 1, .. row, 0, 0, 0, 0, 0]);
        RejectedRecord raw = Only(Decoded.Batch(RecordFormat.Float64, Schema with { Target = null }, bytes));
        Assert.Equal((RejectionReason.OutOfRange, $"feature '{field}' is not {Expected}"), (raw.Reason, raw.Detail));

        string Row(string value) => string.Join(',', Schema.Features.Append("y").Select(name => name == field ? value : "1")) + "\n";

        string Line(string value) =>
            "{" + string.Join(',', Schema.Features.Append("y").Select(name => $"\"{name}\":{(name == field ? value : "1")}")) + "}\n";
    }

    [Theory]
    [InlineData("1e150", 1e150)]
    [InlineData("-1e-150", -1e-150)]
    [InlineData("0.000000000000000000001", 1e-21)]
    [InlineData("0", 0)]
    [InlineData("-0.0", 0)]
    [InlineData("0e-300", 0)]
    [InlineData("1e-400", 0)]
    public void NumberAtTheLimits_IsTaken(string written, double expected)
    {
        var schema = new RecordSchema { Features = ["a", "b"] };
        Assert.Equal([expected, 2], Decoded.Batch(RecordFormat.Csv, schema, $"a,b\n{written},2\n").Records.Values.ToArray());
        Assert.Equal([expected, 2], Decoded.Batch(RecordFormat.Ndjson, schema, $"{{\"a\":{written},\"b\":2}}\n").Records.Values.ToArray());
        Assert.Equal([expected, 2], Decoded.Batch(RecordFormat.Float64, schema, Raw(expected, 2)).Records.Values.ToArray());
    }

    [Fact]
    public void NumberThatMeansMissing_OrIsALevel_MayHaveAnyMagnitude()
    {
        RecordSchema schema = new()
        {
            Features = ["a", "l"],
            Kinds = [FeatureKind.Number, FeatureKind.Level],
            MissingValues = ["-1e300"],
        };
        RecordBatch csv = Decoded.Batch(RecordFormat.Csv, schema, "a,l\n-1e300,1e200\n"),
            raw = Decoded.Batch(RecordFormat.Float64, schema, Raw(-1e300, 1e200));
        foreach (RecordBatch batch in new[] { csv, raw })
        {
            Assert.Empty(batch.Rejected);
            Assert.Equal([double.NaN, 0], batch.Records.Values.ToArray());
        }
    }

    private static RejectedRecord Only(RecordBatch batch)
    {
        Assert.Equal(2, batch.Count);
        return batch.OnlyRejected();
    }

    private static byte[] Raw(params double[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
}
