using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Registry;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// Messages to records: what a record has of its message's key, time and headers, and the decoder of its value; where messages name their
/// schemas, the registry that has them.
/// </summary>
internal sealed class MessageDecoder : IDisposable
{
    private readonly KafkaSourceOptions _options;
    private readonly RecordDecoder _decoder;
    private readonly SchemaRegistry? _registry;
    private readonly RegistryDecoder? _registered;
    private readonly RegistryKeys? _keys;

    /// <summary>Asks nobody yet.</summary>
    /// <exception cref="SourceException">Options and schema cannot be used together.</exception>
    public MessageDecoder(
        KafkaSourceOptions options, RecordSchema schema, bool keepsOriginals, TimeProvider time, bool keepsTraces = false)
    {
        _options = options;
        Fields = new KafkaMessageFields(schema, keepsOriginals)
        {
            KeyIsText = options.KeyFormat == KeyFormat.Text,
            KeepsTraces = keepsTraces,
        };
        if (options.SchemaRegistry is { } registry) _registry = new SchemaRegistry(registry, options.UnavailableAfter, time);
        if (Fields.UsesKey && !Fields.KeyIsText) _keys = new RegistryKeys(Registry("key_format"), options.KeyFormat);
        RecordSchema value = Fields.Value with { Csv = options.Csv };
        if (options.Format is RecordFormat.Avro or RecordFormat.JsonSchema)
            _decoder = _registered = new RegistryDecoder(Registry("format"), options.Format, value);
        else
            _decoder = Plain(options, value);
    }

    /// <summary>What records have of their messages.</summary>
    public KafkaMessageFields Fields { get; }

    /// <summary>Why no record comes although messages have; null when all is well. Any thread.</summary>
    public string? Problem => _registry?.Problem;

    /// <summary>The schema that has to be learned before a message with a value can be decoded; null for none.</summary>
    public int? Lacks(in KafkaMessage message) => _registered?.Lacks(message.Value.Span) ?? _keys?.Lacks(message.Key.Span);

    /// <summary>Asks the registry for a schema until it answers.</summary>
    /// <exception cref="SourceException">Access is denied, or there was no answer for too long.</exception>
    /// <exception cref="OperationCanceledException">The caller stopped.</exception>
    public Task LearnAsync(int schema, CancellationToken stop) => _registry!.LearnAsync(schema, stop);

    /// <summary>
    /// Decodes a message with a value that lacks no schema. That a registry had none with a number may be otherwise later: such a batch is
    /// a decision.
    /// </summary>
    public void Decode(in KafkaMessage message, RecordBatch batch)
    {
        if (Fields.Read(message, batch.Texts, out RecordDefaults defaults) is var (reason, detail))
        {
            batch.Reject(reason, detail, message.Offset, message.Offset + 1, TextOf(message.Value.Span));
            return;
        }

        if (_keys is not null) defaults = _keys.Read(message.Key.Span, batch.Texts, defaults);
        int first = batch.Count;
        _decoder.DecodeMessage(message.Value.Block, message.Value.Range, message.Offset, message.Offset + 1, batch, defaults);
        if (Fields.KeepsTraces) batch.KeepTrace(first, TraceHeaders.Read(message.Headers));
        if (_registered?.WasUnknown == true || _keys?.WasUnknown == true) batch.IsDecision = true;
    }

    /// <inheritdoc/>
    public void Dispose() => _registry?.Dispose();

    private SchemaRegistry Registry(string key) => _registry ?? throw new SourceException(SourceFailure.Configuration,
        $"'{key}' needs the registry that has the schemas: add schema_registry: {{ url: [http://host:8081] }}.");

    private static RecordDecoder Plain(KafkaSourceOptions options, RecordSchema schema)
    {
        try
        {
            if (options.Format != RecordFormat.Csv) return RecordDecoder.Create(options.Format, schema);
            IEnumerable<string?> fields = [.. schema.Features, schema.Label, schema.Weight, schema.Key, schema.Timestamp, schema.Target];
            return new CsvDecoder(schema, options.Columns ?? [.. fields.OfType<string>()], "source.kafka.columns");
        }
        catch (ArgumentException failure)
        {
            throw new SourceException(SourceFailure.Configuration, failure.Message, failure);
        }
    }

    private string TextOf(ReadOnlySpan<byte> value) => _options.Format is RecordFormat.Float64 || _registered is not null
        ? Convert.ToHexString(value[..Math.Min(value.Length, RecordDecoder.MaxRejectedBytes / 2)])
        : Encoding.UTF8.GetString(value[..Math.Min(value.Length, RecordDecoder.MaxRejectedBytes)]);
}
