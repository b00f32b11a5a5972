using System.Globalization;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>One block of parameters in a picture.</summary>
internal abstract class BlockPanel
{
    /// <summary>Left edge of names, and of what is drawn.</summary>
    protected const double Names = 20, Left = 200, Right = 40;

    /// <summary>Pixels it takes.</summary>
    public abstract double Height { get; }

    /// <summary>What its marks are; empty where that is plain.</summary>
    public virtual string Note => "";

    /// <summary>Draws it.</summary>
    /// <param name="svg">The picture.</param>
    /// <param name="top">Upper edge.</param>
    /// <param name="width">Of the picture.</param>
    public abstract void Draw(SvgCanvas svg, double top, double width);

    /// <summary>The block's name, and how much of it is drawn where that is not all.</summary>
    protected static string Title(string block, int shown, int all, string what) =>
        shown < all ? string.Create(CultureInfo.InvariantCulture, $"{block}; {shown} of {all} {what}") : block;

    /// <summary>A number of at most four digits.</summary>
    protected static string Text(double value) => (value == 0 ? 0 : value).ToString("G4", CultureInfo.InvariantCulture);
}

/// <summary>A single number.</summary>
internal sealed class NumberLine(string name, double value, ValueRange range) : BlockPanel
{
    /// <inheritdoc/>
    public override double Height => 26;

    /// <inheritdoc/>
    public override string Note => range.IsKnown ? $"in brackets: {ValueRange.Meaning}" : "";

    /// <inheritdoc/>
    public override void Draw(SvgCanvas svg, double top, double width)
    {
        svg.Text(Names, top + 14, 12, SvgCanvas.Fit(name, Left - Names - 8, 12));
        string text = value.ToString("G5", CultureInfo.InvariantCulture);
        svg.Text(Left, top + 14, 12, range.IsKnown ? $"{text}  [{Text(range.Low)}, {Text(range.High)}]" : text);
    }
}

/// <summary>A value per name as bars from 0, with whiskers where these are known; the largest of many.</summary>
internal sealed class ValuesPanel(string block, string[] names, double[] values, Whiskers whiskers) : BlockPanel
{
    private const int Most = 40;
    private const double Row = 20, Head = 24, Room = 64;

    private readonly int[] _shown = values.Length <= Most ? [.. Enumerable.Range(0, values.Length)]
        : [.. Enumerable.Range(0, values.Length).OrderByDescending(at => Math.Abs(values[at])).Take(Most).Order()];

    /// <inheritdoc/>
    public override double Height => Head + _shown.Length * Row + 18;

    /// <inheritdoc/>
    public override string Note => whiskers.AreKnown ? whiskers.Note : "";

    /// <inheritdoc/>
    public override void Draw(SvgCanvas svg, double top, double width)
    {
        svg.Text(Names, top + 12, 12, Title(block, _shown.Length, values.Length, "values, the largest"), "#555");
        double low = Math.Min(0, _shown.Min(at => Round(at).Low));
        double high = Math.Max(0, _shown.Max(at => Round(at).High));
        double scale = (width - Left - Right - 2 * Room) / Math.Max(high - low, double.Epsilon), zero = Left + Room - low * scale;
        double first = top + Head;
        svg.Line(zero, first - 3, zero, first + _shown.Length * Row, "#bbbbbb");
        for (int row = 0; row < _shown.Length; row++)
        {
            int at = _shown[row];
            double middle = first + (row + 0.5) * Row, end = zero + values[at] * scale;
            svg.Text(Names, middle + 4, 12, SvgCanvas.Fit(names[at], Left - Names - 8, 12));
            svg.Box(Math.Min(zero, end), middle - 6, Math.Abs(end - zero), 12, Palette.Component(values[at] < 0 ? 1 : 0));
            (double from, double to) = (zero + Round(at).Low * scale, zero + Round(at).High * scale);
            if (at < whiskers.Ranges.Count && whiskers.Ranges[at] is { IsKnown: true } known && known.High > known.Low)
                svg.Whiskers(zero + known.Low * scale, zero + known.High * scale, middle, 4, "#333");
            bool isLeft = values[at] < 0;
            double beside = isLeft ? from - 5 : to + 5;
            svg.Text(beside, middle + 4, 10.5, Text(values[at]), anchor: isLeft ? "end" : "start");
        }
    }

    private ValueRange Round(int at) => whiskers.Round(at, values[at]);
}

