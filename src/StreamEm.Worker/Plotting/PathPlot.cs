using System.Globalization;
using System.Text;
using StreamEm.Core.Data;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// A picture of sequences under a model whose state moves: a panel for every number of the state, its filtered mean with the interval that
/// holds 95 % of it, and one for every feature that the model expects, its records over what was expected before they were seen.
/// </summary>
/// <param name="snapshot">The model; its scores have <c>latent</c> and <c>prediction</c>.</param>
internal sealed class PathPlot(ModelSnapshot snapshot)
{
    private const double Width = 960, Left = 70, Right = 800, Top = 64, PanelHeight = 190, Gap = 34, Foot = 46;

    /// <summary>Keys that are drawn, the first; numbers of a state that have a panel.</summary>
    private const int MostKeys = 6, MostLatents = 4;

    /// <summary>Half of an interval that holds 95 % of a normal distribution, in standard deviations.</summary>
    private const double Reach = 1.959963984540054;

    private readonly SvgCanvas _svg = new();

    /// <summary>Whether a model's scores can be drawn so.</summary>
    public static bool Draws(LearnedModel learned) =>
        learned.Model.ScoreLayout.Blocks.Any(block => block.Name == "latent")
        && learned.Model.ScoreLayout.Blocks.Any(block => block.Name == "prediction");

    /// <summary>Draws records in their order, the sequences of different keys over each other.</summary>
    /// <param name="rows">Records, user units.</param>
    /// <param name="title">Above the picture.</param>
    public string Draw(Minibatch rows, string title)
    {
        var scorer = new Scorer(snapshot);
        double[] scores = new double[rows.Count * scorer.Layout.Length];
        scorer.Score(rows, new double[rows.Count], scores, new double[rows.Count]);
        int[][] sequences = [.. Enumerable.Range(0, rows.Count).GroupBy(row => rows.Key(row)).Select(group => group.ToArray())];
        int[][] shown = [.. sequences.Take(MostKeys)];
        Panel[] panels = [.. Latents(scorer.Layout, scores), .. Expected(scorer.Layout, scores, rows)];
        double height = Top + panels.Length * (PanelHeight + Gap) + Foot - Gap;
        var steps = new Axis(0, Math.Max(1, shown.Max(sequence => sequence.Length) - 1), Left, Right);
        _svg.Open(Width, height);
        _svg.Text(Left, 28, 17, title);
        for (int at = 0; at < panels.Length; at++) DrawPanel(panels[at], Top + at * (PanelHeight + Gap), steps, shown);
        _svg.Text((Left + Right) / 2, height - 12, 13, "record of its sequence", "#222", "middle");
        for (int key = 0; key < shown.Length && rows.Key(shown[0][0]) != Minibatch.NoKey; key++)
        {
            _svg.Box(Right + 18, Top + 18.0 * key, 12, 12, Palette.Component(key));
            string name = rows.Texts?[rows.Key(shown[key][0])] ?? key.ToString(CultureInfo.InvariantCulture);
            _svg.Text(Right + 36, Top + 18.0 * key + 10, 12, SvgCanvas.Fit(name, Width - Right - 40, 12));
        }

        if (shown.Length < sequences.Length)
            _svg.Text(Right + 18, Top + 18.0 * shown.Length + 10, 11,
                string.Create(CultureInfo.InvariantCulture, $"and {sequences.Length - shown.Length} more"), "#555");
        return _svg.Close();
    }

    /// <summary>The state, with its interval or the variance that makes one.</summary>
    private static IEnumerable<Panel> Latents(VectorLayout layout, double[] scores)
    {
        int states = layout["latent"].Length;
        VectorBlock? Find(string name) => layout.Blocks.FirstOrDefault(block => block.Name == name);
        for (int i = 0; i < Math.Min(states, MostLatents); i++)
        {
            int state = i;
            double At(int row, VectorBlock block, int entry) => scores[row * layout.Length + block.Offset + entry];
            VectorBlock latent = layout["latent"];
            Func<int, (double, double)> interval;
            if (Find("latent_lower") is { } lower && Find("latent_upper") is { } upper)
                interval = row => (At(row, lower, state), At(row, upper, state));
            else if (Find("latent_covariance") is { } covariance)
                interval = row => Around(At(row, latent, state), At(row, covariance, state * (states + 1)));
            else
                interval = row => (double.NaN, double.NaN);
            string name = states == 1 ? "latent" : string.Create(CultureInfo.InvariantCulture, $"latent {state}");
            yield return new Panel($"{name}: filtered, with its 95 % interval", row => At(row, latent, state), interval, _ => double.NaN);
        }
    }

