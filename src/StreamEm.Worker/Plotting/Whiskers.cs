using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>How sure the values of a block are.</summary>
/// <param name="Note">What the ends are.</param>
/// <param name="Ranges">One of each value; empty where nothing is known of any.</param>
internal sealed record Whiskers(string Note, IReadOnlyList<ValueRange> Ranges)
{
    /// <summary>Nothing is known.</summary>
    public static readonly Whiskers None = new("", []);

    /// <summary>Whether anything is known.</summary>
    public bool AreKnown => Ranges.Any(range => range.IsKnown);

    /// <summary>The range of a value; the value itself where nothing is known.</summary>
    public ValueRange Round(int at, double value) => at < Ranges.Count && Ranges[at].IsKnown
        ? new ValueRange(Math.Min(value, Ranges[at].Low), Math.Max(value, Ranges[at].High))
        : new ValueRange(value, value);
}
