using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// Keeps records whose p-value is below a bound from being learned, and from the calibration that says so, unless they last: when they are
/// more than half of the last records, they are a new normal. A calibration that never saw a record beyond its own bound would shrink step
/// by step until it let nothing through; so as many as the bound itself lets one expect are counted, at the mean of what lies beyond it
/// and not where they are: an exponential tail keeps its mean, and a broken sensor cannot move it. Part of the state.
/// </summary>
internal sealed class LearnGate
{
    /// <summary>Records that a calibration is of before anything is kept out.</summary>
    public const double CalibratedFrom = 1000;

    /// <summary>The most records that may be owed to the calibration.</summary>
    private const double MostOwed = 5;

    /// <summary>Beyond every distance: what is held back is so for its p-value alone.</summary>
    private const double NoDistance = 1e100;

    private readonly double _learnAbove, _span;
    private double[] _logDensities = [], _anomalyScores = [], _pValues = [];
    private double _share, _owed;

    /// <summary>A gate that has seen nothing.</summary>
    public LearnGate(int dimension, LearningOptions options)
    {
        (_learnAbove, _span) = (options.LearnAbove, options.ConfirmAfter);
        Bound = new InfluenceBound(dimension) { Reach = NoDistance };
    }

    /// <summary>What holds the rows of the minibatch back.</summary>
    public InfluenceBound Bound { get; }

    /// <summary>Rows of the minibatch that are held back.</summary>
    public int Held { get; private set; }

    /// <summary>How many of them the calibration takes all the same, at <see cref="CountedAt"/>.</summary>
    public double Counted { get; private set; }

    /// <summary>The p-value at which they are counted: of the mean of an exponential tail beyond the bound.</summary>
    public double CountedAt => _learnAbove / Math.E;

    /// <summary>Room for what is said of the rows of a minibatch: log-densities, anomaly scores and p-values.</summary>
    public (double[] LogDensities, double[] AnomalyScores, double[] PValues) Room(int rows)
    {
        if (_pValues.Length < rows)
            (_logDensities, _anomalyScores, _pValues) = (new double[rows], new double[rows], new double[rows]);
        return (_logDensities, _anomalyScores, _pValues);
    }

    /// <summary>Begins a minibatch.</summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="worth">Observations that a component stands for.</param>
    /// <param name="holdsFar">Whether rows are held back for their distance, while there are no p-values to go by.</param>
    public void Begin(int rows, double worth, bool holdsFar)
    {
        Bound.Reach = holdsFar ? 1 : NoDistance;
        Bound.Begin(rows, worth);
        (Held, Counted) = (0, 0);
    }

    /// <summary>Holds the rows back whose p-values, in the room given, are too low.</summary>
    public void Hold(int rows)
    {
        for (int row = 0; row < rows; row++)
            if (_pValues[row] < _learnAbove) Bound.HoldBefore(row);
    }

    /// <summary>Takes the minibatch, once it was learned from.</summary>
    /// <returns>Whether those that were held back are a new normal.</returns>
    public bool IsConfirmedBy(int rows)
    {
        bool isConfirmed = false;
        for (int row = 0; row < rows; row++)
        {
            bool isHeld = Bound.IsHeld(row);
            _share += ((isHeld ? 1 : 0) - _share) / _span;
            _owed = Math.Min(MostOwed, _owed + _learnAbove);
            isConfirmed |= _share > 0.5;
            if (!isHeld) continue;
            Held++;
            double counted = Math.Min(1, _owed);
            (_owed, Counted) = (_owed - counted, Counted + counted);
        }
        if (isConfirmed) (_share, _owed) = (0, 0);
        return isConfirmed;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_share);
        writer.Write(_owed);
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        (_share, _owed) = (reader.ReadDouble(), reader.ReadDouble());
        if (!(_share is >= 0 and <= 1) || !(_owed is >= 0 and <= MostOwed))
            throw new InvalidDataException("The state is damaged: what the gate remembers is no share.");
    }
}
