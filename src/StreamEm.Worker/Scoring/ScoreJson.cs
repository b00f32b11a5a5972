using System.Buffers;
using System.Text;
using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Sources;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// The scores of a record as a JSON object: the one writer of all that say scores. With <see cref="WithVersion"/> it says which version it
/// is from, with <see cref="ModelId"/> of which model, with <see cref="Fields"/> what the record held.
/// </summary>
internal sealed class ScoreJson
{
    private const int OtherBytes = 460;

    private LearnedModel? _learned;
    private (byte[] Name, VectorBlock Block)[] _blocks = [];
    private byte[][] _components = [], _classes = [], _pathStates = [];
    private ScoreExplanations? _explanations;
    private int _bound;

    /// <summary>Whether every result says which version it is from.</summary>
    public bool WithVersion { get; init; }

    /// <summary>The model that every result names first; null names none.</summary>
    public string? ModelId { get; init; }

    /// <summary>The fields of the record that are told; null tells none.</summary>
    public ScoreFields? Fields { get; init; }

    /// <summary>Whether each feature's contribution is told.</summary>
    public bool Explains { get; init; }

    /// <summary>Takes another version, of the same model or another.</summary>
    public void Begin(LearnedModel learned)
    {
        bool isSame = _learned is not null && _learned.Model == learned.Model && _learned.ComponentIds.SequenceEqual(learned.ComponentIds);
        _learned = learned;
        if (Explains) _explanations = new ScoreExplanations(learned);
        if (isSame) return;
        IReadOnlyList<VectorBlock> blocks = learned.Model.ScoreLayout.Blocks;
        _blocks = [.. blocks.Select(block => (Encoding.UTF8.GetBytes($",\"{block.Name}\":"), block))];
        _components = [.. learned.ComponentIds.Select(
            (id, at) => Encoding.UTF8.GetBytes($",\"component\":{at},\"component_id\":\"{id}\""))];
        _pathStates = [.. learned.ComponentIds.Select(
            (id, at) => Encoding.UTF8.GetBytes($",\"viterbi_state\":{at},\"viterbi_state_id\":\"{id}\""))];
        _classes = [.. learned.Model.Classes.Select(
            name => Encoding.UTF8.GetBytes($",\"class\":{System.Text.Json.JsonSerializer.Serialize(name)}"))];
        // A bracket a number is more than any nesting takes.
        _bound = OtherBytes + JsonText.BoundOf(ModelId)
            + _blocks.Sum(block => block.Name.Length + (JsonText.NumberBytes + 2 * (1 + block.Block.Shape.Count)) * block.Block.Length)
            + _components.Select(text => text.Length).DefaultIfEmpty().Max() + _classes.Select(text => text.Length).DefaultIfEmpty().Max()
            + _pathStates.Select(text => text.Length).DefaultIfEmpty().Max();
    }

    /// <summary>Writes the object of a record.</summary>
    public void Write(IBufferWriter<byte> output, in ScoredRecord score)
    {
        LearnedModel learned = _learned ?? throw new InvalidOperationException("Scores were not begun.");
        int bound = _bound + JsonText.BoundOf(score.Key) + JsonText.BoundOf(score.Partition) + (Fields?.BoundOf(score) ?? 0)
            + (_explanations?.Bound ?? 0);
        var json = new JsonText(output.GetSpan(bound));
        WriteOrigin(ref json, score);
        json.Raw(",\"log_density\":"u8);
        json.Number(score.LogDensity);
        foreach ((byte[] name, VectorBlock block) in _blocks)
        {
            json.Raw(name);
            WriteValues(ref json, block.Of(score.Scores), block.Shape, 0);
        }

        WriteVerdict(ref json, score);
        if (WithVersion)
        {
            json.Raw(",\"version\":"u8);
            json.Integer(learned.Version);
        }

        Fields?.Write(ref json, score);
        _explanations?.Write(ref json, score);
        json.Raw("}"u8);
        output.Advance(json.Length);
    }

    /// <summary>
    /// Writes the object of a record of which only that is told which no parameters are needed for: where it is from, how improbable it was
    /// when it came if that is known, and its fields.
    /// </summary>
    public void WriteUnscored(IBufferWriter<byte> output, in ScoredRecord score, bool wasScored)
    {
        var json = new JsonText(output.GetSpan(OtherBytes + JsonText.BoundOf(ModelId) + JsonText.BoundOf(score.Key)
            + JsonText.BoundOf(score.Partition) + (Fields?.BoundOf(score) ?? 0)));
        WriteOrigin(ref json, score);
        if (wasScored)
        {
            json.Raw(",\"log_density\":"u8);
            json.Number(score.LogDensity);
            WriteImprobability(ref json, score);
        }

        Fields?.Write(ref json, score);
        json.Raw("}"u8);
        output.Advance(json.Length);
    }

