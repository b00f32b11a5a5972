namespace StreamEm.Sources.Http;

/// <summary>What became of the records of a request.</summary>
public enum PushStatus
{
    /// <summary>All were taken (202); those rejected are counted apart.</summary>
    Taken,

    /// <summary>None can be used (422): sending them again does not help.</summary>
    Unusable,

    /// <summary>None was taken, there is no room at present (429): send the same again later.</summary>
    Full,

    /// <summary>
    /// None was taken (429): too many records cannot be used at present, and some of these cannot. The good ones alone are taken at once.
    /// </summary>
    Throttled,

    /// <summary>None was taken, they are more than ever fit (413): send fewer at once.</summary>
    TooMany,

    /// <summary>None was taken, the body is not of the expected form (400).</summary>
    Malformed,

    /// <summary>None was taken, the source has ended (503).</summary>
    Closed,
}

/// <summary>The answer to a request.</summary>
/// <param name="Status">What became of it as a whole.</param>
/// <param name="Accepted">Records that will be learned from.</param>
/// <param name="Rejected">Records that cannot be used.</param>
/// <param name="Detail">What was found and expected; null when all is well.</param>
public readonly record struct PushResult(PushStatus Status, int Accepted, int Rejected, string? Detail = null)
{
    /// <summary>Why records cannot be used; null when all can.</summary>
    public RequestRejections? Rejections { get; init; }

    /// <summary>Records that the model is not about, passed over; null where it is about all.</summary>
    public int? FilteredOut { get; init; }

    /// <summary>Whether the rejected records are kept in the file or topic for them.</summary>
    public bool AreKept { get; init; }
}
