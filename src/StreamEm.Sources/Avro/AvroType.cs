namespace StreamEm.Sources.Avro;

/// <summary>The kinds of types of Apache Avro 1.12, "Schema Declaration".</summary>
internal enum AvroKind
{
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed,
    Enum,
    Record,
    Array,
    Map,
    Union,
}

/// <summary>What a value means beyond its kind: the logical types of Apache Avro 1.12; one that is not known is none.</summary>
internal enum AvroMeaning
{
    None,
    Decimal,
    Uuid,
    Date,
    TimeMillis,
    TimeMicros,
    TimestampMillis,
    TimestampMicros,
    TimestampNanos,
    Duration,
}

/// <summary>One type of a writer's schema. Named types may contain themselves; once read, nothing changes.</summary>
/// <param name="kind">Its kind.</param>
internal sealed class AvroType(AvroKind kind)
{
    /// <summary>Its kind.</summary>
    public AvroKind Kind => kind;

    /// <summary>Its logical type.</summary>
    public AvroMeaning Meaning { get; set; }

    /// <summary>Digits behind the point, of a decimal.</summary>
    public int Scale { get; set; }

    /// <summary>Bytes of a <see cref="AvroKind.Fixed"/>.</summary>
    public int Size { get; set; }

    /// <summary>The symbols of an enum as UTF-8.</summary>
    public byte[][] Symbols { get; set; } = [];

    /// <summary>The fields of a record in the order they are written.</summary>
    public IReadOnlyList<AvroField> Fields { get; set; } = [];

    /// <summary>The branches of a union.</summary>
    public AvroType[] Branches { get; set; } = [];

    /// <summary>What is in an array, or the values of a map.</summary>
    public AvroType? Items { get; set; }

    /// <summary>Whether its values are written as integers or floating-point numbers and mean nothing else.</summary>
    public bool IsNumber => Kind is AvroKind.Int or AvroKind.Long or AvroKind.Float or AvroKind.Double && Meaning == AvroMeaning.None;

    /// <summary>Whether a value holds others.</summary>
    public bool HoldsSeveral => Kind is AvroKind.Record or AvroKind.Array or AvroKind.Map;
}

/// <summary>A field of a record.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What it holds.</param>
internal sealed record AvroField(string Name, AvroType Type)
{
    /// <summary>The name as UTF-8.</summary>
    public byte[] Utf8 { get; } = System.Text.Encoding.UTF8.GetBytes(Name);
}
