namespace StreamEm.Worker.Plotting;

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

/// <summary>Panels side by side as one SVG picture.</summary>
internal static class Figure
{
    private const double TitleHeight = 34;

    /// <summary>The picture, two panels to a row.</summary>
    public static string Of(params IReadOnlyList<Panel> panels) => Of("", columns: 2, panels);

    /// <summary>The picture with a title above it.</summary>
    /// <param name="title">The title; empty without.</param>
    /// <param name="columns">Panels to a row.</param>
    /// <param name="panels">The panels.</param>
    public static string Of(string title, int columns, IReadOnlyList<Panel> panels)
    {
        int wide = Math.Min(columns, panels.Count), rows = (panels.Count + wide - 1) / wide;
        double head = title.Length > 0 ? TitleHeight : 0;
        var svg = new SvgCanvas();
        svg.Open(wide * Panel.Width, head + rows * Panel.Height);
        if (head > 0) svg.Text(14, 24, 16, SvgCanvas.Fit(title, wide * Panel.Width - 28, 16));
        for (int at = 0; at < panels.Count; at++)
            panels[at].Draw(svg, at % wide * Panel.Width, head + at / wide * Panel.Height);
        return svg.Close();
    }
}
