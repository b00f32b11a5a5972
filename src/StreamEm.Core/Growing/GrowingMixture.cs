using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Core.Growing;

/// <summary>
/// A Gaussian mixture that grows with its stream and scores every record before it learns from it. A record far from all components starts
/// one; the others share a record by their responsibilities, each with the step 1 / w of its own count (the stepwise recursion of <see
/// cref="Estimation.StepwiseEm"/> with a step size per component that averages all it was given; Cappé &amp; Moulines 2009, section 3);
/// beyond the most there may be, the closest pair is merged (moment matching) or a stray forgotten. Two scores over one mixture: novelty,
/// against everything seen, learned at once; abnormality, against what is confirmed as normal, which keeps strange records apart in
/// quarantine. A pure fold (state, record) -> state; the whole state is what <see cref="Save"/> writes. One thread at a time.
/// </summary>
internal sealed partial class GrowingMixture
{
    /// <summary>Records that location and scale are found in: no p-value before they are learned.</summary>
    public const int FirstRows = 100;

    /// <summary>The p-value below which a record is strange, if it is far too.</summary>
    private const double StrangeBelow = 0.001;

    /// <summary>Records after which a guarded mixture keeps its calibration.</summary>
    private const long CalibratedAfter = 400;

    /// <summary>The most scores that may be owed to the histograms.</summary>
    private const double MostOwed = 5;

    /// <summary>A component's part in a record below which it is not moved.</summary>
    private const double LeastPart = 1e-3;

    /// <summary>Records between two looks for the bulk, and between two times of fading.</summary>
    private const int BulkEvery = 50;

    private readonly GrowthRule _rule;
    private readonly GrowthGuard _guard;
    private readonly RobustScale _scale;
    private readonly GrowingComponents _components;
    private readonly ScoreHistogram _all = new(), _trusted = new();
    private readonly Quarantine _quarantine = new();
    private readonly Bulk _bulk;
    private readonly List<GrowthEvent> _events = [];
    private readonly double[] _inside, _filled, _conditional, _squares, _learning, _scoring, _parts;
    private bool _hasParts;
    private long _warm, _guardedFrom;
    private double _share, _owed;

    /// <summary>A mixture that has seen nothing.</summary>
    public GrowingMixture(int dimension, GrowthOptions growth, GrowthGuard guard)
    {
        (_rule, _guard) = (new GrowthRule(dimension, growth), guard);
        _scale = new RobustScale(dimension);
        _components = new GrowingComponents(_rule);
        _bulk = new Bulk(dimension, _components.Capacity);
        (_inside, _filled, _conditional) = (new double[dimension], new double[dimension], new double[dimension * dimension]);
        int lanes = ComponentLanes.Padded(_components.Capacity);
        (_squares, _learning, _scoring, _parts) = (new double[lanes], new double[lanes], new double[lanes], new double[lanes]);
        _guardedFrom = guard.FreezeAfter ?? CalibratedAfter;
    }

    /// <summary>Number of features D.</summary>
    public int Dimension => _rule.Dimension;

    /// <summary>Records taken.</summary>
    public long Records { get; private set; }

    /// <summary>Of these, records that nothing was learned from.</summary>
    public long Unlearned { get; private set; }

    /// <summary>Of these, records whose p-value was too low.</summary>
    public long Gated { get; private set; }

    /// <summary>Whether log-densities are told too.</summary>
    public bool TellsDensity { get; init; } = true;

    /// <summary>Whether there are p-values.</summary>
    public bool IsCalibrated => _trusted.Total >= ScoreHistogram.Least;

    /// <summary>The components.</summary>
    public GrowingComponents Components => _components;

    /// <summary>Locations and scales.</summary>
    public RobustScale Scale => _scale;

    /// <summary>What happened since the events were last cleared, the newest 256.</summary>
    public IReadOnlyList<GrowthEvent> Events => _events;

    /// <summary>Whether what is normal and how it is scored stays what it is.</summary>
    private bool IsGuarded => (_guard.LearnAbove > 0 || _guard.FreezeAfter is not null) && Records >= _guardedFrom;

