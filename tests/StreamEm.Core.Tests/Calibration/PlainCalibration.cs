using System.Globalization;
using StreamEm.Core.Calibration;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Calibration;

/// <summary>
/// What <see cref="StreamCalibration"/> is to remember, the plain way: dictionaries of bins, of sets of missing features and of records,
/// each looked up by a text. To be compared with it over random streams.
/// </summary>
internal sealed class PlainCalibration(int dimension, bool isOfRecords = true)
{
    private const int Sets = 16, Records = 128, Sample = 256, Stretch = 1024;

    private readonly Dictionary<int, double> _all = [];
    private readonly OrderedDictionary<string, Set> _sets = [];
    private readonly Dictionary<string, Kind> _kinds = [];
    private double _weight, _worth;

    /// <summary>Records that are kept as they are.</summary>
    public int Kinds => _kinds.Count;

    /// <summary>Sets of missing features that are told apart.</summary>
    public int SetCount => _sets.Count;

    /// <summary>All that is remembered, by its name.</summary>
    public SortedDictionary<string, double> Describe()
    {
        var all = new SortedDictionary<string, double>(StringComparer.Ordinal) { ["weight"] = _weight, ["worth"] = _worth };
        Describe(all, "all", _all);
        foreach ((string missing, Set set) in _sets)
        {
            all[$"set {missing} counter"] = set.Counter;
            Describe(all, $"set {missing}", set.Bins);
        }
        foreach ((string row, Kind kind) in _kinds)
            foreach ((string name, double value) in (ReadOnlySpan<(string, double)>)[("weight", kind.Weight), ("of its set", kind.OfItsSet),
                ("counter", kind.Counter), ("log-density", kind.LogDensity), ("comparable", kind.Comparable)])
                all[$"record {row} {name}"] = value;
        return all;
    }

    /// <summary>The score function of all records, by a sketch of them and what is kept as it is.</summary>
    public AnomalyCalibration? Calibrate() => Sketch(_all).Calibrate(
        [.. _kinds.Values.Select(kind => new Tie(kind.Missing.Contains('-') ? kind.Comparable : kind.LogDensity, kind.Weight))]);

    /// <summary>Those of the sets of missing features that are known well enough, of 500 records.</summary>
    public IEnumerable<(int[] Missing, AnomalyCalibration Calibration)> CalibrateSets() =>
        from known in _sets
        let ties = (Tie[])[.. from kind in _kinds.Values
                              where kind.Missing == known.Key && kind.OfItsSet > 0
                              select new Tie(kind.LogDensity, kind.OfItsSet)]
        where known.Value.Bins.Values.Sum() + ties.Sum(tie => tie.Weight) >= 500
        select ((int[])[.. Enumerable.Range(0, dimension).Where(d => known.Key[d] == '-')], Sketch(known.Value.Bins).Calibrate(ties)!);

    public void Fade(double factor)
    {
        foreach (int bin in _all.Keys) _all[bin] *= factor;
        foreach (Set set in _sets.Values)
        {
            set.Counter *= factor;
            foreach (int bin in set.Bins.Keys) set.Bins[bin] *= factor;
        }
        foreach (Kind kind in _kinds.Values)
            (kind.Weight, kind.OfItsSet, kind.Counter) = (kind.Weight * factor, kind.OfItsSet * factor, kind.Counter * factor);
        (_weight, _worth) = (_weight * factor, _worth * factor);
    }

    public void Add(Minibatch rows, double[] logDensities, double[] comparable, double unit)
    {
        double[] weights = [.. Enumerable.Range(0, rows.Count).Select(rows.Weight)];
        double sum = weights.Sum(), squares = weights.Sum(weight => weight * weight);
        _weight += sum * unit;
        _worth += squares > 0 ? sum * sum / squares : 0;
        double factor = _weight > 0 ? _worth / _weight * unit : 0;
        for (int row = 0; row < weights.Length; row++) weights[row] *= factor;
        bool hasMissing = rows.Values.Contains(double.NaN);
        if (hasMissing) BeginSets();
        if (isOfRecords) Keep(rows, logDensities, factor);
        for (int row = 0; row < rows.Count; row++)
        {
            if (double.IsNaN(logDensities[row]) || weights[row] <= 0) continue;
            string missing = Missing(rows.Row(row));
            Set? set = _sets.Count > 0 ? SetOf(missing, weights[row]) : null;
            bool isFinite = double.IsFinite(logDensities[row]);
            double ofAll = isFinite && missing.Contains('-') ? comparable[row] : logDensities[row];
            if (isFinite && _kinds.TryGetValue(Name(rows.Row(row)), out Kind? kind))
            {
                kind.Weight += weights[row];
                kind.Counter += weights[row];
                if (set is not null || _sets.Count == 0) kind.OfItsSet += weights[row];
                (kind.LogDensity, kind.Comparable) = (logDensities[row], ofAll);
                continue;
            }
            Count(_all, ofAll, weights[row]);
            if (set is not null) Count(set.Bins, logDensities[row], weights[row]);
        }
    }

