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
    private const double BinsPerUnit = 256;
    private const int MaxBin = 40 * 256;
    private const int Quantiles = 50;

    /// <summary>Records (by weight of memory) from which on there is a score: two beyond the 98 % quantile.</summary>
    private const double MinRecords = 100;
    private double[] _bins = [];
    private int _first;

    /// <summary>Sum of the weights remembered.</summary>
    public double Total { get; private set; }

    /// <summary>Number of the first bin that may hold anything.</summary>
    internal int First => _first;

    /// <summary>Weights of the bins from <see cref="First"/> on.</summary>
    internal ReadOnlySpan<double> Bins => _bins;

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
            SignedLog.Bins(logDensities.Slice(first, count), Origin, BinsPerUnit, MaxBin, numbers);
            Count(numbers[..count], weights.IsEmpty ? default : weights.Slice(first, count));
        }
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
    public AnomalyCalibration? Calibrate()
    {
        if (Total < MinRecords) return null;
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
        for (; next < Quantiles; next++) quantiles[next] = LogDensity((_first + _bins.Length) / BinsPerUnit);
        double reference = AnomalyCalibration.Reference(quantiles), start = AnomalyCalibration.Excess(quantiles[^1], reference);
        return new AnomalyCalibration(Total, quantiles, start, MeanExcess(quantiles[^1], reference, start));
    }

    internal void Restore(int first, double[] bins, double total) => (_first, _bins, Total) = (first, bins, total);

    /// <summary>
    /// Begins with what a calibration knows: its weight spread evenly between its quantiles, and over the tail as that was fitted.
    /// </summary>
    public void Restore(AnomalyCalibration calibration)
    {
        const int perQuantile = 16, tail = 64;
        int steps = calibration.Quantiles.Count - 1;
        double body = calibration.Records * AnomalyCalibration.TailQuantile / (steps * perQuantile);
        for (int at = 0; at < steps * perQuantile; at++)
        {
            double place = (at + 0.5) / perQuantile, within = place - Math.Floor(place);
            double high = calibration.Quantiles[(int)place], low = calibration.Quantiles[(int)place + 1];
            Add(high + within * (low - high), body);
        }
        double reference = AnomalyCalibration.Reference(calibration.Quantiles);
        for (int at = 0; at < tail; at++)
        {
            double excess = calibration.TailStart - calibration.TailScale * Math.Log((at + 0.5) / tail);
            Add(reference - Math.Exp(excess) + 1, calibration.Records * (1 - AnomalyCalibration.TailQuantile) / tail);
        }
    }

    private double MeanExcess(double threshold, double reference, double start)
    {
        double sum = 0, weight = 0;
        int bin = Bin(threshold);
        for (int at = Math.Max(0, bin - _first); at < _bins.Length; at++)
        {
            if (_bins[at] == 0) continue;
            double excess = AnomalyCalibration.Excess(LogDensity((_first + at + 0.5) / BinsPerUnit), reference) - start;
            if (excess < 0) continue;
            sum += _bins[at] * excess;
            weight += _bins[at];
        }
        // The width of a bin is the least spread that can be told.
        return weight > 0 ? Math.Max(sum / weight, 1 / BinsPerUnit) : 1 / BinsPerUnit;
    }

    private static int Bin(double logDensity)
    {
        Span<double> number = stackalloc double[1];
        SignedLog.Bins([logDensity], Origin, BinsPerUnit, MaxBin, number);
        return (int)number[0];
    }

    private static double LogDensity(double y) => Origin - Math.CopySign(Math.Exp(Math.Abs(y)) - 1, y);

    private void Cover(int bin)
    {
        if (_bins.Length == 0)
        {
            _first = bin - 128;
            _bins = new double[256];
        }
        else if (bin < _first || bin >= _first + _bins.Length)
        {
            int first = Math.Min(bin - 128, _first), end = Math.Max(bin + 128, _first + _bins.Length);
            double[] wider = new double[end - first];
            _bins.CopyTo(wider, _first - first);
            (_first, _bins) = (first, wider);
        }
    }
}
