using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Sources.Avro;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Registry;

/// <summary>
/// Messages that name the schema they were written with: Avro, read with it, or JSON, read as it is (what is valid under its schema was for
/// its writer to see). Messages only: each has its own schema, which has to be there before it is decoded, see <see cref="Lacks"/>.
/// </summary>
internal sealed class RegistryDecoder : RecordDecoder
{
    private readonly SchemaRegistry _registry;
    private readonly string _language;
    private readonly AvroDecoder? _avro;
    private readonly NdjsonDecoder? _json;
    private readonly Dictionary<int, AvroStep> _plans = [];
    private AvroStep? _plan;
    private int _planned = -1;

    /// <summary>For records of this schema.</summary>
    /// <param name="registry">Where the schemas are.</param>
    /// <param name="format">Avro or JSON with a schema.</param>
    /// <param name="schema">The records' fields.</param>
    public RegistryDecoder(SchemaRegistry registry, RecordFormat format, RecordSchema schema)
    {
        _registry = registry;
        _language = SchemaRegistry.LanguageOf(format == RecordFormat.Avro);
        if (format == RecordFormat.Avro) _avro = new AvroDecoder(schema);
        else _json = new NdjsonDecoder(schema);
    }

    /// <summary>Whether the last message was rejected because the registry did not have its schema, which may be otherwise later.</summary>
    public bool WasUnknown { get; private set; }

    /// <summary>The schema that has to be learned before a message can be decoded; null for none.</summary>
    public int? Lacks(ReadOnlySpan<byte> message)
    {
        if (!WireFormat.TryRead(message, out int number) || number == _planned) return null;
        return _registry.Lacks(number) ? number : null;
    }

    /// <summary>The fields of the records that the newest schema of a subject does not have.</summary>
    public IReadOnlyList<string> Lacking(RegisteredSchema schema) =>
        _avro is null || schema.Avro is null ? [] : _avro.Lacking(_avro.Plan(schema.Avro));

    /// <summary>Why messages of a schema cannot be decoded; null when they can.</summary>
    public string? Refusal(RegisteredSchema schema) => schema.Problem ?? (schema.Language == _language ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"schema {schema.Number} of the registry is of type {schema.Language}, expected {_language} (source.kafka.format)"));

    /// <inheritdoc/>
    public override bool DecodeMessage(
        ReadOnlySpan<byte> data, Range record, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults)
    {
        (int start, int length) = record.GetOffsetAndLength(data.Length);
        ReadOnlySpan<byte> message = data.Slice(start, length);
        WasUnknown = false;
        if (!WireFormat.TryRead(message, out int number))
            return Reject(
                RejectionReason.SchemaMismatch, $"the message names no schema; {WireFormat.Expected}", message, offset, nextOffset, batch);
        if (length > MaxRecordBytes)
            return Reject(RejectionReason.TooLarge, string.Create(CultureInfo.InvariantCulture,
                $"the record is {length} bytes long, the limit is {MaxRecordBytes}"), message, offset, nextOffset, batch);
        if (number != _planned && Prepare(number) is { } refusal)
            return Reject(RejectionReason.SchemaMismatch, refusal, message, offset, nextOffset, batch);
        return _avro is not null
            ? _avro.Decode(message[WireFormat.Length..], _plan!, offset, nextOffset, batch, defaults)
            : _json!.DecodeMessage(data, (start + WireFormat.Length)..(start + length), offset, nextOffset, batch, defaults);
    }

    /// <inheritdoc/>
    public override bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, out int used) =>
        throw new NotSupportedException("Messages that name their schema are no stream of bytes.");

    /// <inheritdoc/>
    public override int Decode(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch) =>
        throw new NotSupportedException("Messages that name their schema are no stream of bytes.");

    /// <summary>Makes ready for messages of a schema.</summary>
    /// <returns>Why they cannot be decoded; null when they can.</returns>
    private string? Prepare(int number)
    {
        RegisteredSchema schema = _registry.Find(number)
            ?? throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Schema {number} was not asked for."));
        if (Refusal(schema) is { } refusal)
        {
            WasUnknown = schema.IsUnknown;
            return refusal;
        }
        if (_avro is not null && !_plans.TryGetValue(number, out _plan)) _plans.Add(number, _plan = _avro.Plan(schema.Avro!));
        _planned = number;
        return null;
    }

    private static bool Reject(
        RejectionReason reason, string detail, ReadOnlySpan<byte> message, long offset, long nextOffset, RecordBatch batch)
    {
        batch.Reject(reason, detail, offset, nextOffset, Convert.ToHexString(message[..Math.Min(message.Length, MaxRejectedBytes / 2)]));
        return false;
    }
}
