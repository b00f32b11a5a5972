using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>The short way of <see cref="JsonShape"/> must give what the JSON reader gives, record by record.</summary>
public sealed class JsonShapeTests
{
    private const int Streams = 400;

    private static readonly RecordSchema Schema = new() { Features = ["a", "p.b"], Label = "l", Weight = "w", Target = "a" };

    private static readonly string[] Shapes =
    [
        "{{\"a\":{0},\"p\":{{\"b\":{1}}},\"l\":{2},\"other\":[{1},{2}]}}",
        "{{\"l\":{2},\"a\":{0},\"p.b\":{1},\"w\":null}}",
        " {{ \"p\" : {{ \"c\":{2}, \"b\":{1} }}, \"a\":{0}, \"flag\":true }} ",
        "{{\"a\":{0},\"l\":true,\"w\":{1}}}",
    ];

    private static readonly string[] Numbers =
        ["0", "-0", "1.5", "-12.000001", "1234567890123456789", "0.12345678901234567", "1e5", "00.1", "1.e3", "1.5e", "-1.5e3", "12.34.5",
            "-0.25", "-2.5E-3", "1e999", "01", "1.", ".5", "+1", "+1.5", "x1.5", "-01.5", "00.5", "-", "1e", "1e+", "--1", "null", "\"7\"",
            "\"NaN\"", "true", "1 ", " 2", "1,\"a\":2", "1]", "{}", ""];

    private static readonly string[] Texts =
        ["\"x\"", "\"y z\"", "\"\"", "\"\u00E9\"", "\"\\u00e9\"", "\"\\\"\"", "\"\\ud800\"", "\"a\tb\"", "\"x\",\"l\":\"y\"", "\"open", "5",
            "null", "false", "[1]", "\"\u007F\""];

