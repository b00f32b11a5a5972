using System.Globalization;
using System.Text;
using System.Web;

namespace StreamEm.Worker.Plotting;

/// <summary>The text of one SVG picture: no scripts, no external resources.</summary>
internal sealed class SvgCanvas
{
    /// <summary>Width of a character as part of the size of its text, on the average.</summary>
    private const double CharacterWidth = 0.56;

    private readonly StringBuilder _svg = new();

    /// <summary>Begins a picture.</summary>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public void Open(double width, double height)
    {
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\"");
        Add($" font-family=\"Helvetica,Arial,sans-serif\">");
        Add($"<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
    }

    /// <summary>Adds markup, numbers in invariant culture.</summary>
    public void Add(FormattableString markup) => _svg.Append(markup.ToString(CultureInfo.InvariantCulture));

    /// <summary>Adds markup in two parts.</summary>
    public void Add(FormattableString first, FormattableString second)
    {
        Add(first);
        Add(second);
    }

    /// <summary>Adds a filled rectangle.</summary>
    public void Box(double x, double y, double width, double height, string fill) =>
        Add($"<rect x=\"{x:F1}\" y=\"{y:F1}\" width=\"{width:F1}\" height=\"{height:F1}\" fill=\"{fill}\"/>");

    /// <summary>Adds a line.</summary>
    public void Line(double x1, double y1, double x2, double y2, string stroke, double width = 1) =>
        Add($"<line x1=\"{x1:F1}\" y1=\"{y1:F1}\" x2=\"{x2:F1}\" y2=\"{y2:F1}\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>");

    /// <summary>Adds a line to the right with a stroke across either end.</summary>
    /// <param name="from">Left end.</param>
    /// <param name="to">Right end.</param>
    /// <param name="y">Its height in the picture.</param>
    /// <param name="half">Half of a stroke.</param>
    /// <param name="stroke">Its colour.</param>
    /// <param name="width">Of the line.</param>
    public void Whiskers(double from, double to, double y, double half, string stroke, double width = 1)
    {
        Line(from, y, to, y, stroke, width);
        Line(from, y - half, from, y + half, stroke, width);
        Line(to, y - half, to, y + half, stroke, width);
    }

    /// <summary>Adds what says more of itself where the pointer is; of nothing to say, as it is.</summary>
    /// <param name="told">The text, or an empty one.</param>
    /// <param name="draw">Adds it.</param>
    public void Told(string told, Action draw)
    {
        if (told.Length > 0) Add($"<g><title>{Escape(told)}</title>");
        draw();
        if (told.Length > 0) Add($"</g>");
    }

    /// <summary>Adds a text.</summary>
    /// <param name="x">Where it begins, ends or has its middle, as <paramref name="anchor"/> says.</param>
    /// <param name="y">Its base line.</param>
    /// <param name="size">Its size.</param>
    /// <param name="text">Any text; escaped here.</param>
    /// <param name="fill">Its colour.</param>
    /// <param name="anchor">start, middle or end.</param>
    public void Text(double x, double y, double size, string text, string fill = "#222", string anchor = "start") =>
        Add($"<text x=\"{x:F1}\" y=\"{y:F1}\" font-size=\"{size}\" fill=\"{fill}\" text-anchor=\"{anchor}\">{Escape(text)}</text>");

    /// <summary>A text as it may stand in the picture: without the characters that XML does not hold.</summary>
    public static string Escape(string text) => HttpUtility.HtmlEncode(string.Concat(text.EnumerateRunes()
        .Select(letter => Rune.IsControl(letter) || letter.Value is 0xFFFE or 0xFFFF ? " " : letter.ToString())));

    /// <summary>About how wide a text is.</summary>
    public static double WidthOf(string text, double size) => text.Length * size * CharacterWidth;

    /// <summary>A text cut to a width.</summary>
    public static string Fit(string text, double width, double size)
    {
        int characters = Math.Max(1, (int)(width / (size * CharacterWidth)));
        return text.Length <= characters ? text : string.Concat(text.AsSpan(0, Math.Max(1, characters - 1)), "…");
    }

    /// <summary>The picture, ended.</summary>
    public string Close() => _svg.Append("</svg>\n").ToString();
}
