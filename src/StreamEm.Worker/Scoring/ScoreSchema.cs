using StreamEm.Core.Features;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Scoring;

/// <summary>Which fields of a record are read to score it.</summary>
internal static class ScoreSchema
{
    /// <summary>The features, which may be missing, and what else the model was told of, where the records have it.</summary>
    public static RecordSchema Of(LearnedModel learned) => learned.Schema with
    {
        Label = null,
        Weight = null,
        Where = null,
        AllowMissing = true,
        MayLackRoles = learned.Options.MaxKeys == 0,
        Kinds = learned.Space.Kinds,
    };
}
