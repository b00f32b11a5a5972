using System.Globalization;

namespace StreamEm.Worker.Plotting;

/// <summary>A linear axis with round ticks: data values to pixels.</summary>
/// <param name="Low">Value at <paramref name="From"/>.</param>
/// <param name="High">Value at <paramref name="To"/>.</param>
/// <param name="From">First pixel.</param>
/// <param name="To">Last pixel; smaller than <paramref name="From"/> for an axis that points up.</param>
internal sealed record Axis(double Low, double High, double From, double To)
{
    /// <summary>An axis that shows values with a margin of 4 %.</summary>
    public static Axis Over(IEnumerable<double> values, double from, double to)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (double value in values)
        {
            if (!double.IsFinite(value)) continue;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }

        if (!(low <= high)) (low, high) = (0, 1);
        double margin = low < high ? 0.04 * (high - low) : Math.Max(1, Math.Abs(low));
        return new Axis(low - margin, high + margin, from, to);
    }

    /// <summary>The pixel of a value.</summary>
    public double At(double value) => From + (value - Low) / (High - Low) * (To - From);

    /// <summary>Whether a value lies on the axis.</summary>
    public bool Shows(double value) => value >= Low && value <= High;

    /// <summary>About six round values: 1, 2 or 5 times a power of ten apart.</summary>
    public IEnumerable<(double Value, string Text)> Ticks()
    {
        double raw = (High - Low) / 6, power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * (raw / power < 1.5 ? 1 : raw / power < 3.5 ? 2 : raw / power < 7.5 ? 5 : 10);
        for (double tick = Math.Ceiling(Low / step); tick * step <= High; tick++)
        {
            // A tick of -0 is 0.
            double value = tick * step + 0.0;
            yield return (value, (Math.Round(value, 12) + 0.0).ToString("G6", CultureInfo.InvariantCulture));
        }
    }
}