    private void WriteOrigin(ref JsonText json, in ScoredRecord score)
    {
        Start(ref json, score.Record);
        if (score.Key is { } key)
        {
            json.Raw(",\"key\":"u8);
            json.Text(key);
        }

        if (score.Timestamp != Minibatch.NoTimestamp)
        {
            json.Raw(",\"timestamp\":"u8);
            json.Time(score.Timestamp);
        }

        if (score.Partition is { } partition)
        {
            json.Raw(",\"partition\":"u8);
            json.Text(partition);
            json.Raw(",\"offset\":"u8);
            json.Integer(score.Offset);
        }
    }

    /// <summary>Writes the component with its uncertainty, how improbable the record is, and what it does to the alarms.</summary>
    private void WriteVerdict(ref JsonText json, in ScoredRecord score)
    {
        if (score.Component >= 0)
        {
            json.Raw(_components[score.Component]);
            json.Raw(",\"uncertainty\":"u8);
            json.Number(score.Uncertainty);
        }

        if (score.PathState >= 0) json.Raw(_pathStates[score.PathState]);
        if (score.Class >= 0) json.Raw(_classes[score.Class]);
        WriteImprobability(ref json, score);
    }

    private static void WriteImprobability(ref JsonText json, in ScoredRecord score)
    {
        json.Raw(",\"anomaly_score\":"u8);
        json.Number(score.AnomalyScore);
        json.Raw(",\"p_value\":"u8);
        json.Number(score.PValue);
        if (score.NoveltyPValue is { } novelty)
        {
            json.Raw(",\"novelty_p_value\":"u8);
            json.Number(novelty);
        }

        if (score.IsOfKey is { } isOfKey) json.Raw(isOfKey ? ",\"scored_by\":\"key\""u8 : ",\"scored_by\":\"all\""u8);
        json.Raw(AlarmText(score.Alarm));
    }

    /// <summary>Writes the object of a record that could not be used.</summary>
    public void WriteError(IBufferWriter<byte> output, long record, RejectedRecord rejected)
    {
        string reason = SnakeCase.Of(rejected.Reason);
        var json = new JsonText(output.GetSpan(
            OtherBytes + JsonText.BoundOf(ModelId) + JsonText.BoundOf(reason) + JsonText.BoundOf(rejected.Detail)));
        Start(ref json, record);
        json.Raw(",\"error\":{\"reason\":"u8);
        json.Text(reason);
        json.Raw(",\"detail\":"u8);
        json.Text(rejected.Detail);
        json.Raw("}}"u8);
        output.Advance(json.Length);
    }

    private static ReadOnlySpan<byte> AlarmText(AlarmMark mark) => mark switch
    {
        AlarmMark.Quiet => ",\"alarm\":false"u8,
        AlarmMark.Lasting => ",\"alarm\":true"u8,
        AlarmMark.Raised => ",\"alarm\":true,\"alarm_event\":\"raised\""u8,
        AlarmMark.Cleared => ",\"alarm\":false,\"alarm_event\":\"cleared\""u8,
        _ => default,
    };

    private void Start(ref JsonText json, long record)
    {
        if (ModelId is { } id)
        {
            json.Raw("{\"model\":"u8);
            json.Text(id);
            json.Raw(",\"record\":"u8);
        }
        else
        {
            json.Raw("{\"record\":"u8);
        }

        json.Integer(record);
    }

    /// <summary>Nested arrays of a block's shape; a number where it has none.</summary>
    private static void WriteValues(ref JsonText json, ReadOnlySpan<double> values, IReadOnlyList<int> shape, int axis)
    {
        if (axis == shape.Count)
        {
            json.Number(values[0]);
            return;
        }

        int length = values.Length / shape[axis];
        json.Raw("["u8);
        for (int at = 0; at < shape[axis]; at++)
        {
            if (at > 0) json.Raw(","u8);
            if (length == 1 && axis == shape.Count - 1) json.Number(values[at]);
            else WriteValues(ref json, values.Slice(at * length, length), shape, axis + 1);
        }

        json.Raw("]"u8);
    }
}
