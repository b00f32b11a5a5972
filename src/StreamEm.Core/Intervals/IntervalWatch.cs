using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Intervals;

/// <summary>
/// How sure parameters are that are learned from a stream, at every look. Every minibatch's score g_t, the gradient of its log-likelihood
/// at the parameters before it, follows from its statistics (<see cref="LatentModel.Gradient"/>). Theta_t averaged over the n records and
/// moved on by V mean(g_t), V the inverse of a record's information, is the truth plus a mean of n independent terms of covariance V,
/// whatever the step sizes were: how far the iterates lag behind cancels, but for the square of how far they are away (Le Cam 1956; van der
/// Vaart 1998, section 5.7; Polyak &amp; Juditsky 1992). For that mean there is a <see cref="ConfidenceSequence"/>. All of it supposes that
/// the records are independent and the model right. Part of the state.
/// </summary>
internal sealed class IntervalWatch
{
    /// <summary>Updates, and records for every coordinate, until iterates are taken to be near.</summary>
    private const int FirstUpdates = 32, FirstRecords = 100;

    private readonly LatentModel _model;
    private readonly FreeEntries _entries;
    private readonly InformationSums _information;
    private readonly double[] _gradient, _score, _mean, _scores, _deviations;
    private long _updates;
    private double _before, _records, _first, _waiting;

    /// <summary>Nothing is known yet.</summary>
    public IntervalWatch(LatentModel model)
    {
        (_model, _entries) = (model, new FreeEntries(model));
        int free = _entries.Count <= ParameterIntervals.MostFree ? _entries.Count : 0, length = model.ParameterLayout.Length;
        _information = new InformationSums(free);
        (_gradient, _mean, _deviations) = (new double[length], new double[length], new double[length]);
        (_score, _scores) = (new double[free], new double[free]);
    }

    /// <summary>Whether there are more coordinates than intervals are made of.</summary>
    public bool IsTooLarge => _entries.Count > ParameterIntervals.MostFree;

    /// <summary>Takes an update.</summary>
    /// <param name="averages">The minibatch's statistics.</param>
    /// <param name="parameters">Theta that they were taken under.</param>
    /// <param name="records">What the minibatch is worth.</param>
    /// <param name="space">The features.</param>
    public void Take(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, double records, FeatureSpace space)
    {
        if (IsTooLarge || _score.Length == 0 || !(records > 0)) return;
        (_updates, _before) = (_updates + 1, _before + records);
        if (_updates <= FirstUpdates || _before < FirstRecords * _score.Length) return;
        if (!(_records > 0)) _entries.Choose(parameters);
        _model.Gradient(averages, parameters, _gradient);
        _entries.Project(_gradient, parameters, _score);
        _records += records;
        Interpolation.Toward(_mean, parameters, records / _records);
        for (int at = 0; at < _score.Length; at++) _scores[at] += _score[at] *= records;
        // Outer products cost as much as E-steps of a quarter as many records as there are coordinates.
        _waiting += records;
        if (_waiting < 2 * _score.Length) return;
        _waiting = 0;
        if (!_information.Add(_score, records)) return;
        if (IsStillOnTheWay())
        {
            _entries.LeaveOutBeyond(Estimate());
            Restart();
            return;
        }
        if (!(_first > 0)) _first = _records;
        Deviate(space);
    }

    /// <summary>What comes is no more of the same path: a component began anew, or the step size.</summary>
    public void BeginAgain()
    {
        (_updates, _before) = (0, 0);
        _entries.Clear();
        Restart();
    }

