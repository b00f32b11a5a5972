using StreamEm.Core.Models;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// A model's graph in plate notation: circles are variables of a record, shaded where they are seen, dots are parameters, and a frame says
/// how often what is in it is repeated. From left to right: parameters of what is latent, what is latent, the record, its parameters.
/// </summary>
internal sealed class GraphPlot
{
    private const double Radius = 23, Dot = 4.5, ColumnWidth = 128, RowHeight = 88, Top = 62, Right = 230, Bottom = 56, Tip = 7;
    private const double LeastLeft = 150, LetterWidth = 6.6;
    private const string Ink = "#333", Shade = "#cfd8e3";

    private readonly ModelGraph _graph;
    private readonly SvgCanvas _svg = new();
    private readonly Dictionary<string, (double X, double Y)> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _depths = new(StringComparer.Ordinal);
    private readonly List<(string Owner, string[] Parameters)> _rows = [];

    private readonly double _left;
    private readonly int _atLeft;

    private GraphPlot(ModelGraph graph)
    {
        _graph = graph;
        bool isAlone = OfRecords.All(variable => variable.Parents.All(IsParameter));
        string[] left = isAlone ? [] : [.. OfRecords.Where(variable => variable.Parents.All(IsParameter)).SelectMany(of => of.Parents)];
        _atLeft = left.Length;
        _left = left.Select(name => 63 + LetterWidth * name.Length).Append(LeastLeft).Max();
    }

    /// <summary>The picture.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="title">Above it.</param>
    public static string Draw(ModelGraph graph, string title) => new GraphPlot(graph).Draw(title);

    private IEnumerable<GraphVariable> OfRecords => _graph.Variables.Where(variable => variable.Role != GraphRole.Parameter);

    private int LastDepth => _depths.Values.Max();

    private string Draw(string title)
    {
        Arrange();
        double width = X(LastDepth + 1) + Right, height = Top + Rows * RowHeight + Bottom;
        _svg.Open(width, height);
        _svg.Add($"<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"{Tip}\" markerHeight=\"{Tip}\" ",
            $"orient=\"auto\" markerUnits=\"userSpaceOnUse\"><path d=\"M0 0.8 L8 4 L0 7.2 z\" fill=\"{Ink}\"/></marker></defs>");
        _svg.Text(16, 26, 15, title);
        Plates();
        foreach (GraphVariable variable in _graph.Variables)
            foreach (string parent in variable.Parents) Arrow(parent, variable.Name);
        if (_graph.Chained is { } chained) Loop(_places[chained]);
        foreach (GraphVariable variable in _graph.Variables) Variable(variable);
        Legend(height - 18);
        return _svg.Close();
    }

    private int Rows => Math.Max(Math.Max(_atLeft, Math.Max(1, _depths.Count(variable => variable.Value == 0))),
        _rows.Sum(row => Math.Max(1, row.Parameters.Length)));

    /// <summary>Columns by how much of a record comes before, rows by the parameters at the right of what depends on them.</summary>
    private void Arrange()
    {
        foreach (GraphVariable variable in OfRecords)
            _depths[variable.Name] = variable.Parents.Where(_depths.ContainsKey).Select(parent => _depths[parent] + 1)
                .DefaultIfEmpty(0).Max();
        foreach (GraphVariable variable in OfRecords.Where(variable => _depths[variable.Name] > 0 || LastDepth == 0))
            _rows.Add((variable.Name, [.. variable.Parents.Where(IsParameter).SelectMany(WithParents)]));
        double y = Top;
        foreach ((string owner, string[] parameters) in _rows)
        {
            int rows = Math.Max(1, parameters.Length);
            _places[owner] = (X(_depths[owner]), y + rows * RowHeight / 2);
            for (int at = 0; at < parameters.Length; at++)
                _places[parameters[at]] = (X(LastDepth + 1), y + (at + 0.5) * RowHeight);
            y += rows * RowHeight;
        }

        GraphVariable[] first = [.. OfRecords.Where(variable => !_places.ContainsKey(variable.Name))];
        Spread(first.Select(variable => variable.Name), X(0));
        Spread(first.SelectMany(variable => variable.Parents.Where(IsParameter)), _left - ColumnWidth / 2);
    }

    private void Spread(IEnumerable<string> names, double x)
    {
        string[] all = [.. names];
        double middle = Top + Rows * RowHeight / 2;
        for (int at = 0; at < all.Length; at++) _places[all[at]] = (x, middle + (at - 0.5 * (all.Length - 1)) * RowHeight);
    }

    private double X(int column) => _left + (column + 0.5) * ColumnWidth;

    /// <summary>A parameter and those it depends on.</summary>
    private IEnumerable<string> WithParents(string name) => [name, .. _graph.Variables.First(known => known.Name == name).Parents];

    private bool IsParameter(string name) => _graph.Variables.Any(known => known.Name == name && known.Role == GraphRole.Parameter);

