using System.Xml.Linq;
using SkiaSharp;

namespace StreamEm.Worker.Pixels;

/// <summary>A picture of <c>Plotting</c> in pixels: the same picture as its SVG, without need of anything of the machine.</summary>
internal static class PngPicture
{
    /// <summary>Pixels to each of the SVG, in either direction: sharp on screens of today and in print of a column's width.</summary>
    public const int Scale = 2;

    /// <summary>At most so many pixels; a picture that had more is drawn with one pixel to each of the SVG.</summary>
    public const long MostPixels = 64_000_000;

    /// <summary>The PNG of a picture, and the characters its font lacks.</summary>
    /// <param name="svg">What a class of <c>Plotting</c> drew.</param>
    /// <exception cref="ArgumentException">It is larger than <see cref="MostPixels"/>.</exception>
    public static (byte[] Png, IReadOnlyCollection<string> Missing) Of(string svg)
    {
        XElement root = XElement.Parse(svg, LoadOptions.PreserveWhitespace);
        SvgStyle.Check(root);
        double width = SvgStyle.Number(root, "width"), height = SvgStyle.Number(root, "height");
        int scale = width * height * Scale * Scale <= MostPixels ? Scale : 1;
        if (width * height > MostPixels)
            throw new ArgumentException($"A picture of {width} x {height} is too large for pixels.", nameof(svg));

        var size = new SKImageInfo(
            (int)Math.Ceiling(width * scale), (int)Math.Ceiling(height * scale), SKColorType.Rgba8888, SKAlphaType.Premul);
        using SKSurface surface = SKSurface.Create(size)
            ?? throw new InvalidOperationException($"No memory for {size.Width} x {size.Height} pixels.");
        surface.Canvas.Clear(SKColors.White);
        surface.Canvas.Scale(scale);
        var painter = new SvgPainter(surface.Canvas, root);
        painter.Paint();
        using SKImage image = surface.Snapshot();
        using SKData png = image.Encode(SKEncodedImageFormat.Png, 100);
        return (png.ToArray(), painter.Missing);
    }
}
