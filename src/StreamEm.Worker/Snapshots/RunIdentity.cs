using StreamEm.Core.Snapshots;
using StreamEm.Sources;

namespace StreamEm.Worker.Snapshots;

/// <summary>
/// Whose a state and its snapshots are. Core knows what was learned and not by whom: everything else a snapshot says of itself is put on it
/// here, and only here.
/// </summary>
/// <param name="ModelId">The model's id in the configuration.</param>
/// <param name="RunId">Identity of the run: the same from the first start until its state is deleted.</param>
/// <param name="ConfigHash">Hash of everything that shapes what is learned.</param>
public sealed record RunIdentity(string ModelId, string RunId, string ConfigHash)
{
    /// <summary>The identity of a run that begins now; ids of later runs sort after those of earlier ones.</summary>
    public static RunIdentity New(string modelId, string configHash, TimeProvider time) =>
        new(modelId, Guid.CreateVersion7(time.GetUtcNow()).ToString("D"), configHash);

    /// <summary>What was learned as a snapshot of this run.</summary>
    /// <param name="learned">The parameters and how they came to be; its version is the number of updates.</param>
    /// <param name="createdAt">When it was made.</param>
    /// <param name="position">The next record of every partition; null where nobody goes on from it.</param>
    public ModelSnapshot Stamp(LearnedModel learned, DateTimeOffset createdAt, SourcePosition? position = null)
    {
        var origin = new SnapshotOrigin(ModelId, RunId, ConfigHash, createdAt);
        return new ModelSnapshot(learned, position is null
            ? origin
            : origin with
            {
                Source = position.Partitions.Where(pair => pair.Value.File?.Gone is null)
                .ToDictionary(pair => pair.Key, pair => pair.Value.Next, StringComparer.Ordinal)
            });
    }
}
