using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// A picture of what sets the components of a model apart, whatever its features hold: a panel per feature, a row per component. Bars are
/// probabilities of 1 and mean counts, stacked bars the probabilities of levels, dots with whiskers means and standard deviations. Below,
/// for a model of sequences, the passages.
/// </summary>
/// <param name="snapshot">The model.</param>
/// <param name="model">The same as a model with components.</param>
internal sealed class ProfilePlot(ModelSnapshot snapshot, ComponentModel model)
{
    private const double Width = 960, Left = 20, Weights = 142, Records = 198, Panels = 222, Right = 24, Gap = 14;
    private const double Top = 52, Head = 24, Between = 22, SureLine = 15;
    private const int MaxPanels = 60, MaxComponents = 40;

    /// <summary>The most narrow panels side by side, and the widest one of them.</summary>
    private const int MaxUnits = 10;
    private const double MaxUnit = 120;

    private readonly ComponentProfile _profile = new(snapshot, model);
    private readonly SvgCanvas _svg = new();

    /// <summary>Draws the model.</summary>
    /// <param name="shares">The share of some records that are most probably of each component [K].</param>
    /// <param name="title">Above the picture.</param>
    public string Draw(double[] shares, string title)
    {
        int[] components =
            [.. Enumerable.Range(0, model.Components).OrderByDescending(k => _profile.Weights[k]).Take(MaxComponents).Order()];
        IEnumerable<int> features = Enumerable.Range(0, Math.Min(MaxPanels, model.Dimension));
        FeaturePanel[] panels = [.. features.Select(d => FeaturePanel.Of(_profile, d, components))];
        List<FeaturePanel[]> bands = Bands(panels);
        IEnumerable<VectorBlock> passages = model.MixingBlocks.Where(block => block.Shape.Count == 2);
        TransitionMap[] maps = [.. passages.Select(block => Map(block, components))];
        double height = Top + bands.Sum(band => HeightOf(band, components.Length)) + maps.Sum(map => map.Height) + 24
            + (snapshot.Intervals is null ? 0 : SureLine);
        _svg.Open(Width, height);
        _svg.Text(Left, 28, 17, title);
        double at = Top;
        foreach (FeaturePanel[] band in bands)
        {
            Band(band, at, components, shares);
            at += HeightOf(band, components.Length);
        }

        foreach (TransitionMap map in maps)
        {
            map.Draw(_svg, Left, Panels, at);
            at += map.Height;
        }

        if (snapshot.Intervals is not null) _svg.Text(Left, height - 12 - SureLine, 11, SureNote(), "#555");
        _svg.Text(Left, height - 12, 11, Note(panels.Length, components.Length), "#555");
        return _svg.Close();
    }

    private static int UnitsOf(FeaturePanel[] band) => band.Sum(panel => panel.Units);

    /// <summary>Pixels of one unit where a band is as wide as the picture.</summary>
    private static double UnitOf(FeaturePanel[] band) => Math.Min(MaxUnit, (Width - Panels - Right) / UnitsOf(band));

    private static double HeightOf(FeaturePanel[] band, int rows) =>
        Head + rows * FeaturePanel.RowHeight + band.Max(panel => panel.FootHeight(panel.Units * UnitOf(band) - Gap)) + Between;

    /// <summary>The panels in as few lines as can be, all of about the same width.</summary>
    private static List<FeaturePanel[]> Bands(FeaturePanel[] panels)
    {
        int fewest = Cut(panels, MaxUnits).Count, most = (UnitsOf(panels) + fewest - 1) / fewest;
        while (Cut(panels, most).Count > fewest) most++;
        return Cut(panels, most);
    }

    private static List<FeaturePanel[]> Cut(FeaturePanel[] panels, int most)
    {
        var bands = new List<FeaturePanel[]>();
        for (int at = 0; at < panels.Length;)
        {
            int first = at, units = panels[at++].Units;
            while (at < panels.Length && units + panels[at].Units <= most) units += panels[at++].Units;
            bands.Add(panels[first..at]);
        }

        return bands;
    }

    private void Band(FeaturePanel[] band, double top, int[] components, double[] shares)
    {
        double unit = UnitOf(band), first = top + Head, bottom = first + components.Length * FeaturePanel.RowHeight;
        _svg.Text(Weights, top + 14, 11, "weight", "#555", "end");
        _svg.Text(Records, top + 14, 11, "records", "#555", "end");
        for (int row = 0; row < components.Length; row++)
        {
            double middle = first + (row + 0.5) * FeaturePanel.RowHeight;
            int k = components[row];
            _svg.Box(Left, middle - 6, 12, 12, Palette.Component(k));
            _svg.Text(Left + 18, middle + 4, 12, SvgCanvas.Fit(_profile.NameOf(k), Weights - Left - 62, 12));
            _svg.Text(Weights, middle + 4, 12, Percent(_profile.Weights[k]), anchor: "end");
            if (_profile.WeightRange(k) is { IsKnown: true } sure)
                _svg.Text(Weights, middle + 14, 9, Percent(sure), "#555", "end");
            _svg.Text(Records, middle + 4, 12, Percent(shares[k]), "#555", "end");
        }

        double x = Panels;
        foreach (FeaturePanel panel in band)
        {
            double width = panel.Units * unit - Gap;
            _svg.Text(x, top + 14, 12, SvgCanvas.Fit(panel.Name, width, 12));
            panel.Frame(_svg, x, first, bottom, width);
            for (int row = 0; row < components.Length; row++)
                panel.Row(_svg, components[row], x, first + (row + 0.5) * FeaturePanel.RowHeight, width);
            x += panel.Units * unit;
        }
    }

    private TransitionMap Map(VectorBlock block, int[] components) =>
        new(block.Name, _profile, components, block.Of((ReadOnlySpan<double>)snapshot.Parameters).ToArray(),
            [.. Enumerable.Range(block.Offset, block.Length).Select(at => ValueRange.Of(snapshot.Intervals, at))]);

    /// <summary>What says how sure values are.</summary>
    private string SureNote()
    {
        bool hasLevels = snapshot.Space.Features.Any(feature => feature.Kind == FeatureKind.Level);
        return $"black whiskers, small numbers: {ValueRange.Meaning}"
            + (hasLevels ? "; of segments from where each begins, or of those that would leave the bar from their end" : "");
    }

    /// <summary>What the marks are, and what is left out.</summary>
    private string Note(int panels, int components)
    {
        var marks = new List<string>();
        foreach (FeatureKind kind in snapshot.Space.Features.Select(feature => feature.Kind).Distinct()) marks.Add(kind switch
        {
            FeatureKind.Binary => "bars: probability of 1",
            FeatureKind.Count => "bars: mean count",
            FeatureKind.Level => "stacked bars: probabilities of levels",
            _ => "dots: mean ± standard deviation",
        });
        marks.Add("records: share of the data most probably of the component");
        if (panels < model.Dimension) marks.Add(string.Create(CultureInfo.InvariantCulture, $"{model.Dimension - panels} more features"));
        if (components < model.Components)
            marks.Add(string.Create(CultureInfo.InvariantCulture, $"{model.Components - components} lighter components"));
        return string.Join("; ", marks);
    }

    /// <summary>The ends of a share.</summary>
    public static string Percent(ValueRange range) =>
        string.Create(CultureInfo.InvariantCulture, $"{100 * range.Low:F1} – {100 * range.High:F1} %");

    private static string Percent(double share) => share.ToString("P1", CultureInfo.InvariantCulture);
}
