namespace StreamEm.Worker.Plotting;

/// <summary>What pictures of records over two axes share.</summary>
internal static class PlotFrame
{
    /// <summary>Ticks with their texts, lines across the picture, and a frame.</summary>
    /// <param name="svg">The picture.</param>
    /// <param name="horizontal">The axis to the right.</param>
    /// <param name="vertical">The axis upwards.</param>
    /// <param name="inside">Edges of what is framed.</param>
    /// <param name="size">Of texts.</param>
    public static void Draw(
        SvgCanvas svg, Scale horizontal, Scale vertical, (double Left, double Right, double Top, double Bottom) inside, double size)
    {
        double free = double.NegativeInfinity;
        foreach ((double value, string text) in horizontal.Ticks())
        {
            double at = horizontal.At(value), half = SvgCanvas.WidthOf(text, size) / 2;
            svg.Line(at, inside.Top, at, inside.Bottom, "#eeeeee");
            if (at - half < free) continue;
            svg.Text(at, inside.Bottom + size + 6, size, text, "#555", "middle");
            free = at + half + 6;
        }

        foreach ((double value, string text) in vertical.Ticks())
        {
            svg.Line(inside.Left, vertical.At(value), inside.Right, vertical.At(value), "#eeeeee");
            svg.Text(inside.Left - 6, vertical.At(value) + 4, size, text, "#555", "end");
        }

        svg.Add($"<rect x=\"{inside.Left:F1}\" y=\"{inside.Top:F1}\" width=\"{inside.Right - inside.Left:F1}\" ",
            $"height=\"{inside.Bottom - inside.Top:F1}\" fill=\"none\" stroke=\"#bbbbbb\"/>");
    }

    /// <summary>A curve, in pieces where a part of it has no place on an axis.</summary>
    public static void Curve(
        SvgCanvas svg, IEnumerable<(double X, double Y)> points, Scale horizontal, Scale vertical, string stroke, double width)
    {
        var piece = new List<string>();
        foreach ((double x, double y) in points)
        {
            if (horizontal.Has(x) && vertical.Has(y))
            {
                piece.Add(FormattableString.Invariant($"{horizontal.At(x):F1},{vertical.At(y):F1}"));
                continue;
            }

            End();
        }

        End();

        void End()
        {
            if (piece.Count > 1)
                svg.Add($"<polyline points=\"{string.Join(' ', piece)}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>");
            piece.Clear();
        }
    }
}
