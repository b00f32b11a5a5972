using System.Globalization;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>A panel for every criterion: its value over the number of components, the best one ringed.</summary>
internal static class CriteriaPlot
{
    private const double PanelWidth = 300, PanelHeight = 210, Left = 64, Right = 16, Top = 34, Bottom = 34, Head = 44, TextSize = 11;
    private const int Columns = 3;

    /// <summary>The picture.</summary>
    /// <param name="reports">The candidates.</param>
    /// <param name="title">Above it.</param>
    /// <param name="unit">What there is a number of.</param>
    public static string Draw(IReadOnlyList<CandidateReport> reports, string title, string unit)
    {
        var panels = new List<(string Title, Func<CandidateReport, double> Of, int Best)>();
        foreach (Criterion criterion in Criterion.All)
            if (criterion.Best(reports) is >= 0 and var best)
                panels.Add(($"{criterion.Title} ({(criterion.IsLargerBetter ? "larger" : "smaller")} is better)", criterion.Of, best));
        if (reports.All(report => double.IsFinite(report.Distortion)))
            panels.Add(("distortion (knee)", report => report.Distortion, DistortionCurve.Knee(reports)));
        int columns = Math.Min(Columns, Math.Max(1, panels.Count)), rows = (panels.Count + columns - 1) / columns;
        var svg = new SvgCanvas();
        svg.Open(columns * PanelWidth, Head + rows * PanelHeight);
        svg.Text(Left / 2, 27, 15, SvgCanvas.Fit(title, columns * PanelWidth - Left, 15));
        for (int at = 0; at < panels.Count; at++)
            Panel(svg, reports, panels[at], at % columns * PanelWidth, Head + at / columns * PanelHeight, unit);
        return svg.Close();
    }

    private static void Panel(
        SvgCanvas svg, IReadOnlyList<CandidateReport> reports, (string Title, Func<CandidateReport, double> Of, int Best) panel, double x,
        double y, string unit)
    {
        double bottom = y + PanelHeight - Bottom;
        var across = Axis.Over(reports.Select(report => (double)report.Components), x + Left, x + PanelWidth - Right);
        var up = Axis.Over(reports.Select(panel.Of), bottom, y + Top);
        svg.Text(x + Left, y + 20, 12, panel.Title);
        foreach ((double value, string text) in up.Ticks())
        {
            svg.Line(x + Left, up.At(value), x + PanelWidth - Right, up.At(value), "#eeeeee");
            svg.Text(x + Left - 6, up.At(value) + 4, TextSize, text, "#666", "end");
        }

        svg.Line(x + Left, bottom, x + PanelWidth - Right, bottom, "#bbbbbb");
        int every = (reports.Count + 9) / 10;
        for (int at = 0; at < reports.Count; at++)
            if (at % every == 0 || at == panel.Best)
                svg.Text(across.At(reports[at].Components), bottom + 15, TextSize,
                    reports[at].Components.ToString(CultureInfo.InvariantCulture), "#444", "middle");
        svg.Text(x + PanelWidth - Right, bottom + 28, 10, unit, "#888", "end");
        for (int at = 1; at < reports.Count; at++)
        {
            (double from, double to) = (panel.Of(reports[at - 1]), panel.Of(reports[at]));
            if (double.IsFinite(from) && double.IsFinite(to))
                svg.Line(across.At(reports[at - 1].Components), up.At(from), across.At(reports[at].Components), up.At(to),
                    Palette.Component(0), 1.6);
        }

        for (int at = 0; at < reports.Count; at++)
        {
            double value = panel.Of(reports[at]);
            if (!double.IsFinite(value)) continue;
            bool isBest = at == panel.Best;
            string fill = isBest ? Palette.Component(1) : Palette.Component(0);
            svg.Add($"<circle cx=\"{across.At(reports[at].Components):F1}\" cy=\"{up.At(value):F1}\" r=\"{(isBest ? 5 : 3)}\" ",
                $"fill=\"{fill}\"/>");
        }
    }
}
