using StreamEm.Core.Learning;

namespace StreamEm.Worker.Keys;

/// <summary>The models of the keys, as far as records are scored by them.</summary>
internal interface IKeyScores
{
    /// <summary>What the models say of the records taken last, in their order.</summary>
    ReadOnlySpan<KeyedScore> Scores { get; }

    /// <summary>Takes a person's word for a record of a key.</summary>
    /// <returns>Components that are other than they were; null where the key has no model yet.</returns>
    int? Judge(string? key, ReadOnlySpan<double> row, bool isNormal);
}
