using System.Globalization;

namespace StreamEm.Core.Settings;

/// <summary>A range of allowed numbers; each end may belong to it or not.</summary>
public readonly record struct Interval
{
    private Interval(double low, bool includesLow, double high, bool includesHigh) =>
        (Low, IncludesLow, High, IncludesHigh) = (low, includesLow, high, includesHigh);

    /// <summary>The lower end.</summary>
    public double Low { get; }

    /// <summary>Whether <see cref="Low"/> itself is allowed.</summary>
    public bool IncludesLow { get; }

    /// <summary>The upper end.</summary>
    public double High { get; }

    /// <summary>Whether <see cref="High"/> itself is allowed.</summary>
    public bool IncludesHigh { get; }

    /// <summary>[low, infinity).</summary>
    public static Interval AtLeast(double low) => new(low, true, double.PositiveInfinity, false);

    /// <summary>(low, infinity).</summary>
    public static Interval Above(double low) => new(low, false, double.PositiveInfinity, false);

    /// <summary>[low, high].</summary>
    public static Interval Closed(double low, double high) => new(low, true, high, true);

    /// <summary>(low, high].</summary>
    public static Interval OpenClosed(double low, double high) => new(low, false, high, true);

    /// <summary>[low, high).</summary>
    public static Interval ClosedOpen(double low, double high) => new(low, true, high, false);

    /// <summary>Whether the number is allowed; NaN never is.</summary>
    public bool Contains(double value) =>
        (IncludesLow ? value >= Low : value > Low) && (IncludesHigh ? value <= High : value < High);

    /// <summary>For a person: <c>at least 1</c>, <c>above 0</c>, <c>in (0.5, 1]</c>.</summary>
    public override string ToString() => double.IsPositiveInfinity(High)
        ? string.Create(CultureInfo.InvariantCulture, $"{(IncludesLow ? "at least" : "above")} {Low}")
        : string.Create(CultureInfo.InvariantCulture, $"in {(IncludesLow ? '[' : '(')}{Low}, {High}{(IncludesHigh ? ']' : ')')}");
}
