using System.Globalization;
using System.Xml.Linq;
using SkiaSharp;

namespace StreamEm.Worker.Pixels;

/// <summary>What attributes of an element of SVG, and of those around it, say of how it is painted.</summary>
internal static class SvgStyle
{
    private static readonly string[] Inherited =
    [
        "fill", "fill-opacity", "font-family", "font-size", "font-weight", "paint-order", "stroke", "stroke-dasharray", "stroke-linejoin",
        "stroke-width", "text-anchor",
    ];

    private static readonly HashSet<string> Known =
    [
        .. Inherited, "clip-path", "cx", "cy", "d", "height", "id", "marker-end", "markerHeight", "markerUnits", "markerWidth", "orient",
        "points", "r", "refX", "refY", "rx", "transform", "viewBox", "width", "x", "x1", "x2", "xmlns", "y", "y1", "y2",
    ];

    /// <summary>Refuses what would be left out.</summary>
    /// <exception cref="NotSupportedException">An attribute is not known.</exception>
    public static void Check(XElement element)
    {
        foreach (XAttribute attribute in element.Attributes())
        {
            if (!Known.Contains(attribute.Name.LocalName))
                throw new NotSupportedException($"{element.Name.LocalName} has the attribute {attribute}, which has no pixels yet.");
        }
    }

    /// <summary>The value of an attribute; of those that are inherited, of the nearest element that has it.</summary>
    public static string? Value(XElement element, string name)
    {
        if (element.Attribute(name) is { } own) return own.Value;
        return element.Parent is { } parent && Array.IndexOf(Inherited, name) >= 0 ? Value(parent, name) : null;
    }

    /// <summary>A number, or what is taken without one.</summary>
    public static float Number(XElement element, string name, float otherwise = 0) =>
        Value(element, name) is { } text ? float.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Numbers between spaces or commas.</summary>
    public static float[] Numbers(string text) =>
        [.. text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries).Select(part => float.Parse(part, CultureInfo.InvariantCulture))];

    /// <summary>How it is filled; null for not at all.</summary>
    public static SKPaint? Fill(XElement element)
    {
        string colour = Value(element, "fill") ?? "#000";
        if (colour == "none") return null;
        SKColor parsed = SKColor.Parse(colour);
        return new SKPaint
        {
            IsAntialias = true,
            Color = parsed.WithAlpha((byte)MathF.Round(parsed.Alpha * Number(element, "fill-opacity", 1))),
        };
    }

    /// <summary>How its outline is drawn; null for not at all.</summary>
    public static SKPaint? Stroke(XElement element)
    {
        string colour = Value(element, "stroke") ?? "none";
        if (colour == "none") return null;
        string dashes = Value(element, "stroke-dasharray") ?? "none";
        return new SKPaint
        {
            IsAntialias = true,
            IsStroke = true,
            Color = SKColor.Parse(colour),
            StrokeWidth = Number(element, "stroke-width", 1),
            StrokeMiter = 4,
            StrokeJoin = Value(element, "stroke-linejoin") == "round" ? SKStrokeJoin.Round : SKStrokeJoin.Miter,
            PathEffect = dashes == "none" ? null : SKPathEffect.CreateDash(Numbers(dashes), 0),
        };
    }

    /// <summary>The matrix of <c>translate(x y) rotate(degrees)</c>.</summary>
    /// <exception cref="NotSupportedException">It is another.</exception>
    public static SKMatrix Transform(string text)
    {
        SKMatrix matrix = SKMatrix.Identity;
        foreach (string step in text.Split(')', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] parts = step.Split('(');
            float[] numbers = Numbers(parts[1]);
            matrix = matrix.PreConcat(parts[0] switch
            {
                "translate" => SKMatrix.CreateTranslation(numbers[0], numbers[1]),
                "rotate" => SKMatrix.CreateRotationDegrees(numbers[0]),
                _ => throw new NotSupportedException($"{step}) has no pixels yet."),
            });
        }

        return matrix;
    }
}
