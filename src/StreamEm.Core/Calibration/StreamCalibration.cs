using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Calibration;

/// <summary>
/// What a learner remembers of its stream's log-densities: a sketch over all records, in which one with missing values stands by the
/// log-density of a complete record as improbable, and sketches of their own for the sets of missing features met most. Which sets those
/// are is kept by the counters of Misra &amp; Gries (1982): a set that more than a seventeenth of the records have cannot be left out.
/// Records that many others equal are not in the sketches: they are kept as they are, for every version says anew how probable they are
/// (<see cref="FrequentRecords"/>). Everything fades as the parameters forget (<see cref="FadeOf"/>). Part of the state.
/// </summary>
internal sealed partial class StreamCalibration
{
    /// <summary>Sets of missing features with a sketch of their own.</summary>
    private const int MaxPatterns = 16;

    /// <summary>Records from which on a sketch of one set is used: ten beyond the 98 % quantile.</summary>
    private const double MinPatternRecords = 500;

    /// <summary>Records in which the memory fades by e at the fastest: a tail of 2 % of them can still be told.</summary>
    private const double LeastMemory = 5000;

    private readonly LogDensitySketch _all = new();
    private readonly FrequentRecords? _frequent;
    private readonly int[] _twins = new int[FrequentRecords.Sample];
    private readonly List<MissingSketch> _patterns = [];
    private readonly Stack<MissingSketch> _spare = new();
    private readonly ulong[] _mask;
    private double _weight, _worth;
    private double[] _bins = [], _comparableBins = [];

    /// <summary>Remembers nothing yet.</summary>
    /// <param name="dimension">D.</param>
    /// <param name="isOfRecords">Whether a record's log-density is its own, so that of equal records one says all: not where it depends on
    /// those before it.</param>
    public StreamCalibration(int dimension, bool isOfRecords = true)
    {
        Dimension = dimension;
        if (isOfRecords) _frequent = new FrequentRecords(dimension);
        _mask = new ulong[(dimension + 63) / 64];
    }

    /// <summary>Number of features D.</summary>
    public int Dimension { get; }

    /// <summary>
    /// What the memory fades by before the records of an update are added: what the recursion leaves of older minibatches beside the new
    /// one, (1 - gamma_t) gamma_t-1 / gamma_t, so that the shares are of the stream as the parameters remember it and those of a model that
    /// was still finding its place are forgotten with it; but never faster than by e in 5000 records.
    /// </summary>
    /// <param name="previous">gamma_t-1.</param>
    /// <param name="current">gamma_t.</param>
    /// <param name="rows">Records of the update.</param>
    public static double FadeOf(double previous, double current, int rows) =>
        Math.Clamp((1 - current) * previous / current, ScalarMath.Exp(-rows / LeastMemory), 1);