    /// <summary>What the model expected of every feature it has a density of, and the feature.</summary>
    private IEnumerable<Panel> Expected(VectorLayout layout, double[] scores, Minibatch rows)
    {
        VectorBlock mean = layout["prediction"], variance = layout["prediction_variance"];
        int[] features = [.. mean.Features ?? [.. Enumerable.Range(0, snapshot.Space.Dimension).Where(snapshot.Model.IsDensityOf)]];
        for (int d = 0; d < Math.Min(mean.Length, features.Length); d++)
        {
            int entry = d, feature = features[d];
            double At(int row, VectorBlock block) => scores[row * layout.Length + block.Offset + entry];
            yield return new Panel(
                $"{FeatureText.Name(snapshot.Space.Features[feature])}: records, and what was expected of each by those before it",
                row => At(row, mean), row => Around(At(row, mean), At(row, variance)), row => rows.Row(row)[feature]);
        }
    }

    private static (double Lower, double Upper) Around(double mean, double variance)
    {
        double reach = Reach * Math.Sqrt(Math.Max(0, variance));
        return (mean - reach, mean + reach);
    }

    private void DrawPanel(Panel panel, double top, Axis steps, int[][] sequences)
    {
        double bottom = top + PanelHeight;
        Axis axis = Axis.Over(sequences.SelectMany(rows => Values(panel, rows)), bottom, top);
        _svg.Box(Left, top, Right - Left, PanelHeight, "#f7f7f7");
        foreach ((double value, string text) in axis.Ticks())
        {
            _svg.Line(Left, axis.At(value), Right, axis.At(value), "#e2e2e2");
            _svg.Text(Left - 8, axis.At(value) + 4, 12, text, "#555", "end");
        }

        foreach ((double value, string text) in steps.Ticks())
        {
            _svg.Line(steps.At(value), top, steps.At(value), bottom, "#e2e2e2");
            _svg.Text(steps.At(value), bottom + 15, 12, text, "#555", "middle");
        }

        _svg.Text(Left, top - 6, 12, panel.Name, "#222");
        for (int key = 0; key < sequences.Length; key++) DrawSequence(panel, sequences[key], Palette.Component(key), steps, axis);
    }

    /// <summary>
    /// What the axis has to show: intervals of sequences that have begun, since a first state may be anywhere, and all else.
    /// </summary>
    private static IEnumerable<double> Values(Panel panel, int[] rows)
    {
        double[] middle = [.. rows.Select(panel.Mean).Concat(rows.Select(panel.Value)).Where(double.IsFinite)];
        if (middle.Length == 0) yield break;
        double low = middle.Min(), high = middle.Max(), margin = Math.Max(high - low, 1e-9);
        foreach (double value in middle) yield return value;
        foreach (int row in rows)
        {
            (double lower, double upper) = panel.Interval(row);
            yield return Math.Max(lower, low - margin);
            yield return Math.Min(upper, high + margin);
        }
    }

    private void DrawSequence(Panel panel, int[] rows, string colour, Axis steps, Axis axis)
    {
        double Clamped(double value) => Math.Clamp(axis.At(value), Math.Min(axis.From, axis.To), Math.Max(axis.From, axis.To));
        int[] known = [.. Enumerable.Range(0, rows.Length).Where(t => double.IsFinite(panel.Mean(rows[t])))];
        var band = new StringBuilder();
        void Point(StringBuilder to, int t, double value) =>
            to.Append(CultureInfo.InvariantCulture, $"{steps.At(t):F1},{Clamped(value):F1} ");
        int[] sure =
            [.. known.Where(t => double.IsFinite(panel.Interval(rows[t]).Lower) && double.IsFinite(panel.Interval(rows[t]).Upper))];
        foreach (int t in sure) Point(band, t, panel.Interval(rows[t]).Upper);
        foreach (int t in sure.Reverse()) Point(band, t, panel.Interval(rows[t]).Lower);
        _svg.Add($"<polygon points=\"{band.ToString().TrimEnd()}\" fill=\"{colour}\" fill-opacity=\"0.18\"/>");
        var line = new StringBuilder();
        foreach (int t in known) Point(line, t, panel.Mean(rows[t]));
        _svg.Add($"<polyline points=\"{line.ToString().TrimEnd()}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>");
        for (int t = 0; t < rows.Length; t++)
            if (double.IsFinite(panel.Value(rows[t])))
                _svg.Add($"<circle cx=\"{steps.At(t):F1}\" cy=\"{Clamped(panel.Value(rows[t])):F1}\" r=\"2.2\" fill=\"{colour}\"/>");
    }

    /// <summary>One panel: of every row a mean, an interval and what was seen; NaN where there is none.</summary>
    private sealed record Panel(
        string Name, Func<int, double> Mean, Func<int, (double Lower, double Upper)> Interval, Func<int, double> Value);
}