    [Fact]
    public void Decode_RecordsOfAFewShapes_AreReadAsIfEachWereTheFirst()
    {
        Gen<(int Shape, int A, int B, int Text)> record =
            from shape in Gen.Choose(0, 9)
            from a in Gen.Choose(0, 2 * Numbers.Length)
            from b in Gen.Choose(0, 2 * Numbers.Length)
            from text in Gen.Choose(0, 2 * Texts.Length)
            select (shape, a, b, text);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Streams), Prop.ForAll(record.ArrayOf(60).ToArbitrary(), records =>
        {
            var shared = new NdjsonDecoder(Schema);
            var batch = new RecordBatch(3);
            foreach ((int shape, int a, int b, int text) in records)
            {
                string line = string.Format(System.Globalization.CultureInfo.InvariantCulture, Shapes[shape < 7 ? 0 : shape - 6],
                    Pick(Numbers, a), Pick(Numbers, b), Pick(Texts, text));
                byte[] bytes = Encoding.UTF8.GetBytes(line);
                if (!string.Equals(Read(shared, bytes, .., batch), Read(new NdjsonDecoder(Schema), bytes, .., batch),
                    StringComparison.Ordinal))
                    return false;
            }
            return true;
        }));
    }

    [Fact]
    public void DecodeMessage_ManyNumbersAmongOtherBytes_IsReadAsIfItWereAloneAndTheFirst()
    {
        var schema = new RecordSchema { Features = ["a", "b", "c", "d", "e", "f", "g"] };
        string[] around = ["", "5", "5.5}", "}0123456789abcdef", "\":1,\"x\":2.25}                  ", "################"];
        Gen<(int[] Numbers, int Before, int After)> record =
            from numbers in Gen.Choose(0, 8 * Numbers.Length).ArrayOf(7)
            from before in Gen.Choose(0, around.Length - 1)
            from after in Gen.Choose(0, around.Length - 1)
            select (numbers, before, after);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Streams / 4), Prop.ForAll(record.ArrayOf(60).ToArbitrary(), records =>
        {
            var shared = new NdjsonDecoder(schema);
            var batch = new RecordBatch(7);
            foreach ((int[] numbers, int before, int after) in records)
            {
                // Mostly numbers that are read four at once: of every length, sign and place of the point.
                IEnumerable<string> values = numbers.Select(n => n < Numbers.Length ? Numbers[n] : Plain(n));
                byte[] bytes = Encoding.UTF8
                    .GetBytes("{" + string.Join(",", schema.Features.Zip(values, (name, value) => $"\"{name}\":{value}")) + "}");
                byte[] among = [.. Encoding.UTF8.GetBytes(around[before]), .. bytes, .. Encoding.UTF8.GetBytes(around[after])];
                Range place = around[before].Length..(around[before].Length + bytes.Length);
                if (!string.Equals(Read(shared, among, place, batch), Read(new NdjsonDecoder(schema), bytes, .., batch),
                    StringComparison.Ordinal))
                    return false;
            }
            return true;
        }));
    }

    [Fact]
    public void TryRead_RecordCutShort_IsNotCompletedByWhatFollows()
    {
        var fields = new RecordFields(Schema);
        var shape = new JsonShape(fields.IsNumber);
        ReadOnlySpan<byte> whole = "{\"a\":1,\"p\":{\"b\":2},\"l\":\"x\"}"u8;
        shape.Missed(whole, JsonPaths.Create(fields.Names));
        var row = new double[3];
        Assert.True(shape.TryRead(whole, 0, whole.Length, fields, row));
        for (int end = 0; end < whole.Length; end++) Assert.False(shape.TryRead(whole, 0, end, fields, row));
    }

    [Fact]
    public void TryRead_RecordOfTheShape_IsTakenWithoutTheReader()
    {
        var fields = new RecordFields(Schema);
        JsonPaths paths = JsonPaths.Create(fields.Names);
        var shape = new JsonShape(fields.IsNumber);
        shape.Missed("{\"a\":1,\"p\":{\"b\":2},\"l\":\"x\"}"u8, paths);
        Assert.True(shape.IsKnown);
        var row = new double[3];
        Assert.True(TryRead(shape, "{\"a\":-1.25,\"p\":{\"b\":20e1},\"l\":\"longer\"}"u8, fields, row));
        Assert.Equal([-1.25, 200.0, -1.25], row);
        Assert.False(TryRead(shape, "{\"a\":1,\"p\":{\"c\":2},\"l\":\"x\"}"u8, fields, row));
        Assert.False(TryRead(shape, "{\"a\":1,\"p\":{\"b\":2},\"l\":\"x\"} "u8, fields, row));
        Assert.False(TryRead(shape, "{\"a\":1,\"p\":{\"b\":2}"u8, fields, row));
    }

    private static bool TryRead(JsonShape shape, ReadOnlySpan<byte> record, RecordFields fields, Span<double> row) =>
        shape.TryRead(record, 0, record.Length, fields, row);

    private static string Pick(string[] values, int i) =>
        values[i < values.Length ? i : 2 * i % Math.Min(9, values.Length) == 8 ? 1 : i % 2];

    /// <summary>A number of up to 15 digits.</summary>
    private static string Plain(int seed)
    {
        double value = (seed % 2 == 0 ? -1 : 1) * Math.Pow(10, (seed % 13) - 5) * (seed + 0.123456789);
        return value.ToString("F" + (seed % 8), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Read(NdjsonDecoder decoder, byte[] data, Range record, RecordBatch batch)
    {
        batch.Clear("data");
        decoder.DecodeMessage(data, record, 0, 1, batch, new RecordDefaults(3, batch.Texts.Number("k"), 4));
        if (batch.Count == 0) return Assert.Single(batch.Rejected).ToString();
        string values = string.Join(
            ' ', batch.Row(0).ToArray().Select(value => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture)));
        return FormattableString.Invariant(
            $"{values} {batch.Label(0)} {batch.Records.Weight(0)} {batch.Key(0)} {batch.Records.Timestamp(0)}");
    }
}
