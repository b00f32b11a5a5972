using System.Text.Json;
using System.Text.Unicode;
using StreamEm.Core.Data;
using StreamEm.Sources.Avro;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Registry;

/// <summary>
/// Keys of messages that name the schema they were written with: a single value is its text, a record or object of one field is that
/// field's, of several the JSON of all. A key that cannot be read is none, and counted.
/// </summary>
internal sealed class RegistryKeys(SchemaRegistry registry, KeyFormat format)
{
    private readonly AvroText _text = new();
    private readonly AvroJson _json = new();

    /// <summary>The schema that has to be learned before a key can be read; null for none.</summary>
    public int? Lacks(ReadOnlySpan<byte> key) =>
        WireFormat.TryRead(key, out int number) && registry.Lacks(number) ? number : null;

    /// <summary>Whether the last key could not be read because the registry did not have its schema; that may change.</summary>
    public bool WasUnknown { get; private set; }

    /// <summary>What a record has whose message has this key.</summary>
    /// <param name="key">The key; empty for none.</param>
    /// <param name="texts">What it becomes a number of.</param>
    /// <param name="defaults">What the record has of its message otherwise.</param>
    public RecordDefaults Read(ReadOnlySpan<byte> key, TextTable texts, in RecordDefaults defaults)
    {
        WasUnknown = false;
        if (key.IsEmpty) return defaults;
        if (!WireFormat.TryRead(key, out int number) || registry.Find(number) is not { } schema) return Unread(defaults);
        WasUnknown = schema.IsUnknown;
        if (schema.Problem is not null || schema.Language != SchemaRegistry.LanguageOf(format == KeyFormat.Avro))
            return Unread(defaults);
        ReadOnlySpan<byte> value = key[WireFormat.Length..];
        if (format == KeyFormat.JsonSchema)
            return TryJson(value, out ReadOnlySpan<byte> json) ? With(json, texts, defaults) : Unread(defaults);
        var bytes = new AvroBytes(value);
        ReadOnlySpan<byte> text = TextOf(ref bytes, schema.Avro!);
        return bytes.Damage is null && bytes.Left == 0 && Utf8.IsValid(text) ? With(text, texts, defaults) : Unread(defaults);
    }

    private ReadOnlySpan<byte> TextOf(ref AvroBytes bytes, AvroType type)
    {
        for (int depth = 0; depth < AvroBytes.MaxDepth; depth++)
        {
            if (type.Kind == AvroKind.Union)
            {
                int chosen = bytes.Choice(type.Branches.Length);
                if (bytes.Damage is not null) return default;
                type = type.Branches[chosen];
            }
            else if (type is { Kind: AvroKind.Record, Fields.Count: 1 })
            {
                type = type.Fields[0].Type;
            }
            else
            {
                return type.HoldsSeveral ? _json.Write(ref bytes, type) : _text.Read(ref bytes, type, out _);
            }
        }
        return default;
    }

    private static bool TryJson(ReadOnlySpan<byte> value, out ReadOnlySpan<byte> text)
    {
        text = value;
        var reader = new Utf8JsonReader(value);
        try
        {
            if (!reader.Read()) return false;
            if (reader.TokenType == JsonTokenType.StartObject && Only(value) is { Length: > 0 } only) return TryJson(only, out text);
            if (reader.TokenType == JsonTokenType.Null) text = default;
            if (reader.TokenType is JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False) text = reader.ValueSpan;
            if (reader.TokenType == JsonTokenType.String)
                text = reader.ValueIsEscaped ? System.Text.Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan;
            reader.Skip();
            return !reader.Read() && Utf8.IsValid(text);
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>The value of an object's only property; nothing for others.</summary>
    private static ReadOnlySpan<byte> Only(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value);
        reader.Read();
        if (!reader.Read() || reader.TokenType != JsonTokenType.PropertyName) return default;
        reader.Read();
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        int end = (int)reader.BytesConsumed;
        return reader.Read() && reader.TokenType == JsonTokenType.EndObject && !reader.Read() ? value[start..end] : default;
    }

    private static RecordDefaults With(ReadOnlySpan<byte> key, TextTable texts, in RecordDefaults defaults) =>
        key.IsEmpty ? defaults : defaults with { Key = texts.Number(key) };

    private static RecordDefaults Unread(in RecordDefaults defaults) => defaults with { Unread = defaults.Unread | OptionalFields.Key };
}
