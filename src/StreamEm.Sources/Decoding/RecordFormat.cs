namespace StreamEm.Sources.Decoding;

/// <summary>How records are written as bytes. Names in YAML are in snake_case.</summary>
public enum RecordFormat
{
    /// <summary><c>csv</c>: RFC 4180 with a header line.</summary>
    Csv,

    /// <summary><c>ndjson</c>: one JSON object a line.</summary>
    Ndjson,

    /// <summary><c>float64</c>: D little-endian 8-byte floating-point numbers a record, nothing between.</summary>
    Float64,

    /// <summary><c>parquet</c>: the rows of a Parquet file.</summary>
    Parquet,

    /// <summary><c>avro</c>: messages in Apache Avro that name their schema in a registry.</summary>
    Avro,

    /// <summary><c>json_schema</c>: messages in JSON that name their schema in a registry.</summary>
    JsonSchema,
}
