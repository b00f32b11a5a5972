using System.Globalization;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Charts;

/// <summary>A table of numbers, the larger the darker.</summary>
/// <param name="title">Above it.</param>
/// <param name="rows">Names of the rows.</param>
/// <param name="columns">Names of the columns.</param>
/// <param name="values">[rows, columns]; NaN is left empty.</param>
/// <param name="format">How a number is written into its cell; empty for pictures, whose cells are grey by their value in [0, 1].</param>
internal sealed class HeatMap(
    string title, IReadOnlyList<string> rows, IReadOnlyList<string> columns, double[,] values, string format = "F3") : Panel(title)
{
    /// <summary>What rows and columns are, below.</summary>
    public string Caption { get; init; } = "";

    /// <summary>Whether the cells of a picture are as wide as high.</summary>
    public bool IsSquare { get; init; } = true;

    /// <inheritdoc/>
    protected override void DrawInside(SvgCanvas svg, double x, double y)
    {
        bool isPicture = format.Length == 0;
        int height = values.GetLength(0), width = values.GetLength(1);
        double left = x + (rows.Count == 0 ? 14 : Left), top = y + 44;
        double stepX = (Width - Right - (left - x)) / width, stepY = (Height - Bottom - 44 + (isPicture ? 20 : 0)) / height;
        if (isPicture && IsSquare) stepX = stepY = Math.Min(stepX, stepY);
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (double value in values)
            if (double.IsFinite(value)) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        for (int row = 0; row < height; row++)
        {
            for (int column = 0, end; column < width; column = end)
            {
                double value = values[row, column];
                end = column + 1;
                // Equal neighbours of a picture are one box.
                while (isPicture && end < width && values[row, end] == value) end++;
                if (double.IsNaN(value)) continue;
                double part = isPicture ? 1 - value : high > low ? (value - low) / (high - low) : 0;
                svg.Box(left + column * stepX, top + row * stepY, (end - column) * stepX + (isPicture ? 0.2 : -1),
                    stepY + (isPicture ? 0.2 : -1), isPicture ? Grey(value) : Palette.Shade(part));
                if (!isPicture)
                    svg.Text(left + (column + 0.5) * stepX, top + (row + 0.5) * stepY + 4, 10,
                        value.ToString(format, CultureInfo.InvariantCulture), part > 0.6 ? "#fff" : "#222", "middle");
            }
            if (row < rows.Count) svg.Text(left - 6, top + (row + 0.5) * stepY + 4, TextSize, rows[row], "#444", "end");
        }
        for (int column = 0; column < columns.Count; column++)
            svg.Text(left + (column + 0.5) * stepX, top + height * stepY + 15, TextSize, columns[column], "#444", "middle");
        svg.Text(x + Width - Right, y + Height - 12, TextSize, Caption, "#444", "end");
    }

    private static string Grey(double value)
    {
        int level = (int)Math.Round(255 * Math.Clamp(value, 0, 1));
        return $"#{level:x2}{level:x2}{level:x2}";
    }
}