    /// <summary>Takes over what another of the same features remembers.</summary>
    public void CopyFrom(StreamCalibration other)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true)) other.Save(writer);
        stream.Position = 0;
        using var reader = new BinaryReader(stream);
        Load(reader, StateVersion.Current);
    }

    /// <summary>Begins with what a calibration of the same features knows.</summary>
    public void Restore(AnomalyCalibration calibration)
    {
        Clear();
        _all.Restore(calibration);
        (_weight, _worth) = (calibration.Records, calibration.Records);
        foreach (PatternCalibration pattern in calibration.Patterns.Take(MaxPatterns))
        {
            Array.Clear(_mask);
            foreach (int d in pattern.Missing) _mask[d / 64] |= 1UL << (d % 64);
            var sketch = new MissingSketch(_mask.Length);
            sketch.Begin(_mask, pattern.Calibration.Records);
            sketch.Sketch.Restore(pattern.Calibration);
            _patterns.Add(sketch);
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _all.Clear();
        _frequent?.Clear();
        foreach (MissingSketch pattern in _patterns) _spare.Push(pattern);
        _patterns.Clear();
        (_weight, _worth) = (0, 0);
    }

    /// <summary>Multiplies the weight of everything remembered.</summary>
    public void Fade(double factor)
    {
        if (factor == 1) return;
        _all.Fade(factor);
        _frequent?.Fade(factor);
        foreach (MissingSketch pattern in _patterns) pattern.Fade(factor);
        _weight *= factor;
        _worth *= factor;
    }

    /// <summary>Adds the records of an update.</summary>
    /// <param name="rows">Inside, NaN = missing.</param>
    /// <param name="complete">Whether no value is missing.</param>
    /// <param name="logDensities">One per row.</param>
    /// <param name="comparable">See <see cref="Models.Pass.Comparable"/>; used where values are missing.</param>
    /// <param name="unit">What the weights are in.</param>
    public void Add(Minibatch rows, bool complete, ReadOnlySpan<double> logDensities, ReadOnlySpan<double> comparable, double unit)
    {
        int count = rows.Count;
        _weight += rows.TotalWeight * unit;
        _worth += RelativeWeights.Worth(rows, [], count);
        // Of a record, by its weight; 1 where all weights are alike.
        double factor = _weight > 0 ? _worth / _weight * unit : 0;
        if (!complete && _patterns.Count == 0) BeginPatterns();
        FindFrequent(rows, logDensities[..count], factor);
        if (complete && _patterns.Count == 0 && rows.Weights.IsEmpty && factor == 1 && !HasFrequent)
        {
            _all.AddRange(logDensities, default);
            return;
        }
        if (_bins.Length < count) (_bins, _comparableBins) = (new double[count], new double[count]);
        LogDensitySketch.Bins(logDensities[..count], _bins);
        if (!complete) LogDensitySketch.Bins(comparable[..count], _comparableBins);
        for (int row = 0; row < count; row++)
        {
            double weight = rows.Weight(row) * factor;
            if (double.IsNaN(_bins[row]) || !(weight > 0)) continue;
            bool isPartial = !complete && Mask(rows.Row(row));
            if (!isPartial && _patterns.Count > 0) Array.Clear(_mask);
            MissingSketch? pattern = _patterns.Count == 0 ? null : Sketch(weight);
            bool compares = isPartial && double.IsFinite(logDensities[row]);
            if (HasFrequent && _frequent!.Find(rows.Row(row)) is >= 0 and int known && double.IsFinite(logDensities[row]))
            {
                ref FrequentRecords.Entry entry = ref _frequent[known];
                entry.Weight += weight;
                if (pattern is not null || _patterns.Count == 0) entry.OfItsPattern += weight;
                entry.Counter += weight;
                (entry.LogDensity, entry.Comparable) = (logDensities[row], compares ? comparable[row] : logDensities[row]);
                continue;
            }
            _all.Count(compares ? _comparableBins[row] : _bins[row], weight);
            pattern?.Sketch.Count(_bins[row], weight);
        }
    }

    /// <summary>Adds records by their log-density alone.</summary>
    public void AddAt(double logDensity, double records)
    {
        _all.Add(logDensity, records);
        _weight += records;
        _worth += records;
    }

    /// <summary>The score functions, records that are kept as they are being as probable as when they last came.</summary>
    public AnomalyCalibration? Calibrate()
    {
        double[] logDensities = new double[_frequent?.Count ?? 0], comparable = new double[logDensities.Length];
        for (int at = 0; at < logDensities.Length; at++)
            (logDensities[at], comparable[at]) = (_frequent![at].LogDensity, _frequent[at].Comparable);
        return Calibrate(logDensities, comparable);
    }

    /// <summary>The score functions; null while fewer than 100 records are remembered.</summary>
    /// <param name="logDensities">Of the records that <see cref="CopyFrequent"/> gave, in their order.</param>
    /// <param name="comparable">See <see cref="Models.Pass.Comparable"/>; used where they have values missing.</param>
    public AnomalyCalibration? Calibrate(ReadOnlySpan<double> logDensities, ReadOnlySpan<double> comparable)
    {
        int count = _frequent?.Count ?? 0;
        var ties = new Tie[count];
        for (int at = 0; at < count; at++)
        {
            bool compares = double.IsFinite(logDensities[at]) && _frequent!.Row(at).Contains(double.NaN);
            ties[at] = new Tie(compares ? comparable[at] : logDensities[at], _frequent![at].Weight);
        }
        AnomalyCalibration? all = _all.Calibrate(ties);
        if (all is null || _patterns.Count == 0) return all;
        var patterns = new List<PatternCalibration>();
        foreach (MissingSketch pattern in _patterns)
        {
            var own = new List<Tie>();
            for (int at = 0; at < count; at++)
            {
                Mask(_frequent!.Row(at));
                if (pattern.Is(_mask) && _frequent[at].OfItsPattern > 0) own.Add(new Tie(logDensities[at], _frequent[at].OfItsPattern));
            }
            if (pattern.Sketch.Total + own.Sum(tie => tie.Weight) >= MinPatternRecords)
                patterns.Add(new PatternCalibration(pattern.Missing(Dimension), Dimension, pattern.Sketch.Calibrate([.. own])!));
        }
        return all with { Patterns = patterns };
    }

    /// <summary>Writes all of it.</summary>
    public void Save(BinaryWriter writer)
    {
        _all.Save(writer);
        writer.Write(_weight);
        writer.Write(_worth);
        writer.Write(_patterns.Count);
        foreach (MissingSketch pattern in _patterns) pattern.Save(writer);
        (_frequent ?? new FrequentRecords(Dimension)).Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote, in this release or one before.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader, StateVersion version)
    {
        _all.Load(reader);
        _patterns.Clear();
        _frequent?.Clear();
        (_weight, _worth) = (_all.Total, _all.Total);
        if (version < StateVersion.Patterns) return;
        (_weight, _worth) = (reader.ReadDouble(), reader.ReadDouble());
        if (!(_weight >= 0) || !double.IsFinite(_weight) || !(_worth >= 0) || !double.IsFinite(_worth))
            throw new InvalidDataException("The weight of the records remembered is not a number of at least 0.");
        int count = reader.ReadInt32();
        if (count is < 0 or > MaxPatterns)
            throw new InvalidDataException($"{count} sets of missing features are remembered; expected 0 to {MaxPatterns}.");
        for (int at = 0; at < count; at++) _patterns.Add(MissingSketch.Load(reader, _mask.Length));
        if (version >= StateVersion.Frequent) (_frequent ?? new FrequentRecords(Dimension)).Load(reader);
    }

    /// <summary>Fills the mask of missing features; returns whether any is.</summary>
    private bool Mask(ReadOnlySpan<double> row) => Mask(row, _mask);

    private static bool Mask(ReadOnlySpan<double> row, Span<ulong> mask)
    {
        mask.Clear();
        bool any = false;
        for (int d = 0; d < row.Length; d++)
        {
            if (!double.IsNaN(row[d])) continue;
            mask[d / 64] |= 1UL << (d % 64);
            any = true;
        }
        return any;
    }

    /// <summary>The sketch of the masked features; null while too many other sets are as frequent.</summary>
    private MissingSketch? Sketch(double weight)
    {
        foreach (MissingSketch pattern in _patterns)
            if (pattern.Is(_mask))
            {
                pattern.Counter += weight;
                return pattern;
            }
        if (_patterns.Count >= MaxPatterns)
        {
            for (int at = _patterns.Count - 1; at >= 0; at--)
            {
                if ((_patterns[at].Counter -= weight) > 0) continue;
                _spare.Push(_patterns[at]);
                _patterns.RemoveAt(at);
            }
            if (_patterns.Count >= MaxPatterns) return null;
        }
        MissingSketch made = _spare.TryPop(out MissingSketch? spare) ? spare : new MissingSketch(_mask.Length);
        made.Begin(_mask, weight);
        LeaveOut(_mask);
        _patterns.Add(made);
        return made;
    }
}
