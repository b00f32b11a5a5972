using System.Xml.Linq;
using SkiaSharp;

namespace StreamEm.Worker.Pixels;

/// <summary>Elements of SVG as outlines.</summary>
internal static class SvgShapes
{
    /// <summary>The outline of an element; null where it is none.</summary>
    public static SKPath? Of(XElement element)
    {
        float Number(string name) => SvgStyle.Number(element, name);
        switch (element.Name.LocalName)
        {
            case "path":
                return SKPath.ParseSvgPathData(SvgStyle.Value(element, "d"));
            case "polyline":
            case "polygon":
                return Through(SvgStyle.Numbers(SvgStyle.Value(element, "points") ?? ""), element.Name.LocalName == "polygon");
            case "line":
                return Through([Number("x1"), Number("y1"), Number("x2"), Number("y2")], isClosed: false);
        }

        using var outline = new SKPathBuilder();
        if (element.Name.LocalName == "circle") outline.AddCircle(Number("cx"), Number("cy"), Number("r"));
        else if (element.Name.LocalName == "rect")
            outline.AddRoundRect(SKRect.Create(Number("x"), Number("y"), Number("width"), Number("height")), Number("rx"), Number("rx"));
        else return null;
        return outline.Detach();
    }

    /// <summary>Where an outline ends, and the direction from which it comes there.</summary>
    public static (SKPoint At, SKPoint Direction)? EndOf(SKPath outline)
    {
        using var measure = new SKPathMeasure(outline);
        return measure.GetPositionAndTangent(measure.Length, out SKPoint at, out SKPoint direction) ? (at, direction) : null;
    }

    private static SKPath Through(float[] numbers, bool isClosed)
    {
        SKPoint[] points = [.. numbers.Chunk(2).Select(pair => new SKPoint(pair[0], pair[1]))];
        using var outline = new SKPathBuilder();
        outline.AddPoly(points, isClosed);
        return outline.Detach();
    }
}
