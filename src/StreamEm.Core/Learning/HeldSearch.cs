using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>Rows held back that are near each other.</summary>
/// <param name="Location">Their mean [D], inside; NaN where none has a value.</param>
/// <param name="Variances">Their variances [D], inside.</param>
/// <param name="Share">Their share of the stream.</param>
internal sealed record HeldCluster(double[] Location, double[] Variances, double Share);

/// <summary>Under what rows are looked at.</summary>
/// <param name="Model">The model.</param>
/// <param name="Space">The features.</param>
/// <param name="Parameters">Theta.</param>
/// <param name="Worth">Observations that a component stands for.</param>
/// <param name="Bound">What is far.</param>
internal readonly record struct Standpoint(
    ComponentModel Model, FeatureSpace Space, double[] Parameters, double Worth, InfluenceBound Bound);

/// <summary>
/// What rows that were held back look like under the parameters there are. Per feature u is the geometric mean of the components' standard
/// deviations, z = x / u, and rho = d / c how far a row is (<see cref="InfluenceBound"/>).
/// <list type="bullet">
/// <item>A value that at least 8 rows of two stretches share to the bit, more than 6 deviations from every component, is a tie when those are more than four
/// fifths of the values within 3 u of it, or there are fewer than three different ones: measurements vary.</item>
/// <item>A cluster are the rows within half their own distance from the components of one row, then of those rows' mean: at least 32 and
/// 2 (D + 1) of them, from 8 stretches of the stream. Between them and the components is a gap: mean(rho) - 1 is above 3 sd(rho), where the
/// tail of a component, exponential or heavier, has its mean excess near its deviation (Embrechts, Klueppelberg &amp; Mikosch 1997, section
/// 6.2); and their mean is far too.</item>
/// </list>
/// </summary>
internal sealed class HeldSearch
{
    private const int FewestTied = 8, FewestDifferent = 3, FewestRows = 32, FewestStretches = 8, FewestStretchesTied = 2;

    /// <summary>The share of the values near a tie that are the tie.</summary>
    private const double TiedShare = 0.8;

    /// <summary>The deviations within which values are near a tie.</summary>
    private const double Near = 3;

    /// <summary>The deviations of rho that make a gap.</summary>
    private const double Gap = 3;

    /// <summary>Squared deviations beyond which a single value is far.</summary>
    private const double FarSquare = 36;

    private readonly Standpoint _from;
    private readonly InfluenceBound _bound;
    private readonly double[] _units, _means, _variances, _rho;
    private readonly bool[] _isMeasured;
    private readonly List<double[]> _values, _inside;
    private readonly List<long> _places;
    private readonly List<int> _rows;

    private HeldSearch(Standpoint from, List<double[]> values, List<long> places, double[] means, double[] variances)
    {
        (_from, _bound, _means, _variances) = (from, from.Bound.Another(), means, variances);
        (_values, _places) = ([.. values], [.. places]);
        var raw = new Minibatch(from.Space.Dimension, values.Count);
        foreach (double[] row in values) raw.Add(row);
        var inside = new Minibatch(from.Space.Dimension, values.Count);
        from.Space.Encode(raw, 0, raw.Count, inside);
        _inside = [.. Enumerable.Range(0, inside.Count).Select(row => inside.Row(row).ToArray())];
        _units = ComponentChange.Units(from.Model, from.Parameters);
        _isMeasured = [.. from.Space.Features.Select(feature => feature.Kind is not (FeatureKind.Level or FeatureKind.Binary))];
        _rho = Distances(inside);
        _rows = [.. Enumerable.Range(0, values.Count).Where(IsFar)];
    }

    /// <summary>Begins; null where the model does not say where its components are.</summary>
    /// <param name="from">Under what the rows are looked at.</param>
    /// <param name="values">The rows, user units.</param>
    /// <param name="places">Which rows of the stream they were.</param>
    public static HeldSearch? Begin(Standpoint from, List<double[]> values, List<long> places)
    {
        double[] means = new double[from.Model.Components * from.Model.Dimension], variances = new double[means.Length];
        return from.Model.TryComponentMoments(from.Parameters, means, variances)
            ? new HeldSearch(from, values, places, means, variances)
            : null;
    }

    /// <summary>Whether a row is still far from every component.</summary>
    public bool IsFar(int row) => _rho[row] > 1;

    /// <summary>The values that are no measurements; their rows do not count any more.</summary>
    public List<TiedValue> Ties()
    {
        var ties = new List<TiedValue>();
        for (int d = 0; d < _units.Length; d++)
        {
            if (!_isMeasured[d]) continue;
            foreach (IGrouping<double, int> same in _rows.Where(row => IsOff(row, d)).GroupBy(row => _values[row][d]))
            {
                int count = same.Count();
                double value = _inside[same.First()][d];
                double[] near = [.. _rows.Select(row => _inside[row][d]).Where(other => Math.Abs(other - value) <= Near * _units[d])];
                if (count >= FewestTied && Stretches(same) >= FewestStretchesTied && (count > TiedShare * near.Length || near.Distinct().Count() < FewestDifferent))
                    ties.Add(new TiedValue(d, same.Key, 0));
            }
        }
        _rows.RemoveAll(row => ties.Exists(tie => _values[row][tie.Feature] == tie.Value));
        return ties;
    }

