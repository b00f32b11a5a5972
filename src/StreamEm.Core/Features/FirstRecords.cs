using StreamEm.Core.Data;

namespace StreamEm.Core.Features;

/// <summary>
/// What the first records say of the features, robustly: locations, scales and variances, which features are asleep (all values but a few
/// are one), and which rows are regular. Per feature, over the n values present in rows of weight above 0:
/// <code>
/// c = median, s = (q90 - q10) / 2.563                    the inter-decile range of a normal is 2.563 standard deviations
/// s = median of |x - c| over the x that are not c        where the deciles are equal: idle, zero-inflated
/// asleep where fewer than max(3, n / 200) values are not c, and fewer than half
/// bound  = 30 s 10^j, the smallest j = 0, 1, ... beyond which less than 2 % of the values lie; 5 % where they are one or two numbers
/// location, scale = weighted mean and standard deviation of the values within the bound
/// </code>
/// A value beyond the bound is a glitch and not a cluster: a cluster is more of the records. Order statistics break down at 10 % (Hampel,
/// Ronchetti, Rousseeuw &amp; Stahel 1986, section 1.4); the mean and deviation within are those of all values on ordinary data.
/// </summary>
internal sealed class FirstRecords
{
    /// <summary>q90 - q10 of a standard normal.</summary>
    private const double NormalDeciles = 2.5631031310892007;

    /// <summary>How many s away values may lie before they are looked at twice.</summary>
    private const double Wide = 30;

    /// <summary>The share of values that may be glitches.</summary>
    private const double GlitchShare = 0.02;

    /// <summary>The share of values that may be one or two numbers, always the same, and far from all others: no measurements.</summary>
    private const double TiedShare = 0.05;

    /// <summary>Fewer values beside the constant, as a share and as a number, leave a feature asleep.</summary>
    private const double AwakeShare = 0.005;

    private const int AwakeValues = 3;

    private readonly double[] _low, _high;

    /// <summary>Looks at rows in the user's units, levels as codes.</summary>
    public FirstRecords(FeatureSpace plan, Minibatch rows)
    {
        int dimension = plan.Dimension;
        (_low, _high) = (new double[dimension], new double[dimension]);
        (Constants, IsAsleep, Tiny) = (new double[dimension], new bool[dimension], new int[dimension]);
        Feature[] features = [.. plan.Features];
        bool anyAwake = false;
        for (int d = 0; d < dimension; d++)
        {
            double[] values = Present(rows, d);
            bool isAwake = Look(features[d], values, d);
            anyAwake |= isAwake;
            if (features[d].Scaling == FeatureScaling.None) continue;
            IsAsleep[d] = !isAwake && features[d].Scaling != FeatureScaling.CommonScale;
            double location = double.IsNaN(Constants[d]) || features[d].Scaling == FeatureScaling.ScaleOnly ? 0 : Constants[d];
            features[d] = IsAsleep[d]
                ? features[d] with { Location = location, Scale = 1 }
                : FeatureStatistics.Scaled(features[d], rows, d, (_low[d], _high[d]));
        }
        IsBlank = !anyAwake;
        FeatureStatistics.ShareScales(features);
        Space = FeatureStatistics.WithVariances(new FeatureSpace(features), rows, this);
    }

    /// <summary>The features with what the records say.</summary>
    public FeatureSpace Space { get; }

    /// <summary>The median of every feature [D]: the constant of one that is asleep; NaN for one without a value.</summary>
    public double[] Constants { get; }

    /// <summary>Features that are scaled and whose scale is not known yet [D].</summary>
    public bool[] IsAsleep { get; }

    /// <summary>Values of every feature that differ from its constant by something that has no square [D].</summary>
    public int[] Tiny { get; }

    /// <summary>Whether all features are constant, so that the records say nothing of any component.</summary>
    public bool IsBlank { get; }

    /// <summary>Whether a row says something: weight above 0 and a value.</summary>
    public static bool IsEvidence(Minibatch rows, int row) => rows.Weight(row) > 0 && rows.Row(row).ContainsAnyExcept(double.NaN);

