using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// The model whose snapshots are published, as far as a publisher has to know it before the first one: what they are called by and how
/// large they can become.
/// </summary>
/// <param name="Id">Its id.</param>
/// <param name="Model">Its options in the model catalogue.</param>
/// <param name="Schema">Its features.</param>
public sealed record PublishedModel(string Id, LatentModelOptions Model, RecordSchema Schema)
{
    /// <summary>Whether the average of the parameters stands beside them.</summary>
    public bool IsAveraged { get; init; }

    /// <summary>Whether intervals of the parameters stand beside them.</summary>
    public bool HasIntervals { get; init; }

    /// <summary>Models the stream is compared with.</summary>
    public int Candidates { get; init; }
}
