using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Scores as JSON: one object a line, or one object <c>{model, run_id, version, records: [...]}</c>. With <c>withVersion</c> every result says
/// which version it is from.
/// </summary>
internal sealed class JsonScoreFormat(IBufferWriter<byte> output, bool asLines, bool withVersion) : ScoreFormat, IDisposable
{
    private readonly Utf8JsonWriter _json = new(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
    private long _version;

    /// <inheritdoc/>
    public override void Begin(ModelSnapshot snapshot)
    {
        _version = snapshot.Version;
        if (asLines) return;
        _json.WriteStartObject();
        _json.WriteString("model", snapshot.ModelId);
        _json.WriteString("run_id", snapshot.RunId);
        _json.WriteNumber("version", snapshot.Version);
        _json.WriteStartArray("records");
    }

    /// <inheritdoc/>
    public override void Write(in ScoredRecord score)
    {
        Start(score.Record);
        WriteNumber("log_density", score.LogDensity);
        _json.WriteStartArray("responsibilities");
        foreach (double responsibility in score.Responsibilities) _json.WriteNumberValue(responsibility);
        _json.WriteEndArray();
        _json.WriteNumber("component", score.Component);
        _json.WriteString("component_id", score.ComponentId);
        WriteNumber("anomaly_score", score.AnomalyScore);
        if (withVersion) _json.WriteNumber("version", _version);
        Finish();
    }

    /// <inheritdoc/>
    public override void WriteError(long record, RejectedRecord rejected)
    {
        Start(record);
        _json.WriteStartObject("error");
        _json.WriteString("reason", SnakeCase.Of(rejected.Reason));
        _json.WriteString("detail", rejected.Detail);
        _json.WriteEndObject();
        Finish();
    }

    /// <inheritdoc/>
    public override void End()
    {
        if (!asLines)
        {
            _json.WriteEndArray();
            _json.WriteEndObject();
        }

        _json.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    private void Start(long record)
    {
        if (asLines) _json.Reset(output);
        _json.WriteStartObject();
        _json.WriteNumber("record", record);
    }

    private void Finish()
    {
        _json.WriteEndObject();
        if (!asLines) return;
        _json.Flush();
        output.Write("\n"u8);
    }

    private void WriteNumber(string name, double value)
    {
        if (double.IsFinite(value)) _json.WriteNumber(name, value);
        else _json.WriteNull(name);
    }
}
