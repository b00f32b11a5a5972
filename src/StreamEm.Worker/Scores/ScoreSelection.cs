using StreamEm.Core.Features;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Scores;

/// <summary><c>include</c>: which fields of a record are told beside its scores.</summary>
/// <param name="IsAll">Every field that the model reads.</param>
/// <param name="Names">These, where it is not all.</param>
public sealed record FieldSelection(bool IsAll, IReadOnlyList<string> Names)
{
    /// <summary>None.</summary>
    public static readonly FieldSelection None = new(false, []);

    /// <summary>All.</summary>
    public static readonly FieldSelection All = new(true, []);

    /// <summary>The fields of records of a schema; null for none.</summary>
    internal ScoreFields? Of(RecordSchema schema)
    {
        if (!IsAll && Names.Count == 0) return null;
        return new ScoreFields(schema, IsAll ? ScoreFields.AllOf(schema) : Names);
    }
}

/// <summary>Which scored records go to a sink, and with what.</summary>
public sealed record ScoreSelection
{
    /// <summary><c>include</c>.</summary>
    public FieldSelection Include { get; init; } = FieldSelection.None;

    /// <summary><c>explain</c>: whether it is told what each feature has to do with it.</summary>
    public bool Explain { get; init; }

    /// <summary><c>above</c>: only records whose anomaly score is above it; null for any.</summary>
    public double? Above { get; init; }

    /// <summary><c>sample</c>: only this share of the records, the same in every replay; null for all.</summary>
    public double? Sample { get; init; }

    /// <summary><c>alarms_only</c>: only records that raise an alarm.</summary>
    public bool AlarmsOnly { get; init; }
}