    /// <summary>
    /// Whether scores are still counted while the mixture is guarded: where the gate is in the tail, as many of those it holds back as it
    /// lets one expect, at the mean of what lies beyond it. A gate further inside would filter its own
    /// calibration until it lets nothing through; there the calibration of the first records is kept.
    /// </summary>
    private bool KeepsCounting => _guard.FreezeAfter is null && _guard.LearnAbove <= 1 - AnomalyCalibration.TailQuantile;

    /// <summary>Finds locations and scales in the first records, which are then to be taken like all others.</summary>
    public void Start(Minibatch rows)
    {
        _warm = Math.Max(1, rows.Count);
        _scale.Start(rows, _guard.Standardizes);
    }

    /// <summary>Begins another list of events.</summary>
    public void ClearEvents() => _events.Clear();

    /// <summary>Scores a record, then learns from it.</summary>
    /// <param name="row">D values, user units, NaN = missing.</param>
    /// <param name="learns">Whether it may be learned from: not where its weight is 0.</param>
    public GrowingScore Step(ReadOnlySpan<double> row, bool learns = true)
    {
        if (!learns) return Look(row);
        bool isGuarded = IsGuarded;
        int observed = _scale.Standardize(row, _inside, moves: !isGuarded, _components, out bool hasMoved);
        if (hasMoved) _bulk.Find(_components, _rule.Floor);
        long record = Records++;
        if (observed == 0)
        {
            Unlearned++;
            return new GrowingScore(double.NaN, 0, 0, double.NaN, double.NaN, false, false);
        }
        if (_components.Count == 0)
        {
            for (int d = 0; d < _inside.Length; d++) _filled[d] = double.IsNaN(_inside[d]) ? 0 : _inside[d];
            Bear(_filled, record, isStrange: false);
            return new GrowingScore(double.NaN, 0, 0, double.NaN, double.NaN, false, true);
        }
        bool isLive = record >= _warm;
        Measure(_inside, observed);
        GrowingScore score = Judge(observed);
        if (isLive && (!isGuarded || KeepsCounting)) Count(score, isGuarded);
        bool isHeld = isGuarded && (_guard.FreezeAfter is not null || score.PValue < _guard.LearnAbove);
        if (isHeld) Unlearned++;
        else Learn(observed, score.IsStrange, record);
        if (_guard.LearnAbove > 0 && isGuarded) Confirm(isHeld, record);
        if (_guard.Quarantines && isLive && _quarantine.Take(record, score.IsStrange && !_isOfCondemned) is { } kind) Release(kind, record);
        MakeRoom(record);
        if (Records == _warm || (Records > _warm && Records % BulkEvery == 0)) FindBulk(record, isGuarded);
        return isHeld ? score with { IsLearned = false } : score;
    }

    /// <summary>Scores a record and leaves everything as it is.</summary>
    private GrowingScore Look(ReadOnlySpan<double> row)
    {
        int observed = _scale.Observe(row, _inside);
        if (observed == 0 || _components.Count == 0) return new GrowingScore(double.NaN, 0, 0, double.NaN, double.NaN, false, false);
        Measure(_inside, observed);
        return Judge(observed) with { IsStrange = false, IsLearned = false };
    }

    /// <summary>Squared distances and learning densities of all components.</summary>
    private void Measure(ReadOnlySpan<double> row, int observed)
    {
        int count = _components.Count;
        if (observed == row.Length) _components.Squares(row, _squares);
        else for (int k = 0; k < count; k++) _squares[k] = _components.PartialSquare(k, row);
        Densities(_components.LearningBases, _learning);
        _hasParts = false;
    }

    /// <summary>The base of every component less half its squared distance; negative infinity in the lanes without one.</summary>
    private void Densities(double[] bases, double[] densities)
    {
        ReadOnlySpan<double> from = bases.AsSpan(0, _components.Count), squares = _squares.AsSpan(0, from.Length);
        Span<double> to = densities.AsSpan(0, ComponentLanes.Padded(from.Length));
        for (int k = 0; k < from.Length; k++) to[k] = from[k] - 0.5 * squares[k];
        to[from.Length..].Fill(double.NegativeInfinity);
    }

