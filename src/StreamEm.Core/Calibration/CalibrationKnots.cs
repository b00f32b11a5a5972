namespace StreamEm.Core.Calibration;

/// <summary>
/// The score function of a histogram of log-densities and of ties, whose log-densities are known exactly. Equal records score by what is
/// more probable, as they are at least as improbable as each other; so do the records of a bin that holds many where its neighbours hold
/// few. Between other bins the share is interpolated. P(Y >= y) is estimated by (count + 1) / (n + 1), so that nothing has probability 0.
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

    /// <summary>What rounding may do to a log-density y, of 1 + |y|: another processor sums in another order.</summary>
    private const double Rounding = 1e-9;

    /// <summary>Ties of so many records beyond the 98 % are taken as they are, before a tail is fitted to the rest.</summary>
    private const double TailTieRecords = 20;

    /// <summary>The scale of the tail where nothing lies in it, and the least that can be told, of the same coordinate.</summary>
    private const double EmptyTailScale = 1.0 / 16, LeastTailScale = 1.0 / 64;

    private readonly ReadOnlySpan<double> _bins;
    private readonly ReadOnlySpan<Tie> _ties;
    private readonly int _first, _lastTie;
    private readonly double _total;
    private readonly List<double> _logDensities = [], _scores = [];
    private double _above, _next;

    private CalibrationKnots(ReadOnlySpan<double> bins, int first, ReadOnlySpan<Tie> ties, double total)
    {
        _bins = bins;
        _ties = ties;
        (_first, _total) = (first, total);
        _lastTie = ties.Length - 1;
        while (_lastTie >= 0 && ties[_lastTie].Weight < TailTieRecords) _lastTie--;
    }

    /// <summary>The score function.</summary>
    /// <param name="bins">Weights, from the most probable on.</param>
    /// <param name="first">Number of the first bin.</param>
    /// <param name="ties">Records of one log-density each, the most probable first; within the bins, and not counted there.</param>
    /// <param name="total">The sum of both, above 0.</param>
    /// <param name="quantiles">See <see cref="AnomalyCalibration.Quantiles"/>.</param>
    public static AnomalyCalibration Of(
        ReadOnlySpan<double> bins, int first, ReadOnlySpan<Tie> ties, double total, double[] quantiles)
    {
        var knots = new CalibrationKnots(bins, first, ties, total);
        int at = 0, tie = 0;
        while (!knots.Take(at, ref tie)) at++;
        if (tie == 0) knots.AddTiesBeyond(at);
        double beyond = Math.Max(0, total - knots._above), reference = AnomalyCalibration.Reference(quantiles);
        double start = AnomalyCalibration.Excess(knots._logDensities[^1], reference);
        return new AnomalyCalibration(total, quantiles, start, knots.TailScale(at, tie, reference, start, beyond))
        {
            LogDensities = [.. knots._logDensities],
            Scores = [.. knots._scores],
        };
    }

    /// <summary>Takes a bin and the ties in it; returns whether what is beyond is the tail: then the first tie that is of it.</summary>
    private bool Take(int at, ref int tie)
    {
        double left = _bins[at], high = Edge(at), low = Edge(at + 1);
        bool isLastBin = at == _bins.Length - 1, hasTies = false;
        for (; tie < _ties.Length && (isLastBin || _ties[tie].LogDensity > low); tie++)
        {
            double within = Math.Clamp((high - _ties[tie].LogDensity) / (high - low), 0, 1);
            double part = Math.Max(0, left - (1 - within) * _bins[at]);
            (_above, left) = (_above + part, left - part);
            AddTie(_ties[tie]);
            hasTies = true;
            if (!IsTail(tie + 1)) continue;
            tie++;
            return true;
        }
        if (left <= 0 && !isLastBin) return false;
        bool isLast = isLastBin || (_total - _above - left <= (1 - AnomalyCalibration.TailQuantile) * _total && tie > _lastTie);
        bool isTie = !hasTies && IsTie(at, TieShare * _total, TieRecords);
        if (isLast || isTie || _above + left >= _next) Add(at, left, isTie);
        Pass(left);
        return isLast;
    }

    /// <summary>Whether no more than the tail is left, and no heavy tie from this one on.</summary>
    private readonly bool IsTail(int tie) => _total - _above <= (1 - AnomalyCalibration.TailQuantile) * _total && tie > _lastTie;

    /// <summary>Takes so much weight as more probable than what comes: the next knot is 2 % further, in the tail at half of what is left.
    /// </summary>
    private void Pass(double weight)
    {
        _above += weight;
        while (_next <= _above && _above < AnomalyCalibration.TailQuantile * _total) _next += Spacing * _total;
        if (_next <= _above) _next = _above + 0.5 * (_total - _above);
    }

    private readonly bool IsTie(int at, double share, double records)
    {
        double neighbour = Math.Max(at > 0 ? _bins[at - 1] : 0, at < _bins.Length - 1 ? _bins[at + 1] : 0);
        return _bins[at] >= Math.Max(share, records) && _bins[at] > TieRatio * neighbour;
    }

    /// <summary>The knots of a tie: all within rounding of it score by what is more probable.</summary>
    private void AddTie(Tie tie)
    {
        double slack = Rounding * (1 + Math.Abs(tie.LogDensity)), low = tie.LogDensity - slack;
        AddKnot(tie.LogDensity + slack, _above);
        AddKnot(low, _above);
        AddKnot(low, _above + tie.Weight);
        Pass(tie.Weight);
    }

    /// <summary>The knots of a bin with so much weight.</summary>
    private readonly void Add(int at, double weight, bool isTie)
    {
        if (isTie || _scores.Count == 0 || weight > Spacing * _total) AddKnot(Edge(at), _above);
        int end = at + 1;
        while (isTie && end <= at + TieSlack && (end >= _bins.Length || _bins[end] <= 0)) end++;
        if (isTie) AddKnot(Edge(end), _above);
        AddKnot(Edge(end), _above + weight);
    }

    private readonly void AddKnot(double logDensity, double above)
    {
        _logDensities.Add(_logDensities.Count > 0 ? Math.Min(logDensity, _logDensities[^1]) : logDensity);
        _scores.Add(Math.Min(above, _total) / (_total + 1));
    }

    /// <summary>The higher log-density of a bin.</summary>
    private readonly double Edge(int at) => LogDensitySketch.LogDensity((double)(_first + at) / LogDensitySketch.BinsPerUnit);

    /// <summary>Takes heavy ties beyond bin <paramref name="at"/> as they are.</summary>
    private void AddTiesBeyond(int at)
    {
        for (int bin = at + 1; bin < _bins.Length; bin++)
        {
            if (_bins[bin] <= 0) continue;
            if (!IsTie(bin, 0.5 * (_total - _above), TailTieRecords)) break;
            Add(bin, _bins[bin], isTie: true);
            _above += _bins[bin];
        }
    }

    /// <summary>Mean excess of what is beyond the tail's start, in this bin or later ones, with one record of the scale of an empty tail.
    /// </summary>
    private readonly double TailScale(int at, int tie, double reference, double start, double beyond)
    {
        double sum = EmptyTailScale;
        for (; at < _bins.Length; at++)
        {
            if (_bins[at] <= 0) continue;
            double centre = LogDensitySketch.LogDensity((_first + at + 0.5) / LogDensitySketch.BinsPerUnit);
            sum += _bins[at] * Math.Max(0, AnomalyCalibration.Excess(centre, reference) - start);
        }
        for (; tie < _ties.Length; tie++)
            sum += _ties[tie].Weight * Math.Max(0, AnomalyCalibration.Excess(_ties[tie].LogDensity, reference) - start);
        return Math.Max(sum / (beyond + 1), LeastTailScale);
    }
}
