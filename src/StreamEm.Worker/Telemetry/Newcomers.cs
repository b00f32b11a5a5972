namespace StreamEm.Worker.Telemetry;

/// <summary>
/// Finds what has come since the last look among things that may stay for long, so that each is told once while it lasts.
/// </summary>
/// <typeparam name="TKey">What makes two of them the same.</typeparam>
internal sealed class Newcomers<TKey>
{
    private HashSet<TKey> _known = [];

    /// <summary>Whether anything was there at the last look.</summary>
    public bool AnyKnown => _known.Count > 0;

    /// <summary>Those that were not there at the last look; from now on, <paramref name="present"/> is the last look.</summary>
    public IReadOnlyList<T> Among<T>(IReadOnlyList<T> present, Func<T, TKey> key)
    {
        T[] news = [.. present.Where(item => !_known.Contains(key(item)))];
        _known = [.. present.Select(key)];
        return news;
    }
}