    /// <summary>What is known; null while too little is.</summary>
    /// <param name="space">The features.</param>
    public ParameterIntervals? Report(FeatureSpace space)
    {
        if (!(_first > 0)) return null;
        double[] inside = Estimate(), errors = new double[inside.Length], estimates = new double[inside.Length],
            lower = new double[inside.Length], upper = new double[inside.Length];
        _model.ToUserUnits(inside, space, estimates);
        double root = Math.Sqrt(_records), wide = ConfidenceSequence.StandardErrors(_records, _first);
        foreach (VectorBlock block in _model.ParameterLayout.Blocks)
        {
            (double least, double most) = FreeEntries.BoundsOf(block.Domain);
            for (int at = block.Offset; at < block.Offset + block.Length; at++)
            {
                errors[at] = _deviations[at] / root;
                if (double.IsNaN(errors[at])) estimates[at] = double.NaN;
                else estimates[at] = Math.Clamp(estimates[at], least, most);
                (lower[at], upper[at]) =
                    (Math.Max(least, estimates[at] - wide * errors[at]), Math.Min(most, estimates[at] + wide * errors[at]));
            }
        }
        return new ParameterIntervals(_records, estimates, errors, lower, upper);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_updates);
        foreach (double value in (ReadOnlySpan<double>)[_before, _records, _first, _waiting]) writer.Write(value);
        writer.WriteDoubles(_mean);
        writer.WriteDoubles(_scores);
        writer.WriteDoubles(_deviations);
        _entries.Save(writer);
        _information.Save(writer);
    }

    /// <exception cref="InvalidDataException">It is damaged, or of another model.</exception>
    public void Load(BinaryReader reader)
    {
        _updates = reader.ReadInt64();
        (_before, _records, _first, _waiting) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        double[] mean = reader.ReadDoubles(), scores = reader.ReadDoubles(), deviations = reader.ReadDoubles();
        bool isValid = _updates >= 0 && _before >= 0 && _records >= 0 && _first >= 0 && _first <= _records && _waiting >= 0
            && mean.Length == _mean.Length && scores.Length == _scores.Length && deviations.Length == _deviations.Length
            && mean.Concat(scores).All(double.IsFinite);
        if (!isValid) throw new InvalidDataException("The state is damaged: the intervals are none of these parameters.");
        mean.CopyTo(_mean, 0);
        scores.CopyTo(_scores, 0);
        deviations.CopyTo(_deviations, 0);
        _entries.Load(reader);
        _information.Load(reader);
    }

    /// <summary>
    /// Whether the square of how far the iterates were on average, mean(g)' V mean(g) in a record's standard deviations, is no less than
    /// the standard error, 1 / sqrt(n): then it would be seen.
    /// </summary>
    private bool IsStillOnTheWay()
    {
        double[] step = new double[_scores.Length];
        _information.Multiply(_scores, step);
        double square = 0;
        for (int at = 0; at < step.Length; at++) square = Math.FusedMultiplyAdd(step[at], _scores[at], square);
        return square / (_records * _records) > 1 / Math.Sqrt(_records);
    }

    /// <summary>The one-step estimate, inside.</summary>
    private double[] Estimate()
    {
        double[] step = new double[_score.Length], inside = [.. _mean];
        _information.Multiply(_scores, step);
        for (int at = 0; at < step.Length; at++) _entries.Move(at, step[at] / _records, inside);
        return inside;
    }

    private void Restart()
    {
        (_records, _first, _waiting) = (0, 0, 0);
        Array.Clear(_mean);
        Array.Clear(_scores);
        _information.Clear();
    }

    /// <summary>
    /// The standard deviation of every entry in the user's units, of which one record's terms are: a V a' for the row a of what is linear
    /// in the coordinates. Affine conversions are told by what they make of a step along each of them.
    /// </summary>
    private void Deviate(FeatureSpace space)
    {
        // A step so long that the origin's digits are not missed; a power of two, so that it is taken off again without rounding.
        const double length = 1L << 40;
        int size = _score.Length, entries = _deviations.Length;
        double[] step = new double[entries], moved = new double[entries], origin = new double[entries], slopes = new double[size * entries];
        _model.ToUserUnits(step, space, origin);
        for (int at = 0; at < size; at++)
        {
            Array.Clear(step);
            _entries.Move(at, length, step);
            _model.ToUserUnits(step, space, moved);
            for (int entry = 0; entry < entries; entry++) slopes[entry * size + at] = (moved[entry] - origin[entry]) / length;
        }
        for (int entry = 0; entry < entries; entry++) _deviations[entry] = Deviation(slopes.AsSpan(entry * size, size));
    }

    /// <summary>sqrt(a V a'); NaN where a is 0, or of what nothing is known.</summary>
    private double Deviation(ReadOnlySpan<double> row)
    {
        double sum = 0;
        for (int i = 0; i < row.Length; i++)
        {
            if (row[i] == 0) continue;
            if (!_information.IsKnownAt(i))
            {
                if (_entries.IsAtEnd(i)) continue;
                return double.NaN;
            }
            for (int j = 0; j <= i; j++)
                if (row[j] != 0 && _information.IsKnownAt(j)) sum += (i == j ? 1 : 2) * row[i] * row[j] * _information[i, j];
        }
        return sum > 0 ? Math.Sqrt(sum) : double.NaN;
    }
}
