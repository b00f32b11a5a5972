using System.Globalization;
using StreamEm.Core.Intervals;

namespace StreamEm.Worker.Display;

/// <summary>Between which ends a value of a model is; NaN where nothing is known of it.</summary>
/// <param name="Low">The lower end.</param>
/// <param name="High">The upper end.</param>
internal readonly record struct ValueRange(double Low, double High)
{
    /// <summary>Nothing is known.</summary>
    public static readonly ValueRange Unknown = new(double.NaN, double.NaN);

    /// <summary>What the ends are, where they are those of a confidence sequence.</summary>
    public static readonly string Meaning =
        string.Create(CultureInfo.InvariantCulture, $"{ParameterIntervals.Level:P0} at every look");

    /// <summary>Whether there are ends.</summary>
    public bool IsKnown => double.IsFinite(Low) && double.IsFinite(High);

    /// <summary>The ends of a value of a snapshot, by its place in the parameters.</summary>
    public static ValueRange Of(ParameterIntervals? intervals, int at) =>
        intervals is null ? Unknown : new ValueRange(intervals.Lower[at], intervals.Upper[at]);
}
