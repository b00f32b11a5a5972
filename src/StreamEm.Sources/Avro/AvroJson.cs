using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Avro;

/// <summary>Values as JSON: what a field that takes lists and objects reads, and what a person sees of a rejected record.</summary>
internal sealed class AvroJson
{
    private readonly ArrayBufferWriter<byte> _written = new();
    private readonly AvroText _text = new();
    private Utf8JsonWriter? _json;

    /// <summary>Writes the next value; what was written is valid until the next call.</summary>
    public ReadOnlySpan<byte> Write(ref AvroBytes bytes, AvroType type)
    {
        _written.ResetWrittenCount();
        _json ??= new Utf8JsonWriter(_written, new JsonWriterOptions { SkipValidation = true });
        _json.Reset(_written);
        Value(ref bytes, type);
        _json.Flush();
        return _written.WrittenSpan;
    }

    private void Value(ref AvroBytes bytes, AvroType type)
    {
        if (type.Kind == AvroKind.Union)
        {
            int chosen = bytes.Choice(type.Branches.Length);
            if (bytes.Damage is null) Value(ref bytes, type.Branches[chosen]);
            else _json!.WriteNullValue();
        }
        else if (!type.HoldsSeveral)
        {
            Single(ref bytes, type);
        }
        else if (!bytes.Enter())
        {
            _json!.WriteNullValue();
        }
        else
        {
            if (type.Kind == AvroKind.Record) Record(ref bytes, type);
            else Elements(ref bytes, type);
            bytes.Leave();
        }
    }

    private void Record(ref AvroBytes bytes, AvroType type)
    {
        _json!.WriteStartObject();
        foreach (AvroField field in type.Fields)
        {
            _json.WritePropertyName(field.Utf8);
            Value(ref bytes, field.Type);
        }
        _json.WriteEndObject();
    }

    private void Elements(ref AvroBytes bytes, AvroType type)
    {
        bool isMap = type.Kind == AvroKind.Map;
        if (isMap) _json!.WriteStartObject();
        else _json!.WriteStartArray();
        for (int count = bytes.Block(); count > 0; count = bytes.Block())
        {
            for (int i = 0; i < count && bytes.Damage is null; i++)
            {
                if (isMap) Name(bytes.Bytes());
                Value(ref bytes, type.Items!);
            }
        }
        if (isMap) _json.WriteEndObject();
        else _json.WriteEndArray();
    }

    private void Single(ref AvroBytes bytes, AvroType type)
    {
        ReadOnlySpan<byte> text = _text.Read(ref bytes, type, out bool isInRange);
        bool isNumber = type.Kind is AvroKind.Boolean || type.IsNumber || type.Meaning == AvroMeaning.Decimal;
        if (type.Kind == AvroKind.Null || !isInRange || bytes.Damage is not null) _json!.WriteNullValue();
        else if (isNumber && (type.Kind == AvroKind.Boolean || Numbers.TryParse(text, out _)))
            _json!.WriteRawValue(text, skipInputValidation: true);
        else if (Utf8.IsValid(text)) _json!.WriteStringValue(text);
        else _json!.WriteStringValue(Convert.ToHexString(text));
    }

    private void Name(ReadOnlySpan<byte> name)
    {
        if (Utf8.IsValid(name)) _json!.WritePropertyName(name);
        else _json!.WritePropertyName(Convert.ToHexString(name));
    }
}
