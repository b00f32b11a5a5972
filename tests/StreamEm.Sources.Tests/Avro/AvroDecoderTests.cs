using System.Globalization;
using System.Text.Json;
using Avro.Generic;
using FsCheck;
using FsCheck.Fluent;
using StreamEm.Core.Features;
using StreamEm.Sources.Avro;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Tests.Decoding;

namespace StreamEm.Sources.Tests.Avro;

/// <summary>Records of Avro, written by Apache's library, mean what the same records mean in JSON.</summary>
public sealed class AvroDecoderTests
{
    private const string Machine = """
        {"type":"record","name":"Reading","namespace":"plant","fields":[
          {"name":"id","type":"string"},
          {"name":"x","type":["null","double"],"default":null},
          {"name":"n","type":"long"},
          {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
          {"name":"inner","type":["null",{"type":"record","name":"Inner","fields":[
            {"name":"y","type":"float"},{"name":"on","type":"boolean"}]}],"default":null},
          {"name":"tags","type":{"type":"map","values":"double"}},
          {"name":"list","type":{"type":"array","items":"int"}}]}
        """;

    private static readonly RecordSchema Schema = new()
    {
        Features = ["x", "n", "inner.y", "tags.a"], Key = "id", Timestamp = "at",
    };

    private static byte[] Reading(string id, double? x, long n, float? y, params (string Key, double Value)[] tags) => AvroRecords.Write(
        Machine, ("id", id), ("x", x), ("n", n), ("at", new DateTime(2026, 11, 20, 8, 0, 0, 123, DateTimeKind.Utc)),
        ("inner", y is { } value ? AvroRecords.Part(Machine, "inner", ("y", value), ("on", true)) : null),
        ("tags", tags.ToDictionary(tag => tag.Key, tag => (object)tag.Value)), ("list", new object[] { 1, 2, 3 }));

    [Fact]
    public void Records_FieldsByName_ReachIntoRecordsMapsAndUnions()
    {
        RecordBatch batch = AvroRecords.Read(Schema,
            (Machine, Reading("pump-7", 1.5, -3, 2.5f, ("b", 9), ("a", 4))), (Machine, Reading("ä", null, long.MaxValue, null)));

        Assert.Empty(batch.Rejected);
        Assert.Equal([1.5, -3, 2.5, 4, double.NaN, long.MaxValue, double.NaN, double.NaN], batch.Features(4));
        Assert.Equal(("pump-7", "ä"), (batch.Key(0), batch.Key(1)));
        Assert.Equal(new DateTimeOffset(2026, 11, 20, 8, 0, 0, 123, TimeSpan.Zero).ToUnixTimeMilliseconds(), batch.Records.Timestamp(0));
    }

