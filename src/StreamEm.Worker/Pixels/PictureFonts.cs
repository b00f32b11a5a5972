using SkiaSharp;

namespace StreamEm.Worker.Pixels;

/// <summary>
/// The letters of pictures in pixels: Liberation Sans, as wide as the Helvetica that pictures are laid out for, of this assembly.
/// </summary>
internal static class PictureFonts
{
    private static readonly Lazy<SKTypeface> Regular = new(() => Load("LiberationSans-Regular.ttf"));

    private static readonly Lazy<SKTypeface> Bold = new(() => Load("LiberationSans-Bold.ttf"));

    /// <summary>Letters of a size, for the caller to dispose of.</summary>
    public static SKFont Of(bool isBold, float size) => new((isBold ? Bold : Regular).Value, size)
    {
        Edging = SKFontEdging.Antialias,
        // The same widths and shapes on every machine, however the texts are turned.
        Hinting = SKFontHinting.None,
        Subpixel = true,
    };

    private static SKTypeface Load(string file)
    {
        using Stream stream = typeof(PictureFonts).Assembly.GetManifestResourceStream($"fonts/{file}")
            ?? throw new InvalidOperationException($"The assembly lacks {file}.");
        using SKData data = SKData.Create(stream);
        return SKTypeface.FromData(data) ?? throw new InvalidOperationException($"{file} is no font.");
    }
}
