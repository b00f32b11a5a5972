namespace StreamEm.Worker.Display;

/// <summary>A line of numbers as a line of blocks, the lowest to the highest, for a terminal.</summary>
internal static class Sparkline
{
    private const string Blocks = "▁▂▃▄▅▆▇█", Ascii = "_.-~=+*#";

    /// <summary>A character for each of the last numbers; a blank where there is none.</summary>
    /// <param name="values">The numbers, oldest first; those not finite are blanks.</param>
    /// <param name="width">The most characters.</param>
    /// <param name="isUnicode">Whether the terminal can show blocks.</param>
    public static string Of(IReadOnlyList<double> values, int width, bool isUnicode = true)
    {
        double[] last = [.. values.Skip(Math.Max(0, values.Count - width))];
        double[] finite = [.. last.Where(double.IsFinite)];
        if (finite.Length == 0) return "";
        (double low, double high) = (finite.Min(), finite.Max());
        string blocks = isUnicode ? Blocks : Ascii;
        return string.Concat(last.Select(value => !double.IsFinite(value) ? ' '
            : high == low ? blocks[blocks.Length / 2]
            : blocks[(int)Math.Min(blocks.Length - 1, (value - low) / (high - low) * blocks.Length)]));
    }
}
