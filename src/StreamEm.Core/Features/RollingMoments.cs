namespace StreamEm.Core.Features;

/// <summary>
/// Mean and sum of squared deviations of the last w values, in a stretch of numbers that is saved as it is: place, count, mean, sum,
/// values. One value in and one out takes the moments along (Welford 1962, with the value that leaves taken out); each time the ring has
/// gone round they are computed anew from its values, so that rounding does not add up.
/// </summary>
internal readonly ref struct RollingMoments(Span<double> memory)
{
    private const int Head = 4;

    private readonly Span<double> _memory = memory;

    /// <summary>Numbers that a window takes.</summary>
    public static int LengthOf(int window) => Head + window;

    /// <summary>The window that takes so many numbers.</summary>
    public static int RingOf(int length) => length - Head;

    /// <summary>Values in the window.</summary>
    public double Count => _memory[1];

    /// <summary>Their mean; NaN of none.</summary>
    public double Mean => Count > 0 ? _memory[2] : double.NaN;

    /// <summary>Their standard deviation, of n values divided by n - 1; NaN of fewer than two.</summary>
    public double Deviation => Count > 1 ? Math.Sqrt(Math.Max(0, _memory[3]) / (Count - 1)) : double.NaN;

    /// <summary>Takes a value.</summary>
    public void Take(double value)
    {
        Span<double> values = _memory[Head..];
        ref double place = ref _memory[0], count = ref _memory[1], mean = ref _memory[2], squares = ref _memory[3];
        int at = (int)place;
        double before = mean;
        if (count < values.Length)
        {
            count++;
            mean += (value - before) / count;
            squares += (value - before) * (value - mean);
        }
        else
        {
            double gone = values[at];
            mean += (value - gone) / count;
            squares += (value - gone) * (value - mean + gone - before);
        }
        values[at] = value;
        place = at + 1 == values.Length ? 0 : at + 1;
        if (place == 0) Renew(values, ref mean, ref squares);
    }

    private static void Renew(ReadOnlySpan<double> values, ref double mean, ref double squares)
    {
        double sum = 0, first = values[0];
        foreach (double value in values) sum += value - first;
        mean = first + sum / values.Length;
        squares = 0;
        foreach (double value in values) squares += (value - mean) * (value - mean);
    }
}
