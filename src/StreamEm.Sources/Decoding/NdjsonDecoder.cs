using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// One JSON object a line (NDJSON, JSON Lines). Fields are properties by name, a dot reaches into nested objects; other properties are
/// passed over. A number may also be written as text; <c>null</c>, an absent property and every spelling of <see cref="MissingValues"/>,
/// quoted or not, are missing values. A record with none of the features, or with one of the fields twice, is rejected. Blank lines are
/// skipped.
/// </summary>
/// <remarks>
/// Records that differ from one before in nothing but their numbers and texts take the short way of <see cref="JsonShape"/>.
/// </remarks>
internal sealed partial class NdjsonDecoder : RecordDecoder
{
    /// <summary>How deep objects and arrays may be nested.</summary>
    public const int MaxDepth = 64;

    private const string HalfASurrogate = "half a surrogate pair (\\ud800 to \\udfff alone), which is no text";

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = MaxDepth, CommentHandling = JsonCommentHandling.Disallow };

    private readonly RecordSchema _schema;
    private readonly RecordFields _fields;
    private readonly JsonPaths _paths;
    private readonly JsonPaths? _filterPaths;
    private readonly JsonShape _shape;
    private readonly bool _learnsShapes;
    private readonly bool[] _seen;
    private readonly BareTokens _bareTokens;
    private OversizedLine? _oversized;

    /// <summary>Whether a record had values that are no JSON: then they are looked for before the reader stumbles over them.</summary>
    private bool _hasBareTokens;

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
        _schema = schema;
        _learnsShapes = learnsShapes;
        _fields = new RecordFields(schema);
        _paths = JsonPaths.Create(_fields.Names);
        if (_fields.HasFilter) _filterPaths = JsonPaths.Create(_fields.Names, _fields.FirstFiltered);
        _shape = new JsonShape(_fields.IsNumber);
        _seen = new bool[_fields.Names.Count];
        _bareTokens = new BareTokens(_fields.Spelling);
    }

    /// <inheritdoc/>
    public override bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, out int used)
    {
        _oversized = null;
        used = Math.Max(0, MarkLength(data, isFinal));
        return MarkLength(data, isFinal) >= 0 && OtherContent.TryRefuse(data, isFinal, name);
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
            batch.EndOffset = offset + at;
        }
        batch.EndOffset = offset + at;
        return at;
    }

    /// <inheritdoc/>
    public override RecordDecoder? Fork() => _oversized is null ? new NdjsonDecoder(_schema) : null;

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
        ReadOnlySpan<byte> mended = default;
        bool isMended = _hasBareTokens && _bareTokens.TryMend(record, out mended);
        Refusal? refusal = TryRead(isMended ? mended : record, batch.NextRow, defaults, _paths);
        if (refusal is { Reason: RejectionReason.JsonSyntax } && !isMended && _bareTokens.TryMend(record, out mended))
        {
            refusal = TryRead(mended, batch.NextRow, defaults, _paths);
            _hasBareTokens = isMended = true;
        }
        if (refusal is not null && _filterPaths is not null
            && TryRead(isMended ? mended : record, batch.NextRow, defaults, _filterPaths) is null
            && !_fields.IsMeant)
        {
            batch.FilterOut(nextOffset);
            return true;
        }
        if (refusal is { } found)
        {
            Reject(batch, found.Reason, found.Detail, offset, nextOffset, record);
            return false;
        }
        _fields.Commit(batch, nextOffset);
        if (_learnsShapes && !isMended) _shape.Missed(record, _paths);
        return true;
    }

    private Refusal? TryRead(ReadOnlySpan<byte> record, Span<double> row, in RecordDefaults defaults, JsonPaths paths)
    {
        try
        {
            return Utf8.IsValid(record) ? Read(record, row, defaults, paths)
                : new Refusal(RejectionReason.DecodeUtf8, $"expected a JSON object{Registered(record)}");
        }
        catch (JsonException e)
        {
            // The reader's own words quote the record.
            return new Refusal(RejectionReason.JsonSyntax, string.Create(CultureInfo.InvariantCulture,
                $"not a JSON object: from byte {e.BytePositionInLine ?? 0} on it is no JSON, or nested deeper than {MaxDepth} "
                    + $"levels{Registered(record)}"));
        }
        catch (InvalidOperationException)
        {
            // The reader's answer to a name with half a surrogate pair in it.
            return new Refusal(RejectionReason.JsonSyntax, $"not a JSON object: a name has {HalfASurrogate}");
        }
    }

    /// <summary>What a person has to know whose messages were written by the serializer of a schema registry.</summary>
    private static string Registered(ReadOnlySpan<byte> record) => record is [0, ..]
        ? "; it begins with a zero byte, as messages do whose schema is in a registry (source.kafka.format: avro or json_schema)" : "";

    private bool TryReadKnownShape(ReadOnlySpan<byte> data, int start, int end, Span<double> row, in RecordDefaults defaults)
    {
        _fields.Begin(defaults);
        row.Fill(double.NaN);
        return _shape.TryRead(data, start, end, _fields, row);
    }

    private Refusal? Read(ReadOnlySpan<byte> record, Span<double> row, in RecordDefaults defaults, JsonPaths paths)
    {
        var reader = new Utf8JsonReader(record, Strict);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return new Refusal(RejectionReason.JsonSyntax, $"the record is {KindOf(reader.TokenType)}, expected a JSON object");
        _fields.Begin(defaults);
        Array.Clear(_seen);
        row.Fill(double.NaN);
        Refusal? refusal = ReadObject(record, ref reader, paths, row);
        // To the end even after a problem: bytes that are no JSON are the problem to name.
        while (reader.Read()) continue;
        return refusal ?? (ReferenceEquals(paths, _filterPaths) ? null : MissingFeature());
    }

    /// <summary>A text without its escapes; false when half a surrogate pair is among them, which no text has.</summary>
    private bool TryUnescape(scoped ref Utf8JsonReader reader, out ReadOnlySpan<byte> text)
    {
        _unescaped ??= new byte[MaxRecordBytes];
        text = default;
        try
        {
            text = _unescaped.AsSpan(0, reader.CopyString(_unescaped));
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private Refusal? MissingFeature()
    {
        int absent = 0;
        for (int slot = 0; slot < _fields.Dimension; slot++)
        {
            if (_seen[slot]) continue;
            absent++;
            if (!_fields.MayBeMissing(slot))
                return new Refusal(RejectionReason.MissingFeature,
                    $"the record has no field '{_fields.Names[slot]}', and missing values are not allowed here (missing: reject)");
        }
        if (absent < _fields.Dimension || absent == 0) return null;
        return new Refusal(RejectionReason.MissingFeature,
            $"the record has none of the fields {string.Join(", ", _fields.Names.Take(_fields.Dimension))}");
    }

    /// <summary>Reads to the end of the object whose start the reader is at.</summary>
    private Refusal? ReadObject(ReadOnlySpan<byte> record, ref Utf8JsonReader reader, JsonPaths paths, Span<double> row)
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
                ? ReadObject(record, ref reader, found, row)
                : ReadValue(record, ref reader, found, row);
            if (refusal is not null) return refusal;
        }
        return null;
    }
}
