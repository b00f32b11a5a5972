using System.Globalization;
using System.Security;
using System.Text;
using StreamEm.House.Tests.Code;

namespace StreamEm.House.Tests.Drawing;

/// <summary>
/// The folders of <c>src</c> as an SVG: a panel for each project, users above what they use. The whole graph is in its metadata as text.
/// </summary>
internal sealed class FolderDrawing
{
    /// <summary>How far an arrow leans, at most, where it passes between boxes: more, and it cuts their corners.</summary>
    private const double Steepest = 0.6;

    private const double BoxHeight = 30, LayerHeight = 74, Padding = 28, Title = 44, PanelGap = 46, LetterWidth = 7.3;

    private static readonly Dictionary<string, (string Fill, string Line)> Colours = new(StringComparer.Ordinal)
    {
        ["StreamEm.Worker"] = ("#e8f0fb", "#3866a8"),
        ["StreamEm.Sources"] = ("#e9f5ea", "#39804a"),
        ["StreamEm.Core"] = ("#fdf1e3", "#b06a1b"),
    };

    private readonly FolderGraph _graph;
    private readonly StringBuilder _svg = new();

    private FolderDrawing(FolderGraph graph) => _graph = graph;

    /// <summary>The graph as lines of text.</summary>
    public static string TextOf(FolderGraph graph) => string.Join('\n',
    [
        .. graph.Folders.Select(folder => $"folder {folder}"),
        .. graph.Uses.Keys.Select(use => $"{use.From} uses {use.To}"),
    ]);

    /// <summary>The text in a drawing.</summary>
    public static string TextIn(string svg)
    {
        int start = svg.IndexOf("<metadata>", StringComparison.Ordinal), end = svg.IndexOf("</metadata>", StringComparison.Ordinal);
        return start < 0 ? "" : svg[(start + "<metadata>".Length)..end].Trim();
    }

    /// <summary>The drawing.</summary>
    public static string Of(FolderGraph graph) => new FolderDrawing(graph).Draw();

    private static string ProjectOf(string folder) => folder.Split('/')[0];

    private static string LabelOf(string folder) =>
        folder.Contains('/', StringComparison.Ordinal) ? folder[(folder.IndexOf('/', StringComparison.Ordinal) + 1)..] : "(root)";

    private string Draw()
    {
        // Users first: a project comes before those it uses.
        string[] projects =
            [.. _graph.Folders.Select(ProjectOf).Distinct().OrderByDescending(UsedProjects).ThenBy(name => name, StringComparer.Ordinal)];
        (string Project, LayeredGraph Layout)[] panels = [.. projects.Select(project => (project, LayoutOf(project)))];
        double width = panels.Max(panel => panel.Layout.Width) + 4 * Padding;
        double y = Padding;
        double? above = null;
        foreach ((string project, LayeredGraph layout) in panels)
        {
            if (above is { } end) Arrow($"M {N(width / 2)} {N(end)} L {N(width / 2)} {N(y)}", "#666", 2.4);
            double height = Title + layout.Layers.Count * LayerHeight - (LayerHeight - BoxHeight) + Padding;
            Panel(project, layout, (width - layout.Width) / 2, y, width, height);
            above = y + height;
            y += height + PanelGap;
        }

        double total = y - PanelGap + Padding;
        return $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {N(width)} {N(total)}" width="{N(width)}" height="{N(total)}" font-family="Helvetica, Arial, sans-serif" font-size="13">
            <title>The folders of StreamEM and what they use</title>
            <metadata>
            {SecurityElement.Escape(TextOf(_graph))}
            </metadata>
            <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse" markerUnits="userSpaceOnUse"><path d="M0 0.8 L8 4 L0 7.2 z" fill="context-stroke"/></marker></defs>
            <rect width="100%" height="100%" fill="#fff"/>
            {_svg}</svg>
            """;
    }

    private int UsedProjects(string project) =>
        _graph.Uses.Keys.Where(use => ProjectOf(use.From) == project && ProjectOf(use.To) != project).Select(use => ProjectOf(use.To))
            .Distinct().Count();

    private LayeredGraph LayoutOf(string project) => new(
        _graph.Folders.Where(folder => ProjectOf(folder) == project),
        [.. _graph.Uses.Keys.Where(use => ProjectOf(use.From) == project && ProjectOf(use.To) == project)],
        folder => LabelOf(folder).Length * LetterWidth + 22);

    private void Panel(string project, LayeredGraph layout, double left, double top, double width, double height)
    {
        (string fill, string line) = Colours.GetValueOrDefault(project, ("#f2f2f2", "#555"));
        _svg.Append(CultureInfo.InvariantCulture,
            $"<rect x=\"{Padding}\" y=\"{N(top)}\" width=\"{N(width - 2 * Padding)}\" height=\"{N(height)}\" rx=\"10\" "
                + $"fill=\"{fill}\"/>\n");
        _svg.Append(CultureInfo.InvariantCulture,
            $"<text x=\"{N(2 * Padding - 8)}\" y=\"{N(top + 26)}\" font-size=\"16\" font-weight=\"bold\" "
                + $"fill=\"{line}\">{project}</text>\n");
        double Y(Place place) => top + Title + (layout.Layers.Count - 1 - place.Layer) * LayerHeight;
        foreach (IReadOnlyList<Place> way in layout.Arrows())
            Arrow(Curve(
                [.. way.Select((place, at) =>
                    (left + place.X, Y(place) + (at == 0 ? BoxHeight : at == way.Count - 1 ? 0 : BoxHeight / 2)))]), line, 1.1);
        foreach (Place box in layout.Layers.SelectMany(layer => layer).Where(place => place.Name is not null))
        {
            double x = left + box.X - box.Width / 2;
            _svg.Append(CultureInfo.InvariantCulture,
                $"<rect x=\"{N(x)}\" y=\"{N(Y(box))}\" width=\"{N(box.Width)}\" height=\"{BoxHeight}\" rx=\"6\" fill=\"#fff\" "
                    + $"stroke=\"{line}\"/>");
            _svg.Append(CultureInfo.InvariantCulture,
                $"<text x=\"{N(left + box.X)}\" y=\"{N(Y(box) + 19.5)}\" text-anchor=\"middle\">{LabelOf(box.Name!)}</text>\n");
        }
    }

    /// <summary>
    /// Through the points, upright at the ends, between them towards the next point from the one before (a cubic Hermite spline over y).
    /// </summary>
    private static string Curve(IReadOnlyList<(double X, double Y)> points)
    {
        double Slope(int at) => at == 0 || at == points.Count - 1
            ? 0
            : Math.Clamp((points[at + 1].X - points[at - 1].X) / (points[at + 1].Y - points[at - 1].Y), -Steepest, Steepest);
        var path = new StringBuilder($"M {N(points[0].X)} {N(points[0].Y)}");
        for (int at = 1; at < points.Count; at++)
        {
            ((double x0, double y0), (double x1, double y1)) = (points[at - 1], points[at]);
            double bend = (y1 - y0) * (points.Count == 2 ? 0.5 : 0.4);
            path.Append(CultureInfo.InvariantCulture,
                $" C {N(x0 + bend * Slope(at - 1))} {N(y0 + bend)} {N(x1 - bend * Slope(at))} {N(y1 - bend)} {N(x1)} {N(y1)}");
        }

        return path.ToString();
    }

    private void Arrow(string path, string colour, double thickness) =>
        _svg.Append(CultureInfo.InvariantCulture,
            $"<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{N(thickness)}\" marker-end=\"url(#tip)\"/>\n");

    private static string N(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
