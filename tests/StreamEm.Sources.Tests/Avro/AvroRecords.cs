using Avro.Generic;
using Avro.IO;
using StreamEm.Core.Features;
using StreamEm.Sources.Avro;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Avro;

/// <summary>Records written by Apache's own library, and read by ours.</summary>
internal static class AvroRecords
{
    /// <summary>A record of a schema, with the fields that are named.</summary>
    public static byte[] Write(string schema, params (string Field, object? Value)[] fields)
    {
        var parsed = (global::Avro.RecordSchema)global::Avro.Schema.Parse(schema);
        var record = new GenericRecord(parsed);
        foreach ((string field, object? value) in fields) record.Add(field, value);
        return Write(parsed, record);
    }

    public static byte[] Write(global::Avro.Schema schema, object value)
    {
        using var bytes = new MemoryStream();
        new GenericDatumWriter<object>(schema).Write(value, new BinaryEncoder(bytes));
        return bytes.ToArray();
    }

    /// <summary>A record within a record.</summary>
    public static GenericRecord Part(string schema, string field, params (string Field, object? Value)[] fields)
    {
        var outer = (global::Avro.RecordSchema)global::Avro.Schema.Parse(schema);
        global::Avro.Schema type = outer[field].Schema;
        if (type is global::Avro.UnionSchema union) type = union.Schemas.Single(branch => branch is global::Avro.RecordSchema);
        var part = new GenericRecord((global::Avro.RecordSchema)type);
        foreach ((string name, object? value) in fields) part.Add(name, value);
        return part;
    }

    /// <summary>Reads records of one schema each.</summary>
    public static RecordBatch Read(RecordSchema schema, params IEnumerable<(string Schema, byte[] Record)> records)
    {
        var decoder = new AvroDecoder(schema);
        var batch = new RecordBatch(schema);
        batch.Clear("t/0");
        long offset = 0;
        foreach ((string written, byte[] record) in records)
        {
            AvroStep plan = decoder.Plan(new AvroSchemaReader().Read(written));
            decoder.Decode(record, plan, offset, ++offset, batch, RecordDefaults.None);
        }

        return batch;
    }
}