    /// <summary>The scores of a record that was measured.</summary>
    private GrowingScore Judge(int observed)
    {
        int count = _components.Count, lanes = ComponentLanes.Padded(count);
        double nearest = double.PositiveInfinity, weight = 0, trusted = 0;
        ReadOnlySpan<double> squares = _squares.AsSpan(0, count), weights = _components.Weights.AsSpan(0, count);
        ReadOnlySpan<bool> held = _components.IsQuarantined.AsSpan(0, count);
        for (int k = 0; k < squares.Length; k++)
        {
            weight += weights[k];
            if (held[k]) continue;
            trusted += weights[k];
            nearest = Math.Min(nearest, squares[k]);
        }
        double remote = _rule.Top + GrowthRule.RemotenessOf(_inside, _bulk.Mean, _bulk.Variance), logWeight = ScalarMath.Log(weight);
        Densities(_components.ScoringBases, _scoring);
        double novelty = Score(remote + logWeight - SoftMax.Normalize(_scoring.AsSpan(0, lanes)));
        double abnormality = novelty;
        if (trusted < weight)
        {
            Densities(_components.ScoringBases, _scoring);
            for (int k = 0; k < count; k++)
                if (held[k]) _scoring[k] = double.NegativeInfinity;
            abnormality = Score(remote + ScalarMath.Log(trusted) - SoftMax.Normalize(_scoring.AsSpan(0, lanes)));
        }
        double p = _trusted.PValue(abnormality), isNew = _all.PValue(novelty);
        _isOfCondemned = IsOfCondemned(nearest);
        bool isStrange = _isOfCondemned || (_guard.Quarantines && Records > _warm && p < StrangeBelow && nearest > _rule.FarSquare);
        (double density, double entropy) = TellsDensity ? LogDensity(observed) : (double.NaN, double.NaN);
        return new GrowingScore(density - logWeight, abnormality, novelty, p, isNew, isStrange, IsLearned: true) { Entropy = entropy };
    }

    /// <summary>Has the histograms take a score.</summary>
    private void Count(in GrowingScore score, bool isGuarded)
    {
        bool isHeld = isGuarded && score.PValue < _guard.LearnAbove;
        if (isGuarded) _owed = Math.Min(MostOwed, _owed + _guard.LearnAbove);
        if (!isHeld)
        {
            _all.Add(score.Novelty);
            if (!score.IsStrange) _trusted.Add(score.Abnormality);
        }
        else if (_owed >= 1)
        {
            _owed--;
            _all.Add(_all.ScoreAt(_guard.LearnAbove / Math.E));
            _trusted.Add(_trusted.ScoreAt(_guard.LearnAbove / Math.E));
        }
    }

    /// <summary>y = log(1 + max(0, v)), v = L* + g - log of the sum of the scoring densities over the weight.</summary>
    private static double Score(double excess) => ScalarMath.Log1P(Math.Max(0, excess));

    /// <summary>
    /// log p of the values there are, times the weight - of a whole row from the learning densities -, and the entropy of the components
    /// given them: -sum r log r = sum r (log p - log p_k) of the parts r.
    /// </summary>
    private (double LogDensity, double Entropy) LogDensity(int observed)
    {
        int count = _components.Count;
        double[] logs = _learning;
        _hasParts = observed == _inside.Length;
        if (!_hasParts)
        {
            logs = _scoring;
            logs.AsSpan(0, ComponentLanes.Padded(count)).Fill(double.NegativeInfinity);
            for (int k = 0; k < count; k++) logs[k] = _components.PartialLogDensity(k, _inside);
        }
        double density = Parts(logs), entropy = 0;
        for (int k = 0; k < count; k++)
            if (_parts[k] > 0) entropy = Math.FusedMultiplyAdd(_parts[k], density - logs[k], entropy);
        return (density, entropy);
    }

    /// <summary>Each component's part in a record, and the log of the sum.</summary>
    private double Parts(double[] logs)
    {
        Span<double> parts = _parts.AsSpan(0, ComponentLanes.Padded(_components.Count));
        logs.AsSpan(0, parts.Length).CopyTo(parts);
        return SoftMax.Normalize(parts);
    }
}
