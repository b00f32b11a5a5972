using System.Buffers;
using System.Globalization;
using System.Text;
using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Sources;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Scores as CSV: <c>record, log_density, component, component_id, uncertainty, anomaly_score, p_value, responsibility_&lt;id&gt; ...,
/// error</c>. A key and a time, where the model was told of them, come after the record's number, the class after the component; the
/// columns of the model's other blocks have their name and a number, or a class. Fields of the record that are told come before the error,
/// under their names; <c>field_</c> before one that is a column's.
/// </summary>
internal sealed class CsvScoreFormat(IBufferWriter<byte> output, ScoreFields? fields = null, bool hasPaths = false) : ScoreFormat
{
    private readonly StringBuilder _line = new();
    private int _values;
    private bool _hasKey, _hasTimestamp, _hasComponents;
    private IReadOnlyList<string> _componentIds = [], _classes = [];

    /// <inheritdoc/>
    public override void Begin(LearnedModel learned)
    {
        _values = learned.Model.ScoreLayout.Length;
        _hasKey = learned.Schema.Key is not null;
        _hasTimestamp = learned.Schema.Timestamp is not null;
        _hasComponents = learned.Model is ComponentModel;
        _componentIds = learned.ComponentIds;
        _classes = learned.Model.Classes;
        _line.Append("record");
        if (_hasKey) _line.Append(",key");
        if (_hasTimestamp) _line.Append(",timestamp");
        _line.Append(",log_density");
        if (_hasComponents) _line.Append(",component,component_id,uncertainty");
        if (hasPaths) _line.Append(",viterbi_state,viterbi_state_id");
        if (_classes.Count > 0) _line.Append(",class");
        _line.Append(",anomaly_score,p_value");
        foreach (VectorBlock block in learned.Model.ScoreLayout.Blocks)
        {
            bool isMembership = block.Name == (learned.Model as ComponentModel)?.MembershipBlock;
            for (int at = 0; at < block.Length; at++)
            {
                if (block.Name == "class_probabilities")
                {
                    _line.Append(',').Append(Quoted($"class_probability_{_classes[at]}"));
                    continue;
                }
                _line.Append(',').Append(isMembership ? Singular(block.Name) : block.Name);
                if (isMembership) _line.Append('_').Append(learned.ComponentIds[at]);
                else if (block.Length > 1) _line.Append(CultureInfo.InvariantCulture, $"_{at}");
            }
        }

        string[] columns = _line.ToString().Split(',');
        foreach (string name in fields?.Names ?? [])
            _line.Append(',').Append(Quoted(columns.Contains(name) || name == "error" ? $"field_{name}" : name));
        _line.Append(",error");
        Finish();
    }

    /// <inheritdoc/>
    public override void Write(in ScoredRecord score)
    {
        _line.Append(CultureInfo.InvariantCulture, $"{score.Record}");
        if (_hasKey) _line.Append(',').Append(Quoted(score.Key ?? ""));
        if (_hasTimestamp)
            _line.Append(',').Append(TimeText(score.Timestamp));
        _line.Append(',').Append(Number(score.LogDensity));
        if (_hasComponents)
            _line.Append(CultureInfo.InvariantCulture, $",{score.Component},{_componentIds[score.Component]},{Number(score.Uncertainty)}");
        if (hasPaths) _line.Append(CultureInfo.InvariantCulture, $",{score.PathState},{_componentIds[score.PathState]}");
        if (score.Class >= 0) _line.Append(',').Append(Quoted(_classes[score.Class]));
        _line.Append(',').Append(Number(score.AnomalyScore)).Append(',').Append(Number(score.PValue));
        foreach (double value in score.Scores) _line.Append(',').Append(Number(value));
        for (int at = 0; at < fields?.Names.Count; at++) _line.Append(',').Append(Quoted(fields.TextAt(at, score)));
        _line.Append(',');
        Finish();
    }

    /// <summary>A time; empty where there is none.</summary>
    internal static string TimeText(long timestamp) => timestamp == Minibatch.NoTimestamp
        ? ""
        : SnapshotJson.Timestamp(DateTimeOffset.FromUnixTimeMilliseconds(timestamp));

    /// <inheritdoc/>
    public override void WriteError(long record, RejectedRecord rejected)
    {
        int empty = 3 + _values + (_hasComponents ? 3 : 0) + (hasPaths ? 2 : 0) + (_classes.Count > 0 ? 1 : 0) + (_hasKey ? 1 : 0)
            + (_hasTimestamp ? 1 : 0) + (fields?.Names.Count ?? 0);
        _line.Append(CultureInfo.InvariantCulture, $"{record}").Append(',', empty);
        _line.Append(",\"").Append(SnakeCase.Of(rejected.Reason)).Append(": ")
            .Append(rejected.Detail.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        Finish();
    }

    private static string Singular(string name) => name.EndsWith("ies", StringComparison.Ordinal) ? $"{name[..^3]}y" : name;

    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private void Finish()
    {
        _line.Append('\n');
        output.Write(Encoding.UTF8.GetBytes(_line.ToString()));
        _line.Clear();
    }

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "";
}
