using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Telemetry;

/// <summary>
/// Logs one line per event: a JSON object (<c>ts, level, msg, event, ...</c>, the event's own fields in snake_case) or, for a person at a
/// terminal, time, level and message.
/// </summary>
public sealed class LineLoggerProvider(TextWriter output, bool json, LogLevel minimum, TimeProvider time) : ILoggerProvider
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _lock = new();

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new LineLogger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            try
            {
                output.Flush();
            }
            catch (IOException)
            {
                // As above.
            }
        }
    }

    private bool IsEnabled(LogLevel level) => level >= minimum && level != LogLevel.None;

    private void Write(string category, LogLevel level, EventId id, string message, IReadOnlyList<KeyValuePair<string, object?>>? fields,
        Exception? exception)
    {
        string line = json ? Json(category, level, id, message, fields, exception) : Text(level, message, exception);
        lock (_lock)
        {
            try
            {
                output.WriteLine(line);
                output.Flush();
            }
            catch (IOException)
            {
                // A log that cannot be written, to a full disk, keeps nobody from working.
            }
        }
    }

    private string Text(LogLevel level, string message, Exception? exception)
    {
        string when = time.GetLocalNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
        return PrintableText.Of(exception is null
            ? $"{when} {Name(level),-5} {message}"
            : $"{when} {Name(level),-5} {message}{Environment.NewLine}{exception}");
    }

    private string Json(string category, LogLevel level, EventId id, string message, IReadOnlyList<KeyValuePair<string, object?>>? fields,
        Exception? exception)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(bytes, Options))
        {
            writer.WriteStartObject();
            writer.WriteString("ts", SnapshotJson.Timestamp(time.GetUtcNow()));
            writer.WriteString("level", Name(level));
            writer.WriteString("msg", message);
            if (id.Name is { } name) writer.WriteString("event", name);
            writer.WriteString("component", category);
            foreach ((string key, object? value) in fields ?? []) WriteField(writer, key, value);
            if (exception is not null)
            {
                writer.WriteString("error.type", exception.GetType().FullName);
                writer.WriteString("error.stack", exception.ToString());
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static void WriteField(Utf8JsonWriter writer, string key, object? value)
    {
        if (key == "{OriginalFormat}") return;
        writer.WritePropertyName(JsonNamingPolicy.SnakeCaseLower.ConvertName(key));
        switch (value)
        {
            case int number: writer.WriteNumberValue(number); break;
            case long number: writer.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): writer.WriteNumberValue(number); break;
            case bool truth: writer.WriteBooleanValue(truth); break;
            case null: writer.WriteNullValue(); break;
            default: writer.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "fatal",
    };

    private sealed class LineLogger(LineLoggerProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => provider.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (provider.IsEnabled(logLevel))
                provider.Write(category, logLevel, eventId, formatter(state, exception),
                    state as IReadOnlyList<KeyValuePair<string, object?>>, exception);
        }
    }
}