/// <summary>The largest entries of every row over named ones: terms of topics, levels of nodes.</summary>
internal sealed class EntriesPanel(
    string block, string[] rows, string[] entries, double[] values, bool areShares, Whiskers whiskers) : BlockPanel
{
    private const int MostRows = 24, MostEntries = 6;
    private const double Row = 34, Head = 24, WidestNames = 380;

    private readonly double _left = Math.Clamp(Names + rows.Max(row => SvgCanvas.WidthOf(row, 12)) + 14, Left, WidestNames);

    private int Shown => Math.Min(MostRows, rows.Length);

    private int Columns => Math.Min(MostEntries, entries.Length);

    /// <inheritdoc/>
    public override double Height => Head + Shown * Row + 18;

    /// <inheritdoc/>
    public override string Note =>
        (areShares ? "bars: the share of the row, the largest first" : "bars: the value, the largest first")
        + (whiskers.AreKnown ? $"; {whiskers.Note}" : "");

    /// <inheritdoc/>
    public override void Draw(SvgCanvas svg, double top, double width)
    {
        svg.Text(Names, top + 12, 12, Title(block, Shown, rows.Length, "rows"), "#555");
        double each = (width - _left - Right) / Columns;
        double[][] parts = [.. Enumerable.Range(0, Shown).Select(Parts)];
        double full = parts.Max(row => row.Max(Math.Abs));
        if (whiskers.AreKnown) full = Math.Max(full, whiskers.Ranges.Max(range => range.IsKnown ? range.High : 0));
        for (int row = 0; row < Shown; row++)
        {
            double middle = top + Head + (row + 0.5) * Row;
            svg.Text(Names, middle + 4, 12, SvgCanvas.Fit(rows[row], _left - Names - 8, 12));
            int[] largest = [.. Enumerable.Range(0, entries.Length).OrderByDescending(at => parts[row][at]).Take(Columns)];
            for (int column = 0; column < largest.Length; column++)
            {
                double value = parts[row][largest[column]], x = _left + column * each;
                svg.Text(x, middle - 3, 11, SvgCanvas.Fit(entries[largest[column]], each - 46, 11));
                string text = areShares ? value.ToString("P1", CultureInfo.InvariantCulture) : Text(value);
                svg.Text(x + each - 12, middle - 3, 10.5, text, "#555", "end");
                svg.Box(x, middle + 2, each - 12, 7, "#f1f1f1");
                if (!(full > 0)) continue;
                svg.Box(x, middle + 2, Math.Abs(value) / full * (each - 12), 7, Palette.Component(value < 0 ? 1 : 0));
                int at = row * entries.Length + largest[column];
                if (at < whiskers.Ranges.Count && whiskers.Ranges[at] is { IsKnown: true } sure)
                    svg.Whiskers(x + sure.Low / full * (each - 12), x + sure.High / full * (each - 12), middle + 5.5, 4, "#333");
            }
        }
    }

    private double[] Parts(int row)
    {
        double[] own = values[(row * entries.Length)..((row + 1) * entries.Length)];
        double total = areShares ? own.Sum() : 1;
        return total > 0 ? [.. own.Select(value => value / total)] : own;
    }
}

/// <summary>A matrix as a map of shades: blue above 0, orange below.</summary>
internal sealed class MatrixPanel(string block, string[] rows, string[] columns, double[] values, bool areProbabilities) : BlockPanel
{
    private const int Most = 40;
    private const double Head = 46, Largest = 72;

    private int Rows => Math.Min(Most, rows.Length);

    private int Columns => Math.Min(Most, columns.Length);

    private double CellWidth => Math.Min(Largest, 700.0 / Columns);

    private double CellHeight => Math.Min(26, CellWidth);

    /// <inheritdoc/>
    public override double Height => Head + Rows * CellHeight + 20;

    /// <inheritdoc/>
    public override void Draw(SvgCanvas svg, double top, double width)
    {
        svg.Text(Names, top + 12, 12, Title(block, Rows * Columns, rows.Length * columns.Length, "cells, the first"), "#555");
        double full = areProbabilities ? 1 : Math.Max(values.Max(Math.Abs), double.Epsilon);
        for (int column = 0; column < Columns && CellWidth > 20; column++)
            svg.Text(Left + (column + 0.5) * CellWidth, top + Head - 6, 11, SvgCanvas.Fit(columns[column], CellWidth - 2, 11), "#555",
                "middle");
        for (int row = 0; row < Rows; row++)
        {
            double middle = top + Head + (row + 0.5) * CellHeight;
            if (CellHeight > 11) svg.Text(Names, middle + 4, 12, SvgCanvas.Fit(rows[row], Left - Names - 8, 12));
            for (int column = 0; column < Columns; column++)
                Cell(svg, values[row * columns.Length + column], full, Left + column * CellWidth, middle);
        }
        svg.Add($"<rect x=\"{Left:F1}\" y=\"{top + Head:F1}\" width=\"{Columns * CellWidth:F1}\" height=\"{Rows * CellHeight:F1}\" ",
            $"fill=\"none\" stroke=\"#bbbbbb\"/>");
    }

    private void Cell(SvgCanvas svg, double value, double full, double x, double middle)
    {
        double part = Math.Abs(value) / full;
        svg.Box(x, middle - CellHeight / 2, CellWidth, CellHeight, value < 0 ? Palette.ShadeBelow(part) : Palette.Shade(part));
        if (CellWidth <= 38) return;
        svg.Text(x + CellWidth / 2, middle + 4, 10.5, Text(Math.Round(value, 4)), part > 0.6 ? "#fff" : "#222", "middle");
    }
}