    private void Plates()
    {
        Frame([.. OfRecords.Select(variable => _places[variable.Name])], _graph.Records, 38, 44, LabelAt.BottomLeft);
        foreach ((string owner, string[] parameters) in _rows)
        {
            GraphVariable[] own = [.. parameters.Select(name => _graph.Variables.First(known => known.Name == name))];
            if (own.Any(parameter => parameter.IsPerComponent))
                Frame([.. own.Where(parameter => parameter.IsPerComponent).Select(parameter => _places[parameter.Name])],
                    _graph.Components, 18, 40, LabelAt.BottomRight, Right - 16);
            if (_graph.Variables.First(known => known.Name == owner).IsPerFeature)
                Frame([_places[owner], .. own.Where(parameter => parameter.IsPerFeature).Select(parameter => _places[parameter.Name])],
                    "D features", Radius + 6, 29, LabelAt.TopMiddle, Right - 28);
        }
    }

    private enum LabelAt
    {
        BottomLeft,
        BottomRight,
        TopMiddle,
    }

    private void Frame((double X, double Y)[] inside, string label, double margin, double high, LabelAt at, double wide = 0)
    {
        double left = inside.Min(place => place.X) - margin, right = inside.Max(place => place.X) + Math.Max(margin, wide),
            top = inside.Min(place => place.Y) - high, bottom = inside.Max(place => place.Y) + high;
        _svg.Add($"<rect x=\"{left:F1}\" y=\"{top:F1}\" width=\"{right - left:F1}\" height=\"{bottom - top:F1}\" rx=\"7\" ",
            $"fill=\"none\" stroke=\"#7a8794\"/>");
        (double x, double y, string anchor) = at switch
        {
            LabelAt.BottomLeft => (left + 6, bottom - 5, "start"),
            LabelAt.BottomRight => (right - 6, bottom - 4, "end"),
            _ => (left + 2 * Radius + 28, top + 12, "start"),
        };
        _svg.Text(x, y, 10.5, label, "#5a6672", anchor);
    }

    private void Arrow(string from, string to)
    {
        ((double x0, double y0), (double x1, double y1)) = (_places[from], _places[to]);
        double length = Math.Sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0)), dx = (x1 - x0) / length, dy = (y1 - y0) / length;
        double start = IsParameter(from) ? Dot : Radius, end = (IsParameter(to) ? Dot : Radius) + 1;
        _svg.Add($"<line x1=\"{x0 + dx * start:F1}\" y1=\"{y0 + dy * start:F1}\" x2=\"{x1 - dx * end:F1}\" ",
            $"y2=\"{y1 - dy * end:F1}\" stroke=\"{Ink}\" stroke-width=\"1.2\" marker-end=\"url(#tip)\"/>");
    }

    /// <summary>From a variable to itself in the record after.</summary>
    private void Loop((double X, double Y) at)
    {
        double x = Radius * 0.7, y = at.Y - Radius * 0.7;
        _svg.Add($"<path d=\"M {at.X - x:F1} {y:F1} C {at.X - 34:F1} {y - 40:F1} {at.X + 34:F1} {y - 40:F1} {at.X + x:F1} {y - 1:F1}\" ",
            $"fill=\"none\" stroke=\"{Ink}\" stroke-width=\"1.2\" marker-end=\"url(#tip)\"/>");
        _svg.Text(at.X, y - 33, 10.5, "record before", "#5a6672", "middle");
    }

    private void Variable(GraphVariable variable)
    {
        (double x, double y) = _places[variable.Name];
        if (variable.Role == GraphRole.Parameter)
        {
            _svg.Add($"<circle cx=\"{x:F1}\" cy=\"{y:F1}\" r=\"{Dot}\" fill=\"{Ink}\"/>");
            if (x > _left) _svg.Text(x + 10, y + 4, 12, variable.Name);
            else _svg.Text(x + 9, y - 9, 12, variable.Name, anchor: "end");
            return;
        }

        string[] words = variable.Name.Split(' ');
        Circle(x, y, variable.Role);
        _svg.Text(x, y + (words.Length > 1 ? 0 : 4.5), words[0].Length > 5 ? 10 : 13, words[0], anchor: "middle");
        if (words.Length > 1) _svg.Text(x, y + 10, 7.5, words[1], anchor: "middle");
    }

    private void Circle(double x, double y, GraphRole role)
    {
        _svg.Add($"<circle cx=\"{x:F1}\" cy=\"{y:F1}\" r=\"{Radius}\" fill=\"{(role == GraphRole.Observed ? Shade : "#fff")}\" ",
            $"stroke=\"{Ink}\" stroke-width=\"1.4\"/>");
        if (role == GraphRole.Partial)
            _svg.Add($"<path d=\"M {x + Radius:F1} {y:F1} A {Radius} {Radius} 0 0 1 {x - Radius:F1} {y:F1} z\" fill=\"{Shade}\"/>");
    }

    private void Legend(double y)
    {
        string text = "• parameter   ○ latent   shaded: seen";
        if (_graph.Variables.Any(variable => variable.Role == GraphRole.Partial)) text += "   half shaded: seen in some records";
        _svg.Text(16, y, 10.5, text, "#5a6672");
    }
}