    public void Add(PlainCalibration other)
    {
        foreach (Kind kind in other._kinds.Values) other.Release(kind);
        other._kinds.Clear();
        if (_sets.Count + other._sets.Count > 0)
        {
            BeginSets();
            other.BeginSets();
        }
        foreach ((int bin, double weight) in other._all) _all[bin] = _all.GetValueOrDefault(bin) + weight;
        foreach ((string missing, Set set) in other._sets)
        {
            if (!_sets.TryGetValue(missing, out Set? own))
            {
                if (_sets.Count == Sets) continue;
                _sets[missing] = own = new Set();
            }
            own.Counter += set.Counter;
            foreach ((int bin, double weight) in set.Bins) own.Bins[bin] = own.Bins.GetValueOrDefault(bin) + weight;
        }
        (_weight, _worth) = (_weight + other._weight, _worth + other._worth);
    }

    /// <summary>The first time a value is missing: all that came before was complete.</summary>
    private void BeginSets()
    {
        if (_sets.Count > 0) return;
        var complete = new Set { Counter = _all.Values.Sum() + _kinds.Values.Sum(kind => kind.Weight) };
        foreach ((int bin, double weight) in _all) complete.Bins[bin] = weight;
        _sets[new string('1', dimension)] = complete;
    }

    /// <summary>The records met twice among the first 256 of every 1024 are kept, as far as there is room.</summary>
    private void Keep(Minibatch rows, double[] logDensities, double factor)
    {
        for (int first = 0; first < rows.Count; first += Stretch)
        {
            int stretch = Math.Min(Stretch, rows.Count - first), sample = Math.Min(Sample, stretch);
            var met = new Dictionary<string, int>();
            var twins = new List<(string Name, int Row)>();
            for (int row = first; row < first + sample; row++)
            {
                if (!double.IsFinite(logDensities[row])) continue;
                string name = Name(rows.Row(row));
                met[name] = met.GetValueOrDefault(name) + 1;
                if (met[name] == 2 && !_kinds.ContainsKey(name)) twins.Add((name, row));
            }
            foreach ((string name, int row) in twins)
            {
                if (rows.Weight(row) * factor <= 0) continue;
                // Two of the sample stand for so many of the stretch.
                if (_kinds.Count == Records) CountDown(2.0 * stretch / sample * rows.Weight(row) * factor);
                if (_kinds.Count < Records) _kinds[name] = new Kind(Missing(rows.Row(row)));
            }
        }
    }

    private void CountDown(double weight)
    {
        foreach ((string name, Kind kind) in _kinds)
        {
            kind.Counter -= weight;
            if (kind.Counter > 0) continue;
            Release(kind);
            _kinds.Remove(name);
        }
    }

    private void Release(Kind kind)
    {
        Count(_all, kind.Comparable, kind.Weight);
        if (_sets.TryGetValue(kind.Missing, out Set? set)) Count(set.Bins, kind.LogDensity, kind.OfItsSet);
    }

    /// <summary>Misra and Gries: a set for which there is no room counts all down.</summary>
    private Set? SetOf(string missing, double weight)
    {
        if (_sets.TryGetValue(missing, out Set? known))
        {
            known.Counter += weight;
            return known;
        }
        if (_sets.Count == Sets)
        {
            foreach (Set set in _sets.Values) set.Counter -= weight;
            foreach (string gone in _sets.Keys.Where(name => _sets[name].Counter <= 0).ToArray()) _sets.Remove(gone);
            if (_sets.Count == Sets) return null;
        }
        foreach (Kind kind in _kinds.Values)
            if (kind.Missing == missing) kind.OfItsSet = 0;
        return _sets[missing] = new Set { Counter = weight };
    }

    private static void Count(Dictionary<int, double> bins, double logDensity, double weight)
    {
        double v = 3 - logDensity, y = Math.Min(40, Math.Log(1 + Math.Abs(v)));
        int bin = (int)Math.Floor(256 * (v < 0 ? -y : y));
        if (weight > 0) bins[bin] = bins.GetValueOrDefault(bin) + weight;
    }

    /// <summary>A character a feature: - where it is missing.</summary>
    private static string Missing(ReadOnlySpan<double> row)
    {
        char[] missing = new char[row.Length];
        for (int d = 0; d < row.Length; d++) missing[d] = double.IsNaN(row[d]) ? '-' : '1';
        return new string(missing);
    }

    /// <summary>The values; the two zeros are one, and so are all NaN.</summary>
    public static string Name(ReadOnlySpan<double> row)
    {
        string[] values = new string[row.Length];
        for (int d = 0; d < row.Length; d++)
            values[d] = double.IsNaN(row[d]) ? "-" : (row[d] + 0.0).ToString("R", CultureInfo.InvariantCulture);
        return string.Join(' ', values);
    }

    private static void Describe(SortedDictionary<string, double> all, string name, Dictionary<int, double> bins)
    {
        all[$"{name} total"] = bins.Values.Sum();
        foreach ((int bin, double weight) in bins)
            if (weight > 0) all[$"{name} bin {bin}"] = weight;
    }

    private static LogDensitySketch Sketch(Dictionary<int, double> bins)
    {
        var sketch = new LogDensitySketch();
        foreach ((int bin, double weight) in bins) sketch.Add(LogDensitySketch.LogDensity((bin + 0.5) / 256), weight);
        return sketch;
    }

    private sealed class Set
    {
        public Dictionary<int, double> Bins { get; } = [];

        public double Counter { get; set; }
    }

    private sealed class Kind(string missing)
    {
        public string Missing => missing;

        public double Weight { get; set; }

        public double OfItsSet { get; set; }

        public double Counter { get; set; }

        public double LogDensity { get; set; }

        public double Comparable { get; set; }
    }
}
