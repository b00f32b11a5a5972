namespace StreamEm.Core.Growing;

/// <summary>What happens to components of a mixture that grows.</summary>
public enum GrowthEventKind
{
    /// <summary>A record was far from all there were: a component begins there.</summary>
    Born,

    /// <summary>Two were the closest when there was no room: the other goes on in this one.</summary>
    Merged,

    /// <summary>A stray far from what was closest to it was forgotten rather than merged.</summary>
    Forgotten,

    /// <summary>What was in quarantine turned out to be no more frequent than strays ever were.</summary>
    Released,

    /// <summary>What was strange has become most of the stream: it is normal from now on.</summary>
    NewNormal,
}

/// <summary>One of them.</summary>
/// <param name="Kind">What.</param>
/// <param name="Record">The record it happened with, counted from 0 among those taken.</param>
/// <param name="Component">The number in the component's id; -1 for all.</param>
/// <param name="Other">Of two that were merged, the one that is no more; -1 without.</param>
public readonly record struct GrowthEvent(GrowthEventKind Kind, long Record, int Component, int Other);

/// <summary>What a growing mixture says of a record before it learns from it.</summary>
/// <param name="LogDensity">log p of the values the row has, inside; NaN where there is nothing to say.</param>
/// <param name="Abnormality">y: against what is confirmed as normal.</param>
/// <param name="Novelty">y against everything seen.</param>
/// <param name="PValue">The share of records at least as abnormal; NaN until that is known.</param>
/// <param name="NoveltyPValue">The share of records at least as new; NaN until that is known.</param>
/// <param name="IsStrange">Whether it goes to quarantine.</param>
/// <param name="IsLearned">Whether anything was learned from it.</param>
internal readonly record struct GrowingScore(
    double LogDensity, double Abnormality, double Novelty, double PValue, double NoveltyPValue, bool IsStrange, bool IsLearned)
{
    /// <summary>H(q) of the components given the record, nats; NaN where log-densities are not told.</summary>
    public double Entropy { get; init; } = double.NaN;
}
