using System.Text;
using System.Xml.Linq;
using SkiaSharp;

namespace StreamEm.Worker.Pixels;

/// <summary>
/// Paints the SVG that <c>SvgCanvas</c> and its users write, and no other: an element or attribute that is not among theirs is refused
/// instead of left out.
/// </summary>
internal sealed class SvgPainter(SKCanvas canvas, XElement root)
{
    private readonly Dictionary<string, XElement> _named = root.Descendants()
        .Where(element => element.Attribute("id") is not null)
        .DistinctBy(element => element.Attribute("id")!.Value)
        .ToDictionary(element => element.Attribute("id")!.Value, StringComparer.Ordinal);

    private readonly SortedSet<string> _missing = new(StringComparer.Ordinal);

    /// <summary>Characters that the font has no letter for.</summary>
    public IReadOnlyCollection<string> Missing => _missing;

    /// <summary>Paints all of it.</summary>
    /// <exception cref="NotSupportedException">It has what is not known.</exception>
    public void Paint() => PaintChildren(root);

    private void PaintChildren(XElement parent)
    {
        foreach (XElement element in parent.Elements()) Paint(element);
    }

    private void Paint(XElement element)
    {
        SvgStyle.Check(element);
        switch (element.Name.LocalName)
        {
            // What a picture is made with, and what is said where the pointer is.
            case "defs" or "clipPath" or "marker" or "title":
                return;
            case "text":
                PaintText(element);
                return;
            case "g":
                int state = canvas.Save();
                if (SvgStyle.Value(element, "clip-path") is { } clip)
                {
                    using SKPath? inside = SvgShapes.Of(Named(clip).Elements().Single());
                    canvas.ClipPath(inside, antialias: true);
                }

                PaintChildren(element);
                canvas.RestoreToCount(state);
                return;
        }

        using SKPath outline = SvgShapes.Of(element)
            ?? throw new NotSupportedException($"The element {element.Name.LocalName} has no pixels yet.");
        using SKPaint? fill = SvgStyle.Fill(element), stroke = SvgStyle.Stroke(element);
        if (fill is not null) canvas.DrawPath(outline, fill);
        if (stroke is not null) canvas.DrawPath(outline, stroke);
        if (SvgStyle.Value(element, "marker-end") is { } tip && SvgShapes.EndOf(outline) is { } end)
            PaintMarker(Named(tip), end.At, end.Direction);
    }

    /// <summary>An arrow's tip.</summary>
    private void PaintMarker(XElement marker, SKPoint at, SKPoint direction)
    {
        SvgStyle.Check(marker);
        float[] box = SvgStyle.Numbers(SvgStyle.Value(marker, "viewBox")!);
        int state = canvas.Save();
        canvas.Concat(SKMatrix.CreateTranslation(at.X, at.Y)
            .PreConcat(new SKMatrix(direction.X, -direction.Y, 0, direction.Y, direction.X, 0, 0, 0, 1))
            .PreConcat(SKMatrix.CreateScale(
                SvgStyle.Number(marker, "markerWidth") / box[2], SvgStyle.Number(marker, "markerHeight") / box[3]))
            .PreConcat(SKMatrix.CreateTranslation(-SvgStyle.Number(marker, "refX"), -SvgStyle.Number(marker, "refY"))));
        PaintChildren(marker);
        canvas.RestoreToCount(state);
    }

    private void PaintText(XElement element)
    {
        string text = string.Join(' ', element.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        using SKFont font = PictureFonts.Of(SvgStyle.Value(element, "font-weight") == "bold", SvgStyle.Number(element, "font-size", 16));
        foreach (Rune letter in text.EnumerateRunes())
            if (!font.ContainsGlyph(letter.Value)) _missing.Add(letter.ToString());
        float x = SvgStyle.Number(element, "x"), y = SvgStyle.Number(element, "y"), width = font.MeasureText(text);
        x -= SvgStyle.Value(element, "text-anchor") switch { "end" => width, "middle" => width / 2, _ => 0 };
        int state = canvas.Save();
        if (SvgStyle.Value(element, "transform") is { } transform) canvas.Concat(SvgStyle.Transform(transform));
        using SKPaint? fill = SvgStyle.Fill(element), stroke = SvgStyle.Stroke(element);
        bool isStrokeFirst = SvgStyle.Value(element, "paint-order") == "stroke";
        foreach (SKPaint? paint in isStrokeFirst ? [stroke, fill] : (SKPaint?[])[fill, stroke])
            if (paint is not null) canvas.DrawText(text, x, y, SKTextAlign.Left, font, paint);
        canvas.RestoreToCount(state);
    }

    /// <summary>What <c>url(#name)</c> names.</summary>
    private XElement Named(string url) => _named[url["url(#".Length..^1]];
}
