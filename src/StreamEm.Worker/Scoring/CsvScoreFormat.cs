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
/// Scores as CSV: <c>record, log_density, component, component_id, anomaly_score, p_value, responsibility_&lt;id&gt; ..., error</c>. A key
/// and a time, where the model was told of them, come after the record's number, the class after the component; the columns of the model's
/// other blocks have their name and a number, or a class.
/// </summary>
internal sealed class CsvScoreFormat(IBufferWriter<byte> output) : ScoreFormat
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
        if (_hasComponents) _line.Append(",component,component_id");
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

        _line.Append(",error");
        Finish();
    }

    /// <inheritdoc/>
    public override void Write(in ScoredRecord score)
    {
        _line.Append(CultureInfo.InvariantCulture, $"{score.Record}");
        if (_hasKey) _line.Append(',').Append(Quoted(score.Key ?? ""));
        if (_hasTimestamp)
            _line.Append(',')
                .Append(score.Timestamp == Minibatch.NoTimestamp
                    ? ""
                    : SnapshotJson.Timestamp(DateTimeOffset.FromUnixTimeMilliseconds(score.Timestamp)));
        _line.Append(',').Append(Number(score.LogDensity));
        if (_hasComponents) _line.Append(CultureInfo.InvariantCulture, $",{score.Component},{_componentIds[score.Component]}");
        if (score.Class >= 0) _line.Append(',').Append(Quoted(_classes[score.Class]));
        _line.Append(',').Append(Number(score.AnomalyScore)).Append(',').Append(Number(score.PValue));
        foreach (double value in score.Scores) _line.Append(',').Append(Number(value));
        _line.Append(',');
        Finish();
    }

    /// <inheritdoc/>
    public override void WriteError(long record, RejectedRecord rejected)
    {
        int empty = 3 + _values + (_hasComponents ? 2 : 0) + (_classes.Count > 0 ? 1 : 0) + (_hasKey ? 1 : 0) + (_hasTimestamp ? 1 : 0);
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
