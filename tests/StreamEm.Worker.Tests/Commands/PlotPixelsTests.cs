using System.Globalization;
using System.Text;
using System.Xml.Linq;
using SkiaSharp;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pixels;
using StreamEm.Worker.Plotting;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>Pictures in pixels: what is in the SVG is there, where it is there.</summary>
public sealed class PlotPixelsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public PlotPixelsTests()
    {
        var text = new StringBuilder("x,y\n");
        for (int row = 0; row < 1000; row++)
            text.Append(CultureInfo.InvariantCulture, $"{row % 2 * 40 + row * 37 % 101 / 50.0},{row % 2 * 9 + row * 53 % 97 / 48.0}\n");
        File.WriteAllText(_directory["data.csv"], text.ToString());
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("picture.png")]
    [InlineData("picture.PNG")]
    public async Task Plot_NameThatEndsWithPng_IsTheSvgInPixels(string name)
    {
        await Run(FitCommand.Create(), _directory["data.csv"], "--components", "2", "-o", _directory["snapshot.json"]);
        string[] arguments = [_directory["snapshot.json"], _directory["data.csv"], "-o"];
        await Run(PlotCommand.Create(), [.. arguments, _directory["picture.svg"]]);
        await Run(PlotCommand.Create(), [.. arguments, _directory[name]]);

        byte[] png = await File.ReadAllBytesAsync(_directory[name]);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10], png[..8]);
        using SKBitmap pixels = SKBitmap.Decode(png);
        XElement svg = XElement.Load(_directory["picture.svg"]);
        Assert.Equal((2 * Number(svg, "width"), 2 * Number(svg, "height")), (pixels.Width, pixels.Height));
        // The two squares of the legend, in the colours of their components; a record of each has ink, paper between them has none.
        XElement[] squares = [.. svg.Elements().Where(element => element.Name.LocalName == "rect" && Number(element, "width") == 12)];
        Assert.Equal(2, squares.Length);
        foreach (XElement square in squares)
            Assert.Equal(SKColor.Parse((string)square.Attribute("fill")!), At(pixels, Number(square, "x") + 6, Number(square, "y") + 6));
        XElement[] clusters = [.. svg.Descendants().Where(
            element => element.Name.LocalName == "g" && element.Attribute("fill") is not null)];
        foreach (XElement circle in clusters.Select(cluster => cluster.Elements().First()))
            Assert.NotEqual(SKColors.White, At(pixels, Number(circle, "cx"), Number(circle, "cy")));
        Assert.Equal(SKColors.White, At(pixels, 3, 3));
    }

    [Fact]
    public void Picture_Texts_AreDrawnWhereTheyBelong()
    {
        using SKBitmap pixels = Painted(
            "<text x=\"10\" y=\"30\" font-size=\"20\" fill=\"#222\" text-anchor=\"start\">WWWW</text>"
            + "<text x=\"190\" y=\"70\" font-size=\"20\" fill=\"#222\" text-anchor=\"end\">iiii</text>"
            + "<text x=\"100\" y=\"110\" font-size=\"20\" font-weight=\"bold\" fill=\"#222\" text-anchor=\"middle\">iiii</text>"
            + "<text transform=\"translate(20 190) rotate(-90)\" font-size=\"20\" fill=\"#222\">IIII</text>");

        // As wide as Helvetica: W has 944 thousandths of the size, i and I have 222 and 278.
        SKRectI wide = InkIn(pixels, 0, 10, 200, 40), narrow = InkIn(pixels, 0, 50, 200, 80), bold = InkIn(pixels, 0, 90, 200, 120),
            upright = InkIn(pixels, 0, 120, 40, 200);
        Assert.InRange(wide.Width / 2.0, 4 * 18.88 - 2, 4 * 18.88 + 2);
        Assert.InRange(wide.Left / 2.0, 9, 12);
        Assert.InRange(narrow.Width / 2.0, 4 * 4.44 - 4, 4 * 4.44);
        Assert.InRange(narrow.Right / 2.0, 187, 190);
        Assert.InRange((bold.Left + bold.Right) / 4.0, 99, 101);
        Assert.True(bold.Width > narrow.Width, "Bold letters are no wider.");
        Assert.InRange(upright.Bottom / 2.0, 186, 190);
        Assert.InRange(upright.Height / 2.0, 4 * 5.56 - 5, 4 * 5.56);
    }

    [Fact]
    public void Picture_ShapesAndStrokes_AreThoseOfTheSvg()
    {
        using SKBitmap pixels = Painted(
            "<clipPath id=\"inside\"><rect x=\"10\" y=\"10\" width=\"40\" height=\"40\"/></clipPath>"
            + "<g clip-path=\"url(#inside)\"><rect x=\"0\" y=\"0\" width=\"200\" height=\"60\" fill=\"#c00000\"/></g>"
            + "<g fill=\"#000000\" fill-opacity=\"0.5\"><circle cx=\"80\" cy=\"30\" r=\"8\"/></g>"
            + "<polyline points=\"100,30 140,30\" fill=\"none\" stroke=\"#0000ff\" stroke-width=\"4\" stroke-dasharray=\"10 10\"/>"
            + "<polygon points=\"150,10 190,10 190,50\" fill=\"#008000\"/>"
            + "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"16\" markerHeight=\"16\" orient=\"auto\">"
            + "<path d=\"M0 0 L8 4 L0 8 z\" fill=\"#ff0000\"/></marker></defs>"
            + "<line x1=\"100\" y1=\"100\" x2=\"100\" y2=\"150\" stroke=\"#000000\" stroke-width=\"1\" marker-end=\"url(#tip)\"/>");

        Assert.Equal(SKColors.Red.WithRed(0xc0), At(pixels, 30, 30));
        Assert.Equal(SKColors.White, At(pixels, 5, 30));
        Assert.InRange(At(pixels, 80, 30).Red, 126, 129);
        Assert.Equal((SKColors.Blue, SKColors.White, SKColors.Blue), (At(pixels, 105, 30), At(pixels, 115, 30), At(pixels, 125, 30)));
        Assert.Equal((SKColors.Green, SKColors.White), (At(pixels, 185, 20), At(pixels, 155, 40)));
        // The tip ends where the line does, and points as it does: down.
        Assert.Equal((SKColors.Red, SKColors.Red), (At(pixels, 94, 135), At(pixels, 101, 145)));
        Assert.Equal((SKColors.White, SKColors.White), (At(pixels, 94, 148), At(pixels, 100, 152)));
    }

    [Theory]
    [InlineData("<ellipse rx=\"3\"/>")]
    [InlineData("<rect width=\"3\" height=\"3\" opacity=\"0.5\"/>")]
    [InlineData("<text transform=\"scale(2 2)\">a</text>")]
    public void Picture_WhatIsNotKnown_IsRefusedInsteadOfLeftOut(string markup) =>
        Assert.Throws<NotSupportedException>(() => PngPicture.Of(Svg(markup)));

    [Fact]
    public async Task Plot_LettersThatTheFontLacks_AreNamed()
    {
        await Run(FitCommand.Create(), _directory["data.csv"], "--components", "2", "-o", _directory["snapshot.json"]);

        CommandRun run = await CommandRun.Of(PlotCommand.Create(),
            _directory["snapshot.json"], _directory["data.csv"], "-o", _directory["picture.png"], "--title", "Größe λ é 温度");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("has no letters for 度温;", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\u0001b <c>", "a b <c>")]
    [InlineData("\uffff \ud83d\udca7", "  \ud83d\udca7")]
    public void Svg_TextThatXmlDoesNotHold_IsHeldWithoutIt(string text, string held) =>
        Assert.Equal(held, XElement.Parse($"<text>{SvgCanvas.Escape(text)}</text>", LoadOptions.PreserveWhitespace).Value);

    [Theory]
    [InlineData(1200, 700, 2400)]
    [InlineData(5000, 5000, 5000)]
    public void Picture_LargeOne_HasFewerPixels(int width, int height, int pixels)
    {
        using SKBitmap bitmap = SKBitmap.Decode(PngPicture.Of($"<svg width=\"{width}\" height=\"{height}\"></svg>").Png);

        Assert.Equal(pixels, bitmap.Width);
        Assert.Throws<ArgumentException>(() => PngPicture.Of("<svg width=\"1000\" height=\"64001\"></svg>"));
    }

    [Theory]
    [InlineData("picture.jpg")]
    [InlineData("picture.PDF")]
    public async Task Picture_OfAnotherKind_IsRefused(string name)
    {
        CommandRun plot = await CommandRun.Of(PlotCommand.Create(), "snapshot.json", "data.csv", "-o", name),
            select = await CommandRun.Of(SelectCommand.Create(), "data.csv", "-o", name);

        foreach (CommandRun run in (CommandRun[])[plot, select])
        {
            Assert.Equal(ExitCode.Usage, run.ExitCode);
            Assert.Contains(
                $"'{name}': pictures are SVG or PNG; expected a name that ends with .svg or .png", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Select_NameThatEndsWithPng_IsAPng()
    {
        await Run(SelectCommand.Create(), _directory["data.csv"], "--components", "1..2", "--folds", "0", "-o", _directory["chosen.png"]);

        using SKBitmap pixels = SKBitmap.Decode(await File.ReadAllBytesAsync(_directory["chosen.png"]));
        Assert.True(InkIn(pixels, 0, 0, pixels.Width / 2, pixels.Height / 2).Width > pixels.Width / 2, "Nothing is drawn.");
    }

    private static string Svg(string markup) => $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"200\" height=\"200\">{markup}</svg>";

    private static SKBitmap Painted(string markup) => SKBitmap.Decode(PngPicture.Of(Svg(markup)).Png);

    private static SKColor At(SKBitmap pixels, double x, double y) => pixels.GetPixel((int)(2 * x), (int)(2 * y));

    /// <summary>Where there is ink in a part of a picture, in its pixels.</summary>
    private static SKRectI InkIn(SKBitmap pixels, int left, int top, int right, int bottom)
    {
        SKRectI ink = SKRectI.Empty;
        for (int y = 2 * top; y < 2 * bottom; y++)
        {
            for (int x = 2 * left; x < 2 * right; x++)
            {
                if (pixels.GetPixel(x, y).Red > 128) continue;
                var pixel = new SKRectI(x, y, x + 1, y + 1);
                ink = ink.IsEmpty ? pixel : SKRectI.Union(ink, pixel);
            }
        }

        return ink;
    }

    private static double Number(XElement element, string attribute) =>
        double.Parse((string)element.Attribute(attribute)!, CultureInfo.InvariantCulture);

    private static async Task Run(System.CommandLine.Command command, params string[] arguments)
    {
        CommandRun run = await CommandRun.Of(command, arguments);
        Assert.True(run.ExitCode == 0, run.Error);
    }
}
