namespace StreamEm.House.Tests.Drawing;

/// <summary>A box, or a place where an arrow that spans several layers passes between boxes (no name).</summary>
internal sealed class Place(string? name, int layer, double width)
{
    public string? Name { get; } = name;

    /// <summary>0 for what uses nothing here; users are above what they use.</summary>
    public int Layer { get; } = layer;

    public double Width { get; } = width;

    /// <summary>The middle.</summary>
    public double X { get; set; }

    public List<Place> Above { get; } = [];

    public List<Place> Below { get; } = [];
}

/// <summary>
/// The folders of one project in layers, arrows downwards (Sugiyama, Tagawa and Toda 1981): layers by the longest way down, long arrows cut
/// into steps of one layer, orders within layers by the mean of the neighbours, positions by pulling towards the neighbours.
/// Of the uses only those are drawn that no longer way already shows.
/// </summary>
internal sealed class LayeredGraph
{
    private const double Gap = 26, Lane = 14;
    private const int Sweeps = 40;

    private readonly Dictionary<string, HashSet<string>> _uses;
    private readonly Dictionary<string, int> _depths = new(StringComparer.Ordinal);

    public LayeredGraph(IEnumerable<string> folders, IReadOnlyCollection<(string From, string To)> uses, Func<string, double> widthOf)
    {
        _uses = folders.Order(StringComparer.Ordinal)
            .ToDictionary(folder => folder,
                folder => uses.Where(use => use.From == folder).Select(use => use.To).ToHashSet(StringComparer.Ordinal),
                StringComparer.Ordinal);
        var path = new HashSet<string>(StringComparer.Ordinal);
        foreach (string folder in _uses.Keys) Depth(folder, path);
        Layers = [.. Enumerable.Range(0, _depths.Values.DefaultIfEmpty(-1).Max() + 1).Select(_ => new List<Place>())];
        var boxes = new Dictionary<string, Place>(StringComparer.Ordinal);
        foreach (string folder in _uses.Keys) boxes[folder] = Add(folder, _depths[folder], widthOf(folder));
        foreach ((string from, HashSet<string> used) in _uses)
            foreach (string to in used.Where(to => _depths[to] < _depths[from] && !IsShownByAnother(from, to))
                .Order(StringComparer.Ordinal))
                Connect(boxes[from], boxes[to]);
        Order();
        Arrange();
    }

    /// <summary>From the lowest.</summary>
    public IReadOnlyList<List<Place>> Layers { get; }

    public double Width => Layers.SelectMany(layer => layer).Select(place => place.X + place.Width / 2).DefaultIfEmpty(0).Max();

    /// <summary>Boxes with the arrows that leave them, each as the places it passes.</summary>
    public IEnumerable<IReadOnlyList<Place>> Arrows() =>
        from box in Layers.SelectMany(layer => layer)
        where box.Name is not null
        from first in box.Below
        select Follow(box, first);

    private static List<Place> Follow(Place box, Place next)
    {
        List<Place> way = [box, next];
        while (way[^1].Name is null) way.Add(way[^1].Below[0]);
        return way;
    }

    /// <summary>The longest way down; a use that closes a circle is passed over.</summary>
    private int Depth(string folder, HashSet<string> path)
    {
        if (_depths.TryGetValue(folder, out int known)) return known;
        path.Add(folder);
        int depth = 0;
        foreach (string used in _uses[folder])
            if (!path.Contains(used)) depth = Math.Max(depth, Depth(used, path) + 1);
        path.Remove(folder);
        return _depths[folder] = depth;
    }

    private bool IsShownByAnother(string from, string to) =>
        _uses[from].Any(middle => middle != to && _depths[middle] < _depths[from] && _depths[middle] > _depths[to] && Reaches(middle, to));

    private bool Reaches(string from, string to) =>
        _uses[from].Contains(to)
            || _uses[from].Any(next => _depths[next] < _depths[from] && _depths[next] > _depths[to] && Reaches(next, to));

    private Place Add(string? name, int layer, double width)
    {
        var place = new Place(name, layer, width);
        Layers[layer].Add(place);
        return place;
    }

    private void Connect(Place from, Place to)
    {
        Place at = from;
        for (int layer = from.Layer - 1; layer >= to.Layer; layer--)
        {
            Place next = layer == to.Layer ? to : Add(null, layer, Lane);
            at.Below.Add(next);
            next.Above.Add(at);
            at = next;
        }
    }

    private void Order()
    {
        foreach (List<Place> layer in Layers) Pack(layer);
        for (int sweep = 0; sweep < Sweeps; sweep++)
        {
            bool isDown = sweep % 2 == 0;
            foreach (List<Place> layer in isDown ? Layers.Reverse() : Layers)
            {
                List<Place> sorted = [.. layer.OrderBy(place => MeanOf(isDown ? place.Above : place.Below) ?? place.X)];
                layer.Clear();
                layer.AddRange(sorted);
                Pack(layer);
            }
        }
    }

    /// <summary>Side by side, the middle of the layer at 0.</summary>
    private static void Pack(List<Place> layer)
    {
        double x = -layer.Sum(place => place.Width + Gap) / 2;
        foreach (Place place in layer)
        {
            place.X = x + (place.Width + Gap) / 2;
            x += place.Width + Gap;
        }
    }

    private void Arrange()
    {
        for (int sweep = 0; sweep < Sweeps; sweep++)
        {
            foreach (List<Place> layer in Layers)
            {
                double[] wanted = [.. layer.Select(place => MeanOf([.. place.Above, .. place.Below]) ?? place.X)];
                // Towards what is wanted from the left and from the right; the mean of both keeps the order and the gaps.
                double[] left = Pushed(layer, wanted, forward: true), right = Pushed(layer, wanted, forward: false);
                for (int at = 0; at < layer.Count; at++) layer[at].X = (left[at] + right[at]) / 2;
            }
        }

        double edge = Layers.SelectMany(layer => layer).Select(place => place.X - place.Width / 2).DefaultIfEmpty(0).Min();
        foreach (Place place in Layers.SelectMany(layer => layer)) place.X -= edge;
    }

    private static double[] Pushed(List<Place> layer, double[] wanted, bool forward)
    {
        double[] x = [.. wanted];
        for (int step = 1; step < layer.Count; step++)
        {
            int at = forward ? step : layer.Count - 1 - step, before = forward ? at - 1 : at + 1;
            double room = (layer[at].Width + layer[before].Width) / 2 + Gap;
            x[at] = forward ? Math.Max(x[at], x[before] + room) : Math.Min(x[at], x[before] - room);
        }

        return x;
    }

    private static double? MeanOf(List<Place> places) => places.Count == 0 ? null : places.Average(place => place.X);
}
