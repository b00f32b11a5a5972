using System.Buffers;
using System.Globalization;
using System.Text;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scoring;

/// <summary>Scores as CSV: <c>record, log_density, component, component_id, anomaly_score, responsibility_&lt;id&gt; ..., error</c>.</summary>
internal sealed class CsvScoreFormat(IBufferWriter<byte> output) : ScoreFormat
{
    private readonly StringBuilder _line = new();
    private int _components;

    /// <inheritdoc/>
    public override void Begin(ModelSnapshot snapshot)
    {
        _components = snapshot.ComponentIds.Count;
        _line.Append("record,log_density,component,component_id,anomaly_score");
        foreach (string id in snapshot.ComponentIds) _line.Append(",responsibility_").Append(id);
        _line.Append(",error");
        Finish();
    }

    /// <inheritdoc/>
    public override void Write(in ScoredRecord score)
    {
        _line.Append(CultureInfo.InvariantCulture, $"{score.Record},{Number(score.LogDensity)},{score.Component},{score.ComponentId},{Number(score.AnomalyScore)}");
        foreach (double responsibility in score.Responsibilities) _line.Append(',').Append(Number(responsibility));
        _line.Append(',');
        Finish();
    }

    /// <inheritdoc/>
    public override void WriteError(long record, RejectedRecord rejected)
    {
        _line.Append(CultureInfo.InvariantCulture, $"{record},,,,").Append(',', _components);
        _line.Append(",\"").Append(SnakeCase.Of(rejected.Reason)).Append(": ").Append(rejected.Detail.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        Finish();
    }

    private void Finish()
    {
        _line.Append('\n');
        output.Write(Encoding.UTF8.GetBytes(_line.ToString()));
        _line.Clear();
    }

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "";
}
