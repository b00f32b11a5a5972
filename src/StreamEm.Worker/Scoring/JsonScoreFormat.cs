using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Sources;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Scores as JSON: one object a line, or one object <c>{model, run_id, version, records: [...]}</c>. With <c>withVersion</c> every result
/// says which version it is from.
/// </summary>
internal sealed class JsonScoreFormat(IBufferWriter<byte> output, bool asLines, bool withVersion) : ScoreFormat, IDisposable
{
    private readonly Utf8JsonWriter _json =
        new(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
    private LearnedModel? _learned;

    /// <inheritdoc/>
    public override void Begin(LearnedModel learned)
    {
        _learned = learned;
        if (asLines) return;
        _json.WriteStartObject();
        if (learned is ModelSnapshot snapshot)
        {
            _json.WriteString("model", snapshot.ModelId);
            _json.WriteString("run_id", snapshot.RunId);
        }

        _json.WriteNumber("version", learned.Version);
        _json.WriteStartArray("records");
    }

    /// <inheritdoc/>
    public override void Write(in ScoredRecord score)
    {
        Start(score.Record);
        LearnedModel learned = _learned ?? throw new InvalidOperationException("Scores were not begun.");
        if (score.Key is { } key) _json.WriteString("key", key);
        if (score.Timestamp != Minibatch.NoTimestamp)
            _json.WriteString("timestamp", SnapshotJson.Timestamp(DateTimeOffset.FromUnixTimeMilliseconds(score.Timestamp)));
        WriteNumber("log_density", score.LogDensity);
        foreach (VectorBlock block in learned.Model.ScoreLayout.Blocks)
        {
            _json.WritePropertyName(block.Name);
            WriteValues(block.Of(score.Scores), block.Shape, 0);
        }

        if (score.Component >= 0)
        {
            _json.WriteNumber("component", score.Component);
            _json.WriteString("component_id", score.ComponentId);
        }

        WriteNumber("anomaly_score", score.AnomalyScore);
        if (withVersion) _json.WriteNumber("version", learned.Version);
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
    public override void Flush() => _json.Flush();

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

    /// <summary>Nested arrays of a block's shape; a number where it has none.</summary>
    private void WriteValues(ReadOnlySpan<double> values, IReadOnlyList<int> shape, int axis)
    {
        if (axis == shape.Count)
        {
            if (double.IsFinite(values[0])) _json.WriteNumberValue(values[0]);
            else _json.WriteNullValue();
            return;
        }

        int length = values.Length / shape[axis];
        _json.WriteStartArray();
        for (int at = 0; at < shape[axis]; at++) WriteValues(values.Slice(at * length, length), shape, axis + 1);
        _json.WriteEndArray();
    }

    private void WriteNumber(string name, double value)
    {
        if (double.IsFinite(value)) _json.WriteNumber(name, value);
        else _json.WriteNull(name);
    }
}
