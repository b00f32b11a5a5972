namespace StreamEm.Core.Initialization;

/// <summary>How the first parameters are found in the buffered start of the stream.</summary>
public enum InitializationMethod
{
    /// <summary>
    /// Centres drawn with probability proportional to the squared distance from those chosen (Arthur &amp; Vassilvitskii 2007).
    /// </summary>
    KMeansPlusPlus,

    /// <summary>Each centre the row farthest from those chosen (Gonzalez 1985).</summary>
    FarthestPoint,

    /// <summary>Centres drawn from the rows.</summary>
    RandomFromData,
}

/// <summary>How learning starts.</summary>
public sealed record InitializationOptions
{
    /// <summary>How centres are chosen.</summary>
    public InitializationMethod Method { get; init; } = InitializationMethod.KMeansPlusPlus;

    /// <summary>
    /// Records kept from the start of the stream to find the first parameters in; they are then learned from like all others.
    /// </summary>
    public int Buffer { get; init; } = 1536;

    /// <summary>Restarts, ranked by log-likelihood on a held-out part of the buffer.</summary>
    public int NInit { get; init; } = 3;

    /// <summary>Seed of all chance.</summary>
    public ulong Seed { get; init; } = 1;
}
