namespace StreamEm.Core.Calibration;

/// <summary>
/// The score function of a histogram of log-densities. A bin that holds many records and its neighbours few is a tie: all in it score by
/// what is more probable than the bin, as equal records are at least as improbable as each other. Between other bins the share is
/// interpolated. P(Y >= y) is estimated by (count + 1) / (n + 1), so that nothing has probability 0.
/// </summary>
internal ref struct CalibrationKnots
{
    /// <summary>Shares between knots that are not ties.</summary>
    private const double Spacing = 0.02;

    /// <summary>A bin is a tie when it holds so much of all, and so many times as much as either neighbour.</summary>
    private const double TieShare = 0.02, TieRatio = 4;

    /// <summary>Empty bins after a tie that are taken to be of it: the parameters have moved by an update since its records came.</summary>
    private const int TieSlack = 8;

    /// <summary>Records from which on a tie is one.</summary>
    private const double TieRecords = 5;

    /// <summary>Ties of so many records beyond the 98 % are taken as they are, before a tail is fitted to the rest.</summary>
    private const double TailTieRecords = 20;

    /// <summary>The scale of the tail where nothing lies in it, and the least that can be told, of the same coordinate.</summary>
    private const double EmptyTailScale = 1.0 / 16, LeastTailScale = 1.0 / 64;

    private readonly ReadOnlySpan<double> _bins;
    private readonly int _first;
    private readonly double _total;
    private readonly List<double> _logDensities = [], _scores = [];

    private CalibrationKnots(ReadOnlySpan<double> bins, int first, double total)
    {
        _bins = bins;
        (_first, _total) = (first, total);
    }

    /// <summary>The score function.</summary>
    /// <param name="bins">Weights, from the most probable on.</param>
    /// <param name="first">Number of the first bin.</param>
    /// <param name="total">Their sum, above 0.</param>
    /// <param name="quantiles">See <see cref="AnomalyCalibration.Quantiles"/>.</param>
    public static AnomalyCalibration Of(ReadOnlySpan<double> bins, int first, double total, double[] quantiles)
    {
        var knots = new CalibrationKnots(bins, first, total);
        double above = 0;
        int at = 0;
        for (double next = 0; ; at++)
        {
            double weight = bins[at];
            if (weight <= 0 && at < bins.Length - 1) continue;
            bool isLast = total - above - weight <= (1 - AnomalyCalibration.TailQuantile) * total || at == bins.Length - 1;
            bool isTie = knots.IsTie(at, TieShare * total, TieRecords);
            if (isLast || isTie || above + weight >= next) knots.Add(at, above, isTie);
            above += weight;
            while (next <= above) next += Spacing * total;
            if (isLast) break;
        }
        int end = knots.AddTiesBeyond(at, ref above);
        double beyond = Math.Max(0, total - above), reference = AnomalyCalibration.Reference(quantiles);
        double start = AnomalyCalibration.Excess(knots._logDensities[^1], reference);
        return new AnomalyCalibration(total, quantiles, start, knots.TailScale(end, reference, start, beyond))
        {
            LogDensities = [.. knots._logDensities],
            Scores = [.. knots._scores],
        };
    }

    private readonly bool IsTie(int at, double share, double records)
    {
        double neighbour = Math.Max(at > 0 ? _bins[at - 1] : 0, at < _bins.Length - 1 ? _bins[at + 1] : 0);
        return _bins[at] >= Math.Max(share, records) && _bins[at] > TieRatio * neighbour;
    }

    /// <summary>The knots of a bin with so many records more probable than all in it.</summary>
    private readonly void Add(int at, double above, bool isTie)
    {
        if (isTie || _scores.Count == 0 || _bins[at] > Spacing * _total) Add(at, above);
        int end = at + 1;
        while (isTie && end <= at + TieSlack && (end >= _bins.Length || _bins[end] <= 0)) end++;
        if (isTie) Add(end, above);
        Add(end, above + _bins[at]);
    }

    private readonly void Add(int edge, double above)
    {
        _logDensities.Add(LogDensitySketch.LogDensity((double)(_first + edge) / LogDensitySketch.BinsPerUnit));
        _scores.Add(Math.Min(above, _total) / (_total + 1));
    }

    /// <summary>Takes heavy ties beyond bin <paramref name="at"/> as they are; returns the last bin that is not of the tail.</summary>
    private readonly int AddTiesBeyond(int at, ref double above)
    {
        for (int bin = at + 1; bin < _bins.Length; bin++)
        {
            if (_bins[bin] <= 0) continue;
            if (!IsTie(bin, 0.5 * (_total - above), TailTieRecords)) break;
            Add(bin, above, isTie: true);
            above += _bins[bin];
            at = bin;
        }
        return at;
    }

    /// <summary>Mean excess of the bins' centres beyond the tail's start, with one record of the scale of an empty tail.</summary>
    private readonly double TailScale(int end, double reference, double start, double beyond)
    {
        double sum = EmptyTailScale;
        for (int at = end + 1; at < _bins.Length; at++)
        {
            if (_bins[at] <= 0) continue;
            double centre = LogDensitySketch.LogDensity((_first + at + 0.5) / LogDensitySketch.BinsPerUnit);
            sum += _bins[at] * Math.Max(0, AnomalyCalibration.Excess(centre, reference) - start);
        }
        return Math.Max(sum / (beyond + 1), LeastTailScale);
    }
}