    /// <summary>Whether first parameters may be found with a row: weight above 0, no glitch.</summary>
    public bool IsRegular(Minibatch rows, int row)
    {
        if (!(rows.Weight(row) > 0)) return false;
        ReadOnlySpan<double> values = rows.Row(row);
        for (int d = 0; d < values.Length; d++)
            if (values[d] < _low[d] || values[d] > _high[d]) return false;
        return true;
    }

    /// <summary>The regular rows as they are inside, as <see cref="FeatureStatistics.Regular"/> leaves them.</summary>
    /// <param name="rows">In the user's units.</param>
    /// <param name="inside">The same, inside.</param>
    public Minibatch Regular(Minibatch rows, Minibatch inside) => FeatureStatistics.Regular(inside, row => IsRegular(rows, row));

    /// <summary>Whether a value differs from a constant by more than rounding, and by something that has a square.</summary>
    internal static bool IsOff(double value, double constant) =>
        double.IsNaN(constant)
            ? !double.IsNaN(value)
            : Math.Abs(value - constant) > Rounding(constant);

    /// <summary>Whether a value differs by more than rounding, and by so little that no variance can be told.</summary>
    internal static bool IsTiny(double value, double constant)
    {
        double deviation = Math.Abs(value - constant);
        return deviation <= FeatureStatistics.LeastSpread && deviation > 1e-14 * Math.Abs(constant);
    }

    private static double Rounding(double constant) => Math.Max(FeatureStatistics.LeastSpread, 1e-14 * Math.Abs(constant));

    /// <summary>c, the bound, and whether enough values are not c.</summary>
    private bool Look(Feature feature, double[] sorted, int d)
    {
        (_low[d], _high[d], Constants[d]) = (double.NegativeInfinity, double.PositiveInfinity, double.NaN);
        if (sorted.Length == 0) return false;
        double centre = Constants[d] = sorted[sorted.Length / 2];
        // How long texts are says nothing of whether they differ.
        if (feature.Kind == FeatureKind.Terms) return true;
        Tiny[d] = sorted.Count(value => IsTiny(value, centre));
        double[] off = [.. sorted.Where(value => IsOff(value, centre)).Select(value => Math.Abs(value - centre))];
        bool isAwake = off.Length >= Math.Max(AwakeValues, AwakeShare * sorted.Length)
            || (off.Length > 0 && 2 * off.Length >= sorted.Length);
        if (feature.Kind is FeatureKind.Binary or FeatureKind.Level) return isAwake;
        if (!isAwake)
        {
            double rounding = Rounding(centre);
            (_low[d], _high[d]) = (centre - rounding, centre + rounding);
            return false;
        }
        double spread = (Quantile(sorted, 0.9) - Quantile(sorted, 0.1)) / NormalDeciles;
        Array.Sort(off);
        if (!(spread > FeatureStatistics.LeastSpread)) spread = off[off.Length / 2];
        double bound = Wide * spread;
        while (!AreFew(off.AsSpan(Array.FindLastIndex(off, value => value <= bound) + 1), sorted.Length)) bound *= 10;
        (_low[d], _high[d]) = (centre - bound, centre + bound);
        return true;
    }

    /// <summary>Whether values beyond the bound are few enough to be left out.</summary>
    private static bool AreFew(ReadOnlySpan<double> beyond, int all)
    {
        if (beyond.Length < GlitchShare * all) return true;
        if (beyond.Length >= TiedShare * all) return false;
        int different = 1;
        for (int at = 1; at < beyond.Length; at++)
            if (beyond[at] != beyond[at - 1]) different++;
        return different <= 2;
    }

    /// <summary>The values present in rows that count, ascending.</summary>
    private static double[] Present(Minibatch rows, int d)
    {
        var present = new List<double>(rows.Count);
        for (int row = 0; row < rows.Count; row++)
            if (rows.Weight(row) > 0 && !double.IsNaN(rows.Row(row)[d])) present.Add(rows.Row(row)[d]);
        present.Sort();
        return [.. present];
    }

    /// <summary>By linear interpolation.</summary>
    private static double Quantile(double[] sorted, double share)
    {
        double at = share * (sorted.Length - 1);
        int below = (int)at;
        double above = sorted[Math.Min(below + 1, sorted.Length - 1)];
        return sorted[below] + (at - below) * (above - sorted[below]);
    }
}