    /// <summary>The cluster most of the rows are in; null for none.</summary>
    /// <param name="isChange">Whether it is known that what is far keeps coming, so that it need not come from many stretches.</param>
    /// <param name="areTiesMeasured">Whether its rows may all have the same value.</param>
    public HeldCluster? Cluster(bool isChange, bool areTiesMeasured)
    {
        if (_rows.Count < FewestRows) return null;
        List<int> group = [];
        foreach (int seed in _rows)
            if (Around(_inside[seed], _rho[seed]) is { } rows && rows.Count > group.Count) group = rows;
        var centre = new Minibatch(_units.Length, 1);
        centre.Add(Mean(group));
        double rho = Distances(centre)[0];
        group = Around(centre.Row(0), rho);
        if (!IsCluster(group, isChange) || (!areTiesMeasured && !Varies(group))) return null;
        double[] mean = Mean(group), variances = new double[mean.Length];
        centre.Clear();
        centre.Add(mean);
        if (!HasGap(Distances(centre)[0], group)) return null;
        for (int d = 0; d < variances.Length; d++) variances[d] = Variance(group, d, mean[d]);
        long stretch = group.Max(row => _places[row]) - group.Min(row => _places[row]) + 1;
        return new HeldCluster(mean, variances, Math.Min((double)group.Count / stretch, 1.0 / _from.Model.Components));
    }

    private bool IsCluster(List<int> group, bool isChange)
    {
        if (group.Count < Math.Max(FewestRows, Math.Min(2 * (_units.Length + 1), HeldRows.Most * 3 / 4))) return false;
        return isChange || Stretches(group) >= FewestStretches;
    }

    private int Stretches(IEnumerable<int> rows) => rows.Select(row => _places[row] / HeldRows.Stretch).Distinct().Count();

    private bool Varies(List<int> group)
    {
        for (int d = 0; d < _units.Length; d++)
            if (_isMeasured[d] && group.All(row => IsOff(row, d))
                && group.Select(row => _values[row][d]).Distinct().Count() < FewestDifferent) return false;
        return true;
    }

    private bool HasGap(double rho, List<int> group)
    {
        double mean = group.Average(row => _rho[row]), square = 0;
        foreach (int row in group) square += (_rho[row] - mean) * (_rho[row] - mean);
        double gap = Gap * Math.Sqrt(square / (group.Count - 1));
        return mean - 1 > gap && rho - 1 > gap;
    }

    /// <summary>The rows within half of a row's distance from the components.</summary>
    private List<int> Around(ReadOnlySpan<double> row, double rho)
    {
        var rows = new List<int>();
        double most = 0.25 * rho * rho * _bound.Limit(_units.Length - row.Count(double.NaN));
        foreach (int other in _rows)
        {
            double square = 0;
            for (int d = 0; d < _units.Length && square <= most; d++)
            {
                double difference = (_inside[other][d] - row[d]) / _units[d];
                if (!double.IsNaN(difference)) square += difference * difference;
            }
            if (square <= most) rows.Add(other);
        }
        return rows;
    }

    private double[] Mean(List<int> group)
    {
        double[] mean = new double[_units.Length];
        for (int d = 0; d < mean.Length; d++) mean[d] = Mean(group, d);
        return mean;
    }

    private double Mean(List<int> group, int d)
    {
        double sum = 0;
        int count = 0;
        foreach (int row in group)
            if (!double.IsNaN(_inside[row][d])) (sum, count) = (sum + _inside[row][d], count + 1);
        return sum / count;
    }

    /// <summary>At least a hundredth of what is narrow; that where fewer than two have a value.</summary>
    private double Variance(List<int> group, int d, double mean)
    {
        double narrow = _units[d] * _units[d], sum = 0;
        int count = 0;
        foreach (int row in group)
            if (!double.IsNaN(_inside[row][d])) (sum, count) = (sum + (_inside[row][d] - mean) * (_inside[row][d] - mean), count + 1);
        return count < 2 ? narrow : Math.Max(sum / (count - 1), 0.01 * narrow);
    }

    /// <summary>Whether a row's value of one feature is far from every component by itself.</summary>
    private bool IsOff(int row, int d)
    {
        double value = _inside[row][d];
        if (double.IsNaN(value)) return false;
        for (int k = 0; k < _from.Model.Components; k++)
        {
            double difference = value - _means[k * _units.Length + d];
            if (difference * difference <= FarSquare * _variances[k * _units.Length + d]) return false;
        }
        return true;
    }

    /// <summary>rho of rows inside; 0 of those that are not far.</summary>
    private double[] Distances(Minibatch rows)
    {
        _bound.Begin(rows.Count, _from.Worth);
        new ShardedEStep(_from.Model, 1).Accumulate(
            _from.Model.Prepare(_from.Parameters), rows, new double[_from.Model.StatisticsLayout.Length], new double[rows.Count],
            new Pass(null) { Bound = _bound });
        return [.. Enumerable.Range(0, rows.Count).Select(row => _bound.IsHeld(row) ? Math.Sqrt(_bound.Square(row)) : 0)];
    }
}
