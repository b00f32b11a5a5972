using System.Text;
using System.Text.Json;

namespace StreamEm.Sources.Avro;

/// <summary>
/// Reads a writer's schema, the JSON of Apache Avro 1.12, "Schema Declaration": names with namespaces, types that refer to others by name -
/// also to those of schemas read before, which is what references between registered schemas are -, logical types. Default values, aliases
/// and documentation are of no use to one who reads with the writer's schema, and are passed over.
/// </summary>
internal sealed class AvroSchemaReader
{
    /// <summary>How deep types may be nested in a schema.</summary>
    private const int MaxDepth = 64;

    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 2 * MaxDepth };

    private readonly Dictionary<string, AvroType> _named = new(StringComparer.Ordinal);
    private int _depth;

    /// <summary>Reads a schema; the types it names are known to those read after it.</summary>
    /// <exception cref="FormatException">It is none; the message says what was found and expected.</exception>
    public AvroType Read(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text, Json);
            return Type(json.RootElement, space: "");
        }
        catch (JsonException damage)
        {
            // Some registries give the name of a primitive type as it is.
            return Primitive(text.Trim()) ?? throw new FormatException("it is no JSON", damage);
        }
    }

    private AvroType Type(JsonElement schema, string space)
    {
        if (++_depth > MaxDepth) throw new FormatException("its types are nested too deep");
        AvroType type = schema.ValueKind switch
        {
            JsonValueKind.String => Named(schema.GetString()!, space),
            JsonValueKind.Array => new AvroType(AvroKind.Union)
            {
                Branches = [.. schema.EnumerateArray().Select(part => Branch(part, space))],
            },
            JsonValueKind.Object => Declared(schema, space),
            _ => throw new FormatException("a type is neither a name, nor a list, nor an object"),
        };
        _depth--;
        return type;
    }

    private AvroType Branch(JsonElement schema, string space)
    {
        AvroType branch = Type(schema, space);
        return branch.Kind == AvroKind.Union ? throw new FormatException("a union holds a union") : branch;
    }

    private AvroType Named(string name, string space)
    {
        if (Primitive(name) is { } primitive) return primitive;
        return _named.GetValueOrDefault(FullName(name, space))
            ?? _named.GetValueOrDefault(name)
            ?? throw new FormatException("it names a type that it does not declare");
    }

    private AvroType Declared(JsonElement schema, string space)
    {
        JsonElement given = Property(schema, "type");
        if (given.ValueKind != JsonValueKind.String) return Type(given, space);
        string kind = given.GetString()!;
        switch (kind)
        {
            case "record" or "error":
                return Record(schema, space);
            case "enum":
                AvroType symbols = Declare(new AvroType(AvroKind.Enum), schema, space, out _);
                symbols.Symbols = [.. List(schema, "symbols").Select(symbol => Encoding.UTF8.GetBytes(TextOf(symbol, "a symbol")))];
                return symbols;
            case "fixed":
                AvroType bytes = Declare(new AvroType(AvroKind.Fixed), schema, space, out _);
                if (!Property(schema, "size").TryGetInt32(out int size) || size < 0) throw new FormatException("a fixed has no size");
                bytes.Size = size;
                return Meant(bytes, schema);
            case "array":
                return new AvroType(AvroKind.Array) { Items = Type(Property(schema, "items"), space) };
            case "map":
                return new AvroType(AvroKind.Map) { Items = Type(Property(schema, "values"), space) };
            default:
                return Primitive(kind) is { } primitive ? Meant(primitive, schema) : Named(kind, space);
        }
    }

    private AvroType Record(JsonElement schema, string space)
    {
        AvroType record = Declare(new AvroType(AvroKind.Record), schema, space, out string inner);
        var fields = new List<AvroField>();
        foreach (JsonElement field in List(schema, "fields"))
            fields.Add(new AvroField(TextOf(Property(field, "name"), "a field's name"), Type(Property(field, "type"), inner)));
        record.Fields = fields;
        return record;
    }

    /// <summary>Takes note of a named type, before what it contains, which may be itself.</summary>
    private AvroType Declare(AvroType type, JsonElement schema, string space, out string inner)
    {
        string name = TextOf(Property(schema, "name"), "a name");
        int dot = name.LastIndexOf('.');
        bool hasOwn = schema.TryGetProperty("namespace", out JsonElement own) && own.ValueKind == JsonValueKind.String;
        inner = dot >= 0 ? name[..dot] : hasOwn ? own.GetString()! : space;
        _named[FullName(name, inner)] = type;
        return type;
    }

    private static string FullName(string name, string space) => space.Length == 0 || name.Contains('.', StringComparison.Ordinal)
        ? name : $"{space}.{name}";

    private static AvroType? Primitive(string name) => name switch
    {
        "null" => new AvroType(AvroKind.Null),
        "boolean" => new AvroType(AvroKind.Boolean),
        "int" => new AvroType(AvroKind.Int),
        "long" => new AvroType(AvroKind.Long),
        "float" => new AvroType(AvroKind.Float),
        "double" => new AvroType(AvroKind.Double),
        "bytes" => new AvroType(AvroKind.Bytes),
        "string" => new AvroType(AvroKind.Text),
        _ => null,
    };

    /// <summary>Gives a type its logical type; one that does not fit is passed over, as the specification demands.</summary>
    private static AvroType Meant(AvroType type, JsonElement schema)
    {
        if (!schema.TryGetProperty("logicalType", out JsonElement logical) || logical.ValueKind != JsonValueKind.String) return type;
        type.Meaning = (logical.GetString(), type.Kind, type.Size) switch
        {
            ("decimal", AvroKind.Bytes or AvroKind.Fixed, _) => AvroMeaning.Decimal,
            ("uuid", AvroKind.Text, _) or ("uuid", AvroKind.Fixed, 16) => AvroMeaning.Uuid,
            ("date", AvroKind.Int, _) => AvroMeaning.Date,
            ("time-millis", AvroKind.Int, _) => AvroMeaning.TimeMillis,
            ("time-micros", AvroKind.Long, _) => AvroMeaning.TimeMicros,
            ("timestamp-millis" or "local-timestamp-millis", AvroKind.Long, _) => AvroMeaning.TimestampMillis,
            ("timestamp-micros" or "local-timestamp-micros", AvroKind.Long, _) => AvroMeaning.TimestampMicros,
            ("timestamp-nanos" or "local-timestamp-nanos", AvroKind.Long, _) => AvroMeaning.TimestampNanos,
            ("duration", AvroKind.Fixed, 12) => AvroMeaning.Duration,
            _ => AvroMeaning.None,
        };
        if (type.Meaning != AvroMeaning.Decimal || !schema.TryGetProperty("scale", out JsonElement scale)) return type;
        if (scale.ValueKind == JsonValueKind.Number && scale.TryGetInt32(out int digits) && digits is >= 0 and <= 1000) type.Scale = digits;
        else type.Meaning = AvroMeaning.None;
        return type;
    }

    private static JsonElement Property(JsonElement schema, string name) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty(name, out JsonElement value)
            ? value
            : throw new FormatException($"a declaration has no '{name}'");

    private static JsonElement.ArrayEnumerator List(JsonElement schema, string name) =>
        Property(schema, name) is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray()
            : throw new FormatException($"'{name}' of a declaration is no list");

    private static string TextOf(JsonElement value, string what) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new FormatException($"{what} is no text");
}
