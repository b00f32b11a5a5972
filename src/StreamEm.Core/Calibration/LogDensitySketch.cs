using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Calibration;

/// <summary>
/// The distribution of the stream's own log-densities: a histogram over y = sign(v) log(1 + |v|), v = 3 - log p, of bin width 1/256, so
/// that ranks are kept to a relative accuracy of 0.4 % of v whatever its size (as DDSketch does; Masson, Rim &amp; Lee 2019). Sums of
/// sketches are the sketch of all records together. With a half-life, older records fade.
/// </summary>
internal sealed class LogDensitySketch
{
    /// <summary>The log-density in the middle of the scale.</summary>
    private const double Origin = 3;

    /// <summary>Bins per unit of y.</summary>
    internal const double BinsPerUnit = 256;
    private const int MaxBin = 40 * 256;

    /// <summary>Bins there is room for beside those asked for, so that memory does not grow one by one.</summary>
    private const int Margin = 128;
    private const int Quantiles = 50;

    /// <summary>Records (by weight of memory) from which on there is a score: two beyond the 98 % quantile.</summary>
    private const double MinRecords = 100;
    private double[] _bins = [];
    private int _first;

    /// <summary>Sum of the weights remembered.</summary>
    public double Total { get; private set; }

    /// <summary>Adds a record; one without a finite log-density counts as the least probable of all, NaN not at all.</summary>
    public void Add(double logDensity, double weight = 1) => AddRange([logDensity], [weight]);

    /// <summary>Adds records; see <see cref="Add"/>.</summary>
    /// <param name="logDensities">One per record.</param>
    /// <param name="weights">As many, or none when every weight is 1.</param>
    public void AddRange(ReadOnlySpan<double> logDensities, ReadOnlySpan<double> weights)
    {
        Span<double> numbers = stackalloc double[256];
        for (int first = 0; first < logDensities.Length; first += numbers.Length)
        {
            int count = Math.Min(numbers.Length, logDensities.Length - first);
            Bins(logDensities.Slice(first, count), numbers);
            Count(numbers[..count], weights.IsEmpty ? default : weights.Slice(first, count));
        }
    }

    /// <summary>The numbers of the bins of log-densities; NaN for NaN.</summary>
    public static void Bins(ReadOnlySpan<double> logDensities, Span<double> numbers) =>
        SignedLog.Bins(logDensities, Origin, BinsPerUnit, MaxBin, numbers);

    /// <summary>Adds a record by the number of its bin.</summary>
    public void Count(double number, double weight)
    {
        int bin = double.ConvertToIntegerNative<int>(number);
        if ((uint)(bin - _first) >= (uint)_bins.Length) Cover(bin);
        _bins[bin - _first] += weight;
        Total += weight;
    }

    /// <summary>Adds records by the numbers of their bins.</summary>
    private void Count(ReadOnlySpan<double> numbers, ReadOnlySpan<double> weights)
    {
        double[] bins = _bins;
        double total = Total;
        for (int at = 0; at < numbers.Length; at++)
        {
            double weight = weights.IsEmpty ? 1 : weights[at];
            if (double.IsNaN(numbers[at]) || !(weight > 0)) continue;
            int bin = double.ConvertToIntegerNative<int>(numbers[at]);
            if ((uint)(bin - _first) >= (uint)bins.Length)
            {
                Cover(bin);
                bins = _bins;
            }
            bins[bin - _first] += weight;
            total += weight;
        }
        Total = total;
    }

    /// <summary>Adds all of another sketch.</summary>
    public void Merge(LogDensitySketch other)
    {
        for (int at = 0; at < other._bins.Length; at++)
        {
            if (other._bins[at] == 0) continue;
            Cover(other._first + at);
            _bins[other._first + at - _first] += other._bins[at];
        }
        Total += other.Total;
    }

    /// <summary>Multiplies the weight of everything remembered: 2^(-records / half-life) before new records are added.</summary>
    public void Fade(double factor)
    {
        for (int at = 0; at < _bins.Length; at++) _bins[at] *= factor;
        Total *= factor;
    }

    /// <summary>The score function of what is remembered; null while that is less than 100 records.</summary>
    public AnomalyCalibration? Calibrate() => Calibrate([]);

    /// <summary>The score function of what is remembered and of records kept as they are beside it, in any order.</summary>
    public AnomalyCalibration? Calibrate(Tie[] ties)
    {
        if (ties.Length == 0) return Total < MinRecords ? null : CalibrationKnots.Of(_bins, _first, [], Total, Ranks());
        double last = LogDensity(MaxBin / BinsPerUnit);
        for (int at = 0; at < ties.Length; at++)
            if (!(ties[at].LogDensity > last)) ties[at] = ties[at] with { LogDensity = last };
        Array.Sort(ties, (one, other) => other.LogDensity.CompareTo(one.LogDensity));
        var all = new LogDensitySketch();
        all.Merge(this);
        foreach (Tie tie in ties) all.Add(tie.LogDensity, tie.Weight);
        if (all.Total < MinRecords) return null;
        double[] bins = new double[all._bins.Length];
        for (int at = 0; at < _bins.Length; at++)
            if (_bins[at] != 0) bins[_first + at - all._first] = _bins[at];
        return CalibrationKnots.Of(bins, all._first, ties, all.Total, all.Ranks());
    }