    [Theory]
    [InlineData("\"int\"", "-2147483648", "-2147483648")]
    [InlineData("\"boolean\"", "true", "true")]
    [InlineData("\"string\"", "\"a b\"", "a b")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"off\",\"on\"]}", "on", "on")]
    [InlineData("\"float\"", "0.1", "0.10000000149011612")]
    [InlineData("{\"type\":\"int\",\"logicalType\":\"date\"}", "20777", "2026-11-20")]
    [InlineData("{\"type\":\"int\",\"logicalType\":\"time-millis\"}", "28800123", "08:00:00.123")]
    [InlineData("{\"type\":\"long\",\"logicalType\":\"time-micros\"}", "1", "00:00:00.000001")]
    [InlineData("{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", "-1", "1969-12-31T23:59:59.999999Z")]
    [InlineData("{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}", "-1", "1969-12-31T23:59:59.9999999Z")]
    [InlineData("{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}", "0", "1970-01-01T00:00:00Z")]
    [InlineData("{\"type\":\"long\",\"logicalType\":\"of-somebody\"}", "12", "12")]
    [InlineData("{\"type\":\"string\",\"logicalType\":\"uuid\"}", "\"0f8fad5b\"", "0f8fad5b")]
    public void Value_OfEveryType_IsTheTextThatCsvWouldHave(string type, string value, string expected)
    {
        string schema = $$"""{"type":"record","name":"R","fields":[{"name":"v","type":{{type}}},{"name":"x","type":"int"}]}""";

        // Apache's library wants values of its own for logical types: what is written is the same without them.
        string plain = type.Contains("logicalType", StringComparison.Ordinal)
            ? JsonDocument.Parse(type).RootElement.GetProperty("type").GetRawText() : type;
        object written = plain switch
        {
            "\"int\"" => int.Parse(value, CultureInfo.InvariantCulture),
            "\"long\"" => long.Parse(value, CultureInfo.InvariantCulture),
            "\"float\"" => float.Parse(value, CultureInfo.InvariantCulture),
            "\"boolean\"" => value == "true",
            "\"string\"" => value.Trim('"'),
            _ => new GenericEnum((global::Avro.EnumSchema)global::Avro.Schema.Parse(type), value),
        };
        byte[] record = AvroRecords.Write(schema.Replace(type, plain, StringComparison.Ordinal), ("v", written), ("x", 1));

        RecordBatch batch = AvroRecords.Read(new RecordSchema { Features = ["x"], Key = "v" }, (schema, record));

        Assert.Equal(expected, batch.Key(0));
    }

    [Theory]
    [InlineData("12345", 2, "123.45")]
    [InlineData("-5", 3, "-0.005")]
    [InlineData("0", 0, "0")]
    [InlineData("-170141183460469231731687303715884105728", 4, "-17014118346046923173168730371588410.5728")]
    [InlineData("1701411834604692317316873037158841057280", 0, "1701411834604692317316873037158841057280")]
    public void Decimal_OfAnyLength_HasItsDigits(string unscaled, int scale, string expected)
    {
        byte[] bytes = System.Numerics.BigInteger.Parse(unscaled, CultureInfo.InvariantCulture).ToByteArray(isBigEndian: true);
        string type = string.Create(
            CultureInfo.InvariantCulture, $$"""{"type":"bytes","logicalType":"decimal","precision":60,"scale":{{scale}}}""");
        string schema = $$"""{"type":"record","name":"R","fields":[{"name":"v","type":{{type}}}]}""";
        byte[] record = [(byte)(2 * bytes.Length), .. bytes];

        RecordBatch key = AvroRecords.Read(new RecordSchema { Features = ["v"], Key = "v" }, (schema, record));

        Assert.Equal((expected, double.Parse(expected, CultureInfo.InvariantCulture)), (key.Key(0), key.Row(0)[0]));
    }

    [Fact]
    public void FixedAndDuration_HaveTheirTexts()
    {
        const string schema = """
            {"type":"record","name":"R","fields":[
              {"name":"u","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}},
              {"name":"d","type":{"type":"fixed","name":"D","size":12,"logicalType":"duration"}},
              {"name":"x","type":"int"}]}
            """;
        byte[] record =
        [
            .. new Guid("0f8fad5b-d9cb-469f-a165-70867728950e").ToByteArray(bigEndian: true), 1, 0, 0, 0, 2, 0, 0, 0, 0xBC, 0x0B, 0, 0, 2,
        ];

        RecordBatch u = AvroRecords.Read(new RecordSchema { Features = ["x"], Key = "u" }, (schema, record));
        RecordBatch d = AvroRecords.Read(new RecordSchema { Features = ["x"], Key = "d" }, (schema, record));

        Assert.Equal(("0f8fad5b-d9cb-469f-a165-70867728950e", "P1M2DT3.004S"), (u.Key(0), d.Key(0)));
    }

    [Fact]
    public void Schemas_ThatChangeMidStream_AreEachReadByTheirOwn()
    {
        const string older = """{"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"gone","type":"string"}]}""";
        const string newer = """
            {"type":"record","name":"R","fields":[{"name":"y","type":["double","null"]},{"name":"x","type":"double"}]}
            """;
        const string other = """{"type":"record","name":"R","fields":[{"name":"z","type":"double"}]}""";

        RecordBatch batch = AvroRecords.Read(new RecordSchema { Features = ["x", "y"] },
            (older, AvroRecords.Write(older, ("x", 1), ("gone", "a"))), (newer, AvroRecords.Write(newer, ("y", 2.5), ("x", 3.5))),
            (older, AvroRecords.Write(older, ("x", 4), ("gone", "b"))), (other, AvroRecords.Write(other, ("z", 1.0))));

        Assert.Equal([1, double.NaN, 3.5, 2.5, 4, double.NaN], batch.Features(2));
        Assert.Equal((RejectionReason.MissingFeature, "the record has none of the fields x, y", """{"z":1}"""),
            (batch.OnlyRejected().Reason, batch.OnlyRejected().Detail, batch.OnlyRejected().Text));
    }

    [Fact]
    public void Values_ThatCannotBeLearnedFrom_AreRejectedAsThoseOfJson()
    {
        const string schema = """
            {"type":"record","name":"R","fields":[{"name":"x","type":["null","double","string",{"type":"array","items":"int"}]}]}
            """;

        RecordBatch batch = AvroRecords.Read(new RecordSchema { Features = ["x"], AllowMissing = false },
            new object?[] { double.PositiveInfinity, null, double.NaN, "far", new object[] { 1 }, 1e200, "1.5" }
                .Select(value => (schema, AvroRecords.Write(schema, ("x", value)))));

        Assert.Equal([1.5], batch.Features(1));
        Assert.Equal(
            [RejectionReason.NotFinite, RejectionReason.MissingFeature, RejectionReason.MissingFeature, RejectionReason.NotANumber,
                RejectionReason.NotANumber, RejectionReason.OutOfRange],
            batch.Rejected.Select(record => record.Reason));
        Assert.Equal("field 'x' holds an array, expected a single value", batch.Rejected[4].Detail);
        Assert.Equal(["""{"x":"Infinity"}""", """{"x":null}""", """{"x":"NaN"}""", """{"x":"far"}""", """{"x":[1]}""", """{"x":1E+200}"""],
            batch.Rejected.Select(record => record.Text.Replace("\u221E", "Infinity", StringComparison.Ordinal)));
    }

    [Fact]
    public void Filter_PassesOverRecordsOfOthers_WhateverIsInThem()
    {
        const string schema = """{"type":"record","name":"R","fields":[{"name":"x","type":"double"},{"name":"kind","type":"string"}]}""";
        var records = new RecordSchema { Features = ["x"], Where = RecordFilter.Parse("kind == \"pump\"", out _) };

        RecordBatch batch = AvroRecords.Read(records,
            new[] { (1.0, "pump"), (double.PositiveInfinity, "fan"), (double.PositiveInfinity, "pump"), (2.0, "fan") }
                .Select(record => (schema, AvroRecords.Write(schema, ("x", record.Item1), ("kind", record.Item2)))));

        Assert.Equal([1.0], batch.Features(1));
        Assert.Equal((2, 1), (batch.FilteredOut, batch.Rejected.Count));
    }

    [Fact]
    public void Record_CutOffAnywhereOrTooLong_IsRejectedForThat()
    {
        byte[] whole = Reading("pump-7", 1.5, -3, 2.5f, ("a", 4));

        RecordBatch batch = AvroRecords.Read(Schema,
            Enumerable.Range(0, whole.Length).Select(length => (Machine, whole[..length])).Append((Machine, [.. whole, 0])));

        Assert.Equal(0, batch.Count);
        Assert.All(batch.Rejected, record => Assert.Equal(RejectionReason.SchemaMismatch, record.Reason));
        Assert.Equal("the record is not of the schema it names: 1 bytes are left over", batch.Rejected[^1].Detail);
        Assert.Equal(Convert.ToHexString([.. whole, 0]), batch.Rejected[^1].Text);
    }

    [Fact]
    public void Record_OfAnyBytes_IsTakenOrRejected()
    {
        byte[] whole = Reading("pump-7", 1.5, -3, 2.5f, ("a", 4), ("b", 5));
        Gen<(int At, int Value)[]> changes =
            (from at in Gen.Choose(0, whole.Length - 1) from value in Gen.Choose(0, 255) select (at, value)).ArrayOf(3);

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(changes.ToArbitrary(), drawn =>
        {
            byte[] damaged = [.. whole];
            foreach ((int at, int value) in drawn) damaged[at] = (byte)value;
            RecordBatch batch = AvroRecords.Read(Schema, (Machine, damaged));
            return batch.Count + batch.Rejected.Count == 1;
        }));
    }

    [Theory]
    [InlineData("""{"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"l","type":{"type":"array","items":"null"}}]}""",
        new byte[] { 2, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0 })]
    [InlineData("""{"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"r","type":["null","R"]}]}""", null)]
    [InlineData("""{"type":"record","name":"R","fields":[{"name":"r","type":"R"},{"name":"x","type":"int"}]}""", new byte[] { 2 })]
    public void Record_ThatWouldCostMuch_IsRejectedSoon(string schema, byte[]? record)
    {
        record ??= [.. Enumerable.Repeat((byte)2, 4000)];

        Assert.Equal(RejectionReason.SchemaMismatch,
            AvroRecords.Read(new RecordSchema { Features = ["x"] }, (schema, record)).OnlyRejected().Reason);
    }

    [Fact]
    public void Terms_OfAnArrayOrMap_AreTheJsonOfIt()
    {
        const string schema = """{"type":"record","name":"R","fields":[{"name":"words","type":{"type":"map","values":"int"}}]}""";
        var records = new RecordSchema { Features = ["words"], Kinds = [FeatureKind.Terms] };

        RecordBatch batch = AvroRecords.Read(records,
            (schema, AvroRecords.Write(schema, ("words", new Dictionary<string, object> { ["warm"] = 2, ["cold"] = 1 }))));

        Assert.Equal("""{"warm":2,"cold":1}""", batch.Texts[(int)batch.Row(0)[0]]);
    }

    [Fact]
    public void Records_OfRandomValues_AreThoseOfTheSameJson()
    {
        Gen<(double X, long N, string Text, bool IsNull)> values =
            from x in ArbMap.Default.GeneratorFor<NormalFloat>()
            from n in ArbMap.Default.GeneratorFor<long>()
            from text in ArbMap.Default.GeneratorFor<NonEmptyString>()
            from isNull in ArbMap.Default.GeneratorFor<bool>()
            select (x.Get, n, string.Concat(text.Get.Where(c => !char.IsSurrogate(c))), isNull);

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(values.ToArbitrary(), drawn =>
        {
            byte[] record = Reading(drawn.Text, drawn.IsNull ? null : drawn.X, drawn.N, drawn.IsNull ? null : 2f, ("a", drawn.X));
            string json = JsonSerializer.Serialize(new Dictionary<string, object?>
            {
                ["id"] = drawn.Text,
                ["x"] = drawn.IsNull ? null : drawn.X,
                ["n"] = drawn.N,
                ["at"] = "2026-11-20T08:00:00.123Z",
                ["inner"] = drawn.IsNull ? null : new { y = 2, on = true },
                ["tags"] = new { a = drawn.X },
            });
            RecordBatch avro = AvroRecords.Read(Schema, (Machine, record)), same = Decoded.Batch(RecordFormat.Ndjson, Schema, json);
            return avro.Count == same.Count && (avro.Count == 0
                || (avro.Row(0).SequenceEqual(same.Row(0)) && avro.Key(0) == same.Key(0)
                    && avro.Records.Timestamp(0) == same.Records.Timestamp(0)));
        }));
    }

    [Fact]
    public void GoodRecords_AllocateNothing()
    {
        byte[] record = Reading("pump-7", 1.5, -3, 2.5f, ("a", 4));
        var decoder = new AvroDecoder(Schema);
        AvroStep plan = decoder.Plan(new AvroSchemaReader().Read(Machine));
        var batch = new RecordBatch(Schema);
        batch.Clear("t/0");
        Fill();

        batch.Clear("t/0");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Fill();

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(1000, batch.Count);

        void Fill()
        {
            for (int i = 0; i < 1000; i++) decoder.Decode(record, plan, i, i + 1, batch, RecordDefaults.None);
        }
    }
}
