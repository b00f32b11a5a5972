using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Charts;

/// <summary>One picture of a figure.</summary>
/// <param name="title">Above it.</param>
internal abstract class Panel(string title)
{
    /// <summary>Pixels.</summary>
    public const double Width = 420, Height = 310;

    /// <summary>Pixels between the edge and what is drawn; above it stand title and legend.</summary>
    protected const double Left = 66, Right = 16, Top = 62, Bottom = 46, TextSize = 11;

    /// <summary>Draws it with its upper left corner there.</summary>
    public void Draw(SvgCanvas svg, double x, double y)
    {
        svg.Text(x + 14, y + 22, 13, SvgCanvas.Fit(title, Width - 20, 13));
        DrawInside(svg, x, y);
    }

    /// <summary>Draws what is below the title.</summary>
    protected abstract void DrawInside(SvgCanvas svg, double x, double y);

    /// <summary>Names beside their colours, in lines below the title.</summary>
    protected static void DrawLegend(SvgCanvas svg, double x, double y, IEnumerable<(string Name, string Colour)> entries)
    {
        double at = x + 14, line = y + 38;
        foreach ((string name, string colour) in entries)
        {
            if (name.Length == 0) continue;
            double width = 18 + SvgCanvas.WidthOf(name, TextSize);
            if (at + width > x + Width && at > x + 14) (at, line) = (x + 14, line + 14);
            svg.Box(at, line - 8, 9, 9, colour);
            svg.Text(at + 13, line, TextSize, name, "#444");
            at += width + 8;
        }
    }
}

/// <summary>Panels side by side, two to a row, as one SVG picture.</summary>
internal static class Figure
{
    private const int Columns = 2;

    /// <summary>The picture.</summary>
    public static string Of(params IReadOnlyList<Panel> panels)
    {
        int columns = Math.Min(Columns, panels.Count), rows = (panels.Count + columns - 1) / columns;
        var svg = new SvgCanvas();
        svg.Open(columns * Panel.Width, rows * Panel.Height);
        for (int at = 0; at < panels.Count; at++)
            panels[at].Draw(svg, at % columns * Panel.Width, at / columns * Panel.Height);
        return svg.Close();
    }
}