    /// <summary>Log-densities at equally spaced ranks; see <see cref="AnomalyCalibration.Quantiles"/>.</summary>
    private double[] Ranks()
    {
        double[] quantiles = new double[Quantiles];
        double below = 0;
        int next = 0;
        for (int at = 0; at < _bins.Length && next < Quantiles; at++)
        {
            double weight = _bins[at];
            if (weight == 0) continue;
            while (next < Quantiles)
            {
                double rank = AnomalyCalibration.TailQuantile * next / (Quantiles - 1) * Total;
                if (rank > below + weight) break;
                quantiles[next++] = LogDensity((_first + at + (rank - below) / weight) / BinsPerUnit);
            }
            below += weight;
        }
        double end = LogDensity((_first + _bins.AsSpan().LastIndexOfAnyExcept(0) + 1) / BinsPerUnit);
        for (; next < Quantiles; next++) quantiles[next] = end;
        return quantiles;
    }

    /// <summary>
    /// Begins with what a calibration knows: its weight spread evenly between its knots, that of a tie in the middle of its bin, and what
    /// lies beyond the last knot as the tail was fitted.
    /// </summary>
    public void Restore(AnomalyCalibration calibration)
    {
        const int Steps = 16, Tail = 64;
        Clear();
        IReadOnlyList<double> densities = calibration.LogDensities, scores = calibration.Scores;
        for (int at = 1; at < densities.Count; at++)
        {
            double high = densities[at - 1], low = densities[at], weight = (scores[at] - scores[at - 1]) * calibration.Records;
            bool isTie = high == low && at > 1;
            if (isTie) Add(0.5 * (densities[at - 2] + low), weight);
            for (int step = 0; step < Steps && !isTie; step++) Add(high + (step + 0.5) / Steps * (low - high), weight / Steps);
        }
        double reference = AnomalyCalibration.Reference(calibration.Quantiles), beyond = calibration.TailShare * calibration.Records / Tail;
        for (int at = 0; at < Tail; at++)
            Add(reference + 1 - ScalarMath.Exp(calibration.TailStart - calibration.TailScale * ScalarMath.Log((at + 0.5) / Tail)), beyond);
    }

    /// <summary>Forgets everything and keeps the memory.</summary>
    public void Clear()
    {
        Array.Clear(_bins);
        Total = 0;
    }

    /// <summary>
    /// Writes first bin, bins and sum: those alone that hold something, for how much room there is depends on what was here before.
    /// </summary>
    public void Save(BinaryWriter writer)
    {
        int start = Math.Max(0, _bins.AsSpan().IndexOfAnyExcept(0)), end = _bins.AsSpan().LastIndexOfAnyExcept(0) + 1;
        writer.Write(_first + start);
        writer.WriteDoubles(_bins.AsSpan(start, Math.Max(0, end - start)));
        writer.Write(Total);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public void Load(BinaryReader reader)
    {
        int first = reader.ReadInt32();
        double[] bins = reader.ReadDoubles();
        double total = reader.ReadDouble(), sum = 0;
        if (first < -MaxBin - Margin || (long)first + bins.Length > MaxBin + 1 + Margin)
            throw new InvalidDataException($"A sketch has bins from {first} to {(long)first + bins.Length - 1}; expected +-{MaxBin}.");
        foreach (double weight in bins)
        {
            if (!(weight >= 0)) throw new InvalidDataException("A sketch has a weight that is not a number of at least 0.");
            sum += weight;
        }
        if (!double.IsFinite(sum) || !(Math.Abs(total - sum) <= 1e-6 * (1 + sum)))
            throw new InvalidDataException("The weights of a sketch do not add up to its sum.");
        (_first, _bins, Total) = (first, bins, total);
    }

    /// <summary>The log-density at y.</summary>
    internal static double LogDensity(double y) => Origin - Math.CopySign(ScalarMath.Exp(Math.Abs(y)) - 1, y);

    private void Cover(int bin)
    {
        if (_bins.Length == 0)
        {
            _first = bin - Margin;
            _bins = new double[2 * Margin];
        }
        else if (bin < _first || bin >= _first + _bins.Length)
        {
            int first = Math.Min(bin - Margin, _first), end = Math.Max(bin + Margin, _first + _bins.Length);
            double[] wider = new double[end - first];
            _bins.CopyTo(wider, _first - first);
            (_first, _bins) = (first, wider);
        }
    }
}
