using System.Text;
using FsCheck;
using FsCheck.Fluent;
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
        ["0", "-0", "1.5", "-12.000001", "1234567890123456789", "0.12345678901234567", "1e5", "00.1", "1.e3", "1.5e", "-1.5e3", "12.34.5", "-0.25", "-2.5E-3", "1e999", "01", "1.", ".5", "+1", "-", "1e", "1e+", "--1", "null", "\"7\"", "\"NaN\"", "true", "1 ", " 2", "1,\"a\":2", "1]", "{}", ""];

    private static readonly string[] Texts =
        ["\"x\"", "\"y z\"", "\"\"", "\"\u00E9\"", "\"\\u00e9\"", "\"\\\"\"", "\"\\ud800\"", "\"a\tb\"", "\"x\",\"l\":\"y\"", "\"open", "5", "null", "false", "[1]", "\"\u007F\""];

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
            var batch = new RecordBatch(2);
            foreach ((int shape, int a, int b, int text) in records)
            {
                string line = string.Format(System.Globalization.CultureInfo.InvariantCulture, Shapes[shape < 7 ? 0 : shape - 6], Pick(Numbers, a), Pick(Numbers, b), Pick(Texts, text));
                byte[] bytes = Encoding.UTF8.GetBytes(line);
                if (!string.Equals(Read(shared, bytes, batch), Read(new NdjsonDecoder(Schema), bytes, batch), StringComparison.Ordinal)) return false;
            }
            return true;
        }));
    }

    [Fact]
    public void TryRead_RecordOfTheShape_IsTakenWithoutTheReader()
    {
        var fields = new RecordFields(Schema);
        JsonPaths paths = JsonPaths.Create(fields.Names);
        var shape = new JsonShape();
        shape.Missed("{\"a\":1,\"p\":{\"b\":2},\"l\":\"x\"}"u8, paths);
        Assert.True(shape.IsKnown);
        var row = new double[2];
        Assert.True(shape.TryRead("{\"a\":-1.25,\"p\":{\"b\":20e1},\"l\":\"longer\"}"u8, 0, fields, row));
        Assert.Equal([-1.25, 200.0], row);
        Assert.False(shape.TryRead("{\"a\":1,\"p\":{\"c\":2},\"l\":\"x\"}"u8, 0, fields, row));
        Assert.False(shape.TryRead("{\"a\":1,\"p\":{\"b\":2},\"l\":\"x\"} "u8, 0, fields, row));
        Assert.False(shape.TryRead("{\"a\":1,\"p\":{\"b\":2}"u8, 0, fields, row));
    }

    private static string Pick(string[] values, int i) => values[i < values.Length ? i : 2 * i % Math.Min(9, values.Length) == 8 ? 1 : i % 2];

    private static string Read(NdjsonDecoder decoder, byte[] bytes, RecordBatch batch)
    {
        batch.Clear("data");
        decoder.DecodeMessage(bytes, 0, 1, batch, new RecordDefaults(3, "k", 4));
        if (batch.Count == 0) return Assert.Single(batch.Rejected).ToString();
        return FormattableString.Invariant($"{batch.Row(0)[0]:R} {batch.Row(0)[1]:R} {batch.Label(0)} {batch.Weight(0)} {batch.Target(0):R} {batch.Key(0)} {batch.Timestamp(0)}");
    }
}
