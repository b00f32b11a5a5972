using System.Buffers;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Scores as JSON: one object a line, or one object <c>{model, run_id, version, records: [...]}</c>. With <c>withVersion</c> every result
/// says which version it is from.
/// </summary>
internal sealed class JsonScoreFormat(IBufferWriter<byte> output, bool asLines, bool withVersion, ScoreFields? fields = null)
    : ScoreFormat
{
    private readonly ScoreJson _json = new() { WithVersion = withVersion, Fields = fields };
    private bool _hasRecords;

    /// <inheritdoc/>
    public override void Begin(LearnedModel learned)
    {
        _json.Begin(learned);
        if (asLines) return;
        var snapshot = learned as ModelSnapshot;
        var json = new JsonText(output.GetSpan(100 + JsonText.BoundOf(snapshot?.ModelId) + JsonText.BoundOf(snapshot?.RunId)));
        json.Raw("{"u8);
        if (snapshot is not null)
        {
            json.Raw("\"model\":"u8);
            json.Text(snapshot.ModelId);
            json.Raw(",\"run_id\":"u8);
            json.Text(snapshot.RunId);
            json.Raw(","u8);
        }

        json.Raw("\"version\":"u8);
        json.Integer(learned.Version);
        json.Raw(",\"records\":["u8);
        output.Advance(json.Length);
    }

    /// <inheritdoc/>
    public override void Write(in ScoredRecord score)
    {
        Separate();
        _json.Write(output, score);
        if (asLines) output.Write("\n"u8);
    }

    /// <inheritdoc/>
    public override void WriteError(long record, RejectedRecord rejected)
    {
        Separate();
        _json.WriteError(output, record, rejected);
        if (asLines) output.Write("\n"u8);
    }

    /// <inheritdoc/>
    public override void End()
    {
        if (!asLines) output.Write("]}"u8);
    }

    private void Separate()
    {
        if (_hasRecords && !asLines) output.Write(","u8);
        _hasRecords = true;
    }
}
