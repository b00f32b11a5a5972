using System.Text.Json;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Fitting;

/// <summary>
/// One line per update: <c>update, records, step_size, mean_log_likelihood</c> (the minibatch under the parameters before it).
/// </summary>
internal sealed class TraceFile(Stream output) : IDisposable
{
    private readonly Utf8JsonWriter _json = new(output);

    /// <summary>Writes the line of an update.</summary>
    public void Write(TrainingReport report) => Write(report.Updates, report.Records, report.LastStepSize, report.MeanLogLikelihood);

    /// <summary>Writes a line.</summary>
    public void Write(long update, long records, double stepSize, double meanLogLikelihood)
    {
        _json.Reset(output);
        _json.WriteStartObject();
        _json.WriteNumber("update", update);
        _json.WriteNumber("records", records);
        _json.WriteNumber("step_size", stepSize);
        if (double.IsFinite(meanLogLikelihood)) _json.WriteNumber("mean_log_likelihood", meanLogLikelihood);
        else _json.WriteNull("mean_log_likelihood");
        _json.WriteEndObject();
        _json.Flush();
        output.WriteByte((byte)'\n');
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _json.Dispose();
        output.Dispose();
    }
}
