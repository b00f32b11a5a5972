using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// One JSON object a line (NDJSON, JSON Lines). Fields are properties by name, a dot reaches into nested objects; other properties are
/// passed over. A number may also be written as text; <c>null</c>, an absent property and the texts <c>""</c>, <c>"NaN"</c>, <c>"NA"</c>,
/// <c>"null"</c>
/// are missing numbers. A record with none of the features, or with one of the fields twice, is rejected. Blank lines are skipped.
/// </summary>
/// <remarks>
/// Records that differ from one before in nothing but their numbers and texts take the short way of <see cref="JsonShape"/>.
/// </remarks>
internal sealed class NdjsonDecoder : RecordDecoder
{
    /// <summary>How deep objects and arrays may be nested.</summary>
    public const int MaxDepth = 64;

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = MaxDepth, CommentHandling = JsonCommentHandling.Disallow };

    private readonly RecordFields _fields;
    private readonly JsonPaths _paths;
    private readonly JsonShape _shape;
    private readonly bool _learnsShapes;
    private readonly bool[] _seen;
    private OversizedLine? _oversized;

    /// <summary>Made when the first escaped text comes.</summary>
    private byte[]? _unescaped;

    /// <summary>For records of this schema.</summary>
    public NdjsonDecoder(RecordSchema schema)
        : this(schema, learnsShapes: true)
    {
    }

    /// <summary>For records of this schema, each of them read by the JSON reader unless it <paramref name="learnsShapes"/>.</summary>
    internal NdjsonDecoder(RecordSchema schema, bool learnsShapes)
    {
        _learnsShapes = learnsShapes;
        _fields = new RecordFields(schema);
        _paths = JsonPaths.Create(_fields.Names);
        _shape = new JsonShape(_fields.IsNumber);
        _seen = new bool[_fields.Names.Count];
    }

    /// <inheritdoc/>
    public override bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, out int used)
    {
        _oversized = null;
        used = Math.Max(0, MarkLength(data, isFinal));
        return MarkLength(data, isFinal) >= 0;
    }

    /// <inheritdoc/>
    public override int Decode(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
        int at = 0;
        _fields.Use(batch.Texts);
        if (_oversized is not null)
        {
            at = Skip(data, offset, isFinal, batch);
            if (_oversized is not null) return at;
        }
        while (at < data.Length && !batch.IsFull)
        {
            ReadOnlySpan<byte> rest = data[at..];
            int end = rest.IndexOf((byte)'\n');
            int length = end >= 0 ? end : rest.Length;
            if (length > 0 && rest[length - 1] == '\r' && (end >= 0 || isFinal)) length--;
            if (length > MaxRecordBytes + (end >= 0 || isFinal ? 0 : 1))
            {
                string detail = string.Create(CultureInfo.InvariantCulture, $"the record is longer than {MaxRecordBytes} bytes");
                _oversized = new OversizedLine(RejectionReason.TooLarge, detail, offset + at, Text(rest[..MaxRecordBytes]));
                at += Skip(rest, offset + at, isFinal, batch);
                if (_oversized is not null) return at;
                continue;
            }
            if (end < 0 && !isFinal) break;
            int next = at + (end >= 0 ? end + 1 : rest.Length);
            if (!IsBlank(rest[..length])) Accept(data, at, at + length, offset + at, offset + next, batch, RecordDefaults.None);
            at = next;
        }
        batch.EndOffset = offset + at;
        return at;
    }

    /// <inheritdoc/>
    public override bool DecodeMessage(
        ReadOnlySpan<byte> data, Range record, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults)
    {
        (int start, int length) = record.GetOffsetAndLength(data.Length);
        _fields.Use(batch.Texts);
        if (length <= MaxRecordBytes) return Accept(data, start, start + length, offset, nextOffset, batch, defaults);
        string detail = string.Create(CultureInfo.InvariantCulture, $"the record is {length} bytes long, the limit is {MaxRecordBytes}");
        Reject(batch, RejectionReason.TooLarge, detail, offset, nextOffset, data[record]);
        return false;
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IsEmpty || (line[0] <= ' ' && line.Trim(" \t\r"u8).IsEmpty);

    private int Skip(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
        int used = _oversized!.Skip(data, offset, isFinal, batch, out bool ended);
        if (ended) _oversized = null;
        else batch.EndOffset = _oversized.Offset;
        return used;
    }

    /// <summary>Takes or rejects the record from <paramref name="start"/> to <paramref name="end"/> of <paramref name="data"/>.</summary>
    private bool Accept(ReadOnlySpan<byte> data, int start, int end, long offset, long nextOffset, RecordBatch batch,
        in RecordDefaults defaults)
    {
        if (_shape.IsKnown && TryReadKnownShape(data, start, end, batch.NextRow, defaults))
        {
            _fields.Commit(batch, nextOffset);
            return true;
        }
        ReadOnlySpan<byte> record = data[start..end];
        Refusal? refusal;
        try
        {
            refusal = Utf8.IsValid(record)
                ? Read(record, batch.NextRow, defaults)
                : new Refusal(RejectionReason.DecodeUtf8, "expected a JSON object");
        }
        catch (JsonException e)
        {
            refusal = new Refusal(RejectionReason.JsonSyntax, $"not a JSON object: {e.Message}");
        }
        catch (InvalidOperationException e)
        {
            // The reader's answer to an escaped text that is no Unicode, half a surrogate pair.
            refusal = new Refusal(RejectionReason.JsonSyntax, $"not a JSON object: {e.Message}");
        }
        if (refusal is not { } found)
        {
            _fields.Commit(batch, nextOffset);
            if (_learnsShapes) _shape.Missed(record, _paths);
            return true;
        }
        Reject(batch, found.Reason, found.Detail, offset, nextOffset, record);
        return false;
    }

    private bool TryReadKnownShape(ReadOnlySpan<byte> data, int start, int end, Span<double> row, in RecordDefaults defaults)
    {
        _fields.Begin(defaults);
        row.Fill(double.NaN);
        return _shape.TryRead(data, start, end, _fields, row);
    }

    private Refusal? Read(ReadOnlySpan<byte> record, Span<double> row, in RecordDefaults defaults)
    {
        var reader = new Utf8JsonReader(record, Strict);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return new Refusal(RejectionReason.JsonSyntax, $"the record is {KindOf(reader.TokenType)}, expected a JSON object");
        _fields.Begin(defaults);
        Array.Clear(_seen);
        row.Fill(double.NaN);
        Refusal? refusal = ReadObject(ref reader, _paths, row);
        // To the end even after a problem: bytes that are no JSON are the problem to name.
        while (reader.Read())
        {
        }
        if (refusal is not null) return refusal;
        return MissingFeature();
    }

    private ReadOnlySpan<byte> Unescape(scoped ref Utf8JsonReader reader)
    {
        _unescaped ??= new byte[MaxRecordBytes];
        return _unescaped.AsSpan(0, reader.CopyString(_unescaped));
    }

    private Refusal? MissingFeature()
    {
        int absent = 0;
        for (int slot = 0; slot < _fields.Dimension; slot++)
        {
            if (_seen[slot]) continue;
            absent++;
            if (!_fields.AllowMissing)
                return new Refusal(RejectionReason.MissingFeature,
                    $"the record has no field '{_fields.Names[slot]}', and missing values are not allowed here (missing: reject)");
        }
        if (absent < _fields.Dimension || absent == 0) return null;
        return new Refusal(RejectionReason.MissingFeature,
            $"the record has none of the fields {string.Join(", ", _fields.Names.Take(_fields.Dimension))}");
    }

    /// <summary>Reads to the end of the object whose start the reader is at.</summary>
    private Refusal? ReadObject(ref Utf8JsonReader reader, JsonPaths paths, Span<double> row)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            JsonPaths? found = paths.Find(ref reader);
            reader.Read();
            if (found is null)
            {
                reader.Skip();
                continue;
            }
            Refusal? refusal = reader.TokenType == JsonTokenType.StartObject && found.HasChildren
                ? ReadObject(ref reader, found, row)
                : ReadValue(ref reader, found, row);
            if (refusal is not null) return refusal;
        }
        return null;
    }

    private Refusal? ReadValue(ref Utf8JsonReader reader, JsonPaths path, Span<double> row)
    {
        if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            if (path.Slots.Length > 0)
            {
                RejectionReason reason = _fields.IsNumber(path.FirstSlot) ? RejectionReason.NotANumber : RejectionReason.OutOfRange;
                return new Refusal(reason,
                    $"field '{_fields.Names[path.FirstSlot]}' holds {KindOf(reader.TokenType)}, expected a single value");
            }
            reader.Skip();
            return null;
        }
        ReadOnlySpan<byte> text = reader.ValueSpan;
        if (reader.TokenType == JsonTokenType.Null) text = default;
        else if (reader.ValueIsEscaped) text = Unescape(ref reader);
        if (path.Slots.Length > 0 && text.Length > MaxFieldBytes)
        {
            string detail = string.Create(
                CultureInfo.InvariantCulture, $"field '{_fields.Names[path.FirstSlot]}' is longer than {MaxFieldBytes} bytes");
            return new Refusal(RejectionReason.TooLarge, detail);
        }
        for (int i = 0; i < path.Slots.Length; i++)
        {
            int slot = path.Slots[i];
            if (_seen[slot]) return new Refusal(RejectionReason.JsonSyntax, $"field '{_fields.Names[slot]}' occurs twice");
            _seen[slot] = true;
            if (_fields.Set(slot, text, row) is { } reason) return new Refusal(reason, _fields.Describe("field", slot, reason, text));
        }
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
