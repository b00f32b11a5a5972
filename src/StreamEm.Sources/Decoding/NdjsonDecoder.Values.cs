using System.Globalization;
using System.Text.Json;

namespace StreamEm.Sources.Decoding;

/// <content>The values of one record.</content>
internal sealed partial class NdjsonDecoder
{
    private Refusal? ReadValue(ReadOnlySpan<byte> record, ref Utf8JsonReader reader, JsonPaths path, Span<double> row)
    {
        if (path.Slots.Length == 0)
        {
            reader.Skip();
            return null;
        }
        bool isWhole = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
        if (isWhole && !Array.TrueForAll(path.Slots, _fields.TakesSeveral))
        {
            RejectionReason reason = _fields.IsNumber(path.FirstSlot) ? RejectionReason.NotANumber : RejectionReason.OutOfRange;
            string kind = KindOf(reader.TokenType);
            reader.Skip();
            return Unusable(path, reason, $"field '{_fields.Names[path.FirstSlot]}' holds {kind}, expected a single value");
        }
        ReadOnlySpan<byte> text = isWhole ? Whole(record, ref reader) : reader.TokenType == JsonTokenType.Null ? default : reader.ValueSpan;
        if (!isWhole && reader.ValueIsEscaped && !TryUnescape(ref reader, out text))
            return Unusable(path, RejectionReason.JsonSyntax, $"field '{_fields.Names[path.FirstSlot]}' holds {HalfASurrogate}");
        if (text.Length > MaxFieldBytes)
            return Unusable(path, RejectionReason.TooLarge, string.Create(
                CultureInfo.InvariantCulture, $"field '{_fields.Names[path.FirstSlot]}' is longer than {MaxFieldBytes} bytes"));
        foreach (int slot in path.Slots)
        {
            if (_seen[slot]) return new Refusal(RejectionReason.JsonSyntax, $"field '{_fields.Names[slot]}' occurs twice");
            _seen[slot] = true;
            if (_fields.Set(slot, text, row) is { } reason) return new Refusal(reason, _fields.Describe("field", slot, reason, text));
        }
        return null;
    }

    /// <summary>The list or object that the reader is at the start of, as it is written.</summary>
    private static ReadOnlySpan<byte> Whole(ReadOnlySpan<byte> record, ref Utf8JsonReader reader)
    {
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return record[start..(int)reader.BytesConsumed];
    }

    /// <summary>A value that no field can take: the record is rejected, unless all the fields it is for are optional.</summary>
    private Refusal? Unusable(JsonPaths path, RejectionReason reason, string detail)
    {
        if (!Array.TrueForAll(path.Slots, _fields.IsOptional)) return new Refusal(reason, detail);
        foreach (int slot in path.Slots) _fields.Pass(slot);
        return null;
    }

    private static string KindOf(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a text",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        JsonTokenType.True or JsonTokenType.False => "true or false",
        _ => "empty",
    };

    private readonly record struct Refusal(RejectionReason Reason, string Detail);
}
