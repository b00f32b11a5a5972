using StreamEm.Core.Data;
using StreamEm.Sources;

namespace StreamEm.Worker.Scoring;

/// <summary>Records of a batch that are about to be learned from.</summary>
/// <param name="Batch">Their batch, which says where they are from.</param>
/// <param name="First">The first of them in it.</param>
/// <param name="Count">How many.</param>
/// <param name="Made">The rows that are learned from; those of the batch where nothing is made of these.</param>
internal readonly record struct TakenRecords(RecordBatch Batch, int First, int Count, Minibatch Made)
{
    /// <summary>The first of the rows in <see cref="Made"/>.</summary>
    public int FirstMade => ReferenceEquals(Made, Batch.Records) ? First : 0;

    /// <summary>The rows and no others, copied into <paramref name="part"/> where others are beside them.</summary>
    public Minibatch RowsIn(Minibatch part)
    {
        if (Count == Made.Count) return Made;
        part.Clear();
        part.Texts = Made.Texts;
        part.Append(Made, FirstMade, Count);
        return part;
    }
}
