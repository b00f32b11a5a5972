using System.Buffers.Binary;
using System.Globalization;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// D little-endian 8-byte floating-point numbers a record, in the order of the schema's features; NaN is missing. Key, time and weight can
/// only come from outside the bytes (<see cref="RecordDefaults"/>). The text of a rejected record is its bytes in hexadecimal.
/// </summary>
internal sealed class RawFloat64Decoder : RecordDecoder
{
    private readonly RecordSchema _schema;
    private readonly FieldSpelling _spelling;
    private readonly int _recordBytes;

    /// <summary>For records of this schema.</summary>
    /// <exception cref="ArgumentException">The schema names a label a target or a filter, which raw numbers have no place for.</exception>
    public RawFloat64Decoder(RecordSchema schema)
    {
        if ((schema.Label ?? schema.Target) is { } field)
            throw new ArgumentException(
                $"Records of format float64 hold the features alone; they have no field '{field}'. Use csv or ndjson.", nameof(schema));
        if (schema.EndMarker is { } marker)
            throw new ArgumentException(
                $"Records of format float64 hold the features alone; '{marker.Fields[0]}' of 'end_marker' is no field of theirs. Use csv "
                    + "or ndjson.",
                nameof(schema));
        if (schema.Where is { } where)
            throw new ArgumentException(
                $"Records of format float64 hold the features alone; '{where.Fields[0]}' of 'where' is no field of theirs. Use csv or "
                    + "ndjson.",
                nameof(schema));
        _schema = schema;
        _spelling = new FieldSpelling(schema);
        _recordBytes = schema.Features.Count * sizeof(double);
    }

    /// <inheritdoc/>
    public override bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, out int used)
    {
        used = 0;
        return true;
    }

    /// <inheritdoc/>
    public override int Decode(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
        int at = 0;
        while (data.Length - at >= _recordBytes && !batch.IsFull)
        {
            Accept(data.Slice(at, _recordBytes), offset + at, offset + at + _recordBytes, batch, RecordDefaults.None);
            at += _recordBytes;
        }
        if (isFinal && !batch.IsFull && at < data.Length)
        {
            RejectLength(data[at..], offset + at, offset + data.Length, batch);
            at = data.Length;
        }
        batch.EndOffset = offset + at;
        return at;
    }

    /// <inheritdoc/>
    public override bool DecodeMessage(
        ReadOnlySpan<byte> data, Range record, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults)
    {
        ReadOnlySpan<byte> message = data[record];
        if (message.Length == _recordBytes) return Accept(message, offset, nextOffset, batch, defaults);
        RejectLength(message, offset, nextOffset, batch);
        return false;
    }

    private bool Accept(ReadOnlySpan<byte> record, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults)
    {
        Span<double> row = batch.NextRow;
        for (int d = 0; d < row.Length; d++)
        {
            double value = BinaryPrimitives.ReadDoubleLittleEndian(record[(d * sizeof(double))..]);
            if (_spelling.MissingNumbers.Contains(value)) value = double.NaN;
            row[d] = value;
            if (double.IsFinite(value) && FeatureValues.TryTake(_schema.KindOf(d), batch.Texts, ref row[d])) continue;
            if (double.IsFinite(value))
            {
                string expected = FeatureValues.IsInSupport(_schema.KindOf(d), value)
                    ? FeatureValues.ExpectedRange : FeatureValues.Expected(_schema.KindOf(d));
                batch.Reject(RejectionReason.OutOfRange, $"feature '{_schema.Features[d]}' is not {expected}", offset, nextOffset,
                    Hexadecimal(record));
                return false;
            }
            if (double.IsNaN(value) && _schema.AllowMissing) continue;
            bool missing = double.IsNaN(value);
            string detail = missing
                ? $"feature '{_schema.Features[d]}' is NaN, and missing values are not allowed here (missing: reject)"
                : $"feature '{_schema.Features[d]}' is infinite, expected a finite number";
            batch.Reject(missing ? RejectionReason.MissingFeature : RejectionReason.NotFinite, detail, offset, nextOffset,
                Hexadecimal(record));
            return false;
        }
        batch.Commit(nextOffset, defaults.Weight, key: defaults.Key, timestamp: defaults.Timestamp, unread: defaults.Unread);
        return true;
    }

    private void RejectLength(ReadOnlySpan<byte> record, long offset, long nextOffset, RecordBatch batch)
    {
        string detail = string.Create(CultureInfo.InvariantCulture,
            $"the record has {record.Length} bytes, expected {_recordBytes}: {_schema.Features.Count} features of 8 bytes");
        batch.Reject(RejectionReason.SchemaMismatch, detail, offset, nextOffset, Hexadecimal(record));
    }

    private static string Hexadecimal(ReadOnlySpan<byte> record) =>
        Convert.ToHexString(record[..Math.Min(record.Length, MaxRejectedBytes / 2)]);
}
