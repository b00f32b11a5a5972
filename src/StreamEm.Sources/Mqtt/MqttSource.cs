using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Mqtt;

/// <summary>
/// Records from an MQTT broker. A message is acknowledged only when a checkpoint holds it (<see cref="Acknowledge"/>), so what a killed
/// worker had not kept is sent again: at least once, none lost, as long as the broker keeps the session. The partition is <c>mqtt</c>;
/// positions count the messages taken.
/// </summary>
public sealed class MqttSource : RecordSource
{
    /// <summary>Name of the only partition.</summary>
    public const string PartitionName = "mqtt";

    /// <summary>
    /// Brokers stop after so many messages that were not acknowledged (Mosquitto after 20 where it is not told otherwise): once as many
    /// are here and nothing more comes, a checkpoint is wanted.
    /// </summary>
    private const int FewestToAwait = 8;

    /// <summary>How many times as long as usual a drained run waits for what it has to be acknowledged.</summary>
    private const int MostQuiet = 5;

    private readonly MqttSourceOptions _options;
    private readonly SourceContext _context;
    private readonly RecordDecoder _decoder;
    private readonly MqttInbox _inbox;
    private readonly MqttConnection _connection;
    private readonly int? _keyLevel;
    private long _next;
    private bool _hasStarted;

    /// <summary>Connects to nobody yet.</summary>
    /// <exception cref="SourceException">Options and schema cannot be used.</exception>
    public MqttSource(MqttSourceOptions options, SourceContext context)
    {
        (_options, _context) = (options, context);
        if (MqttTopics.Refusals(context.Schema).FirstOrDefault() is { Reason: { } reason })
            throw new SourceException(SourceFailure.Configuration, reason);
        _keyLevel = MqttTopics.LevelOf(context.Schema.Key);
        _decoder = CreateDecoder(options, context.Schema);
        PartitionPosition? position = context.Position.Partitions.GetValueOrDefault(PartitionName);
        _next = position?.Next ?? 0;
        _inbox = new MqttInbox(_next, options.MostUnacknowledged);
        _connection = new MqttConnection(options, context, _inbox, goesOn: position is not null);
    }

    /// <summary>Why options and schema cannot be used together; null when they can. Nobody is asked.</summary>
    public static string? Refusal(MqttSourceOptions options, RecordSchema schema)
    {
        try
        {
            CreateDecoder(options, schema);
            return null;
        }
        catch (SourceException refusal)
        {
            return refusal.Message;
        }
    }

    /// <inheritdoc/>
    public override bool IsReplayable => false;

    /// <inheritdoc/>
    public override string? Problem => _connection.Problem ?? (_inbox.Dropped is > 0 and var dropped
        ? $"{dropped} message(s) that were sent with quality of service 0 came faster than they were read and are lost; publish with 1."
        : null);

    /// <summary>Messages that no checkpoint holds.</summary>
    internal int Unacknowledged => _inbox.Unacknowledged;

    /// <inheritdoc/>
    public override bool AwaitsAcknowledgement => _inbox.Waiting == 0 && _inbox.Unacknowledged >= FewestToAwait;

    /// <inheritdoc/>
    public override void Acknowledge(SourcePosition durable)
    {
        if (durable.Partitions.TryGetValue(PartitionName, out PartitionPosition? position)) _inbox.Durable(position.Next);
    }

    /// <inheritdoc/>
    public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_hasStarted) _connection.Start();
        _hasStarted = true;
        int quiet = 0;
        while (true)
        {
            batch.Clear(PartitionName, identity: null, _next);
            while (!batch.IsFull && _inbox.TryTake(out MqttMessage message)) Decode(message, batch);
            if (batch.Count > 0 || batch.Rejected.Count > 0)
            {
                _next = batch.EndOffset;
                return true;
            }

            Task arrived = _inbox.WaitAsync();
            using var awake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            TimeSpan patience = _context.Once ? _options.DrainedAfter : Timeout.InfiniteTimeSpan;
            Task first = await Task.WhenAny(arrived, Task.Delay(patience, _context.Time, awake.Token)).ConfigureAwait(false);
            await awake.CancelAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            // A drained run ends when nothing has come for a while, but not before the broker was there to send it, nor while it may hold
            // more back until what it has sent is acknowledged.
            bool isQuiet = first != arrived && _connection.HasSubscribed && _inbox.Waiting == 0;
            if (isQuiet && (!AwaitsAcknowledgement || ++quiet == MostQuiet)) return false;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private void Decode(in MqttMessage message, RecordBatch batch)
    {
        batch.EndOffset = message.Number;
        CountBytes(message.Payload.Length);
        RecordDefaults defaults = RecordDefaults.None;
        if (_keyLevel is { } level && MqttTopics.PartOf(message.Topic, level) is { IsEmpty: false } part)
            defaults = defaults with { Key = batch.Texts.Number(part.ToString()) };
        int rejected = batch.Rejected.Count;
        _decoder.DecodeMessage(message.Payload, message.Number, message.Number + 1, batch, defaults);
        if (_context.KeepOriginals && batch.Rejected.Count > rejected)
            batch.KeepOriginal(rejected, new OriginalMessage(
                message.Topic, 0, Encoding.UTF8.GetBytes(message.Topic), message.Payload, [], RecordBatch.NoTimestamp));
    }

    private static RecordDecoder CreateDecoder(MqttSourceOptions options, RecordSchema schema)
    {
        RecordSchema value = schema with { Key = MqttTopics.LevelOf(schema.Key) is null ? schema.Key : null, Csv = options.Csv };
        try
        {
            if (options.Format != RecordFormat.Csv) return RecordDecoder.Create(options.Format, value);
            IEnumerable<string?> fields = [.. value.Features, value.Label, value.Weight, value.Key, value.Timestamp, value.Target];
            return new CsvDecoder(value, options.Columns ?? [.. fields.OfType<string>()], "source.mqtt.columns");
        }
        catch (ArgumentException failure)
        {
            throw new SourceException(SourceFailure.Configuration, failure.Message, failure);
        }
    }
}
