using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>A value of one feature that keeps coming and is no measurement: the same to the bit, far from all others.</summary>
/// <param name="Feature">The feature.</param>
/// <param name="Value">The value, user units.</param>
/// <param name="Rows">Rows in which it stood.</param>
internal readonly record struct TiedValue(int Feature, double Value, long Rows);

/// <summary>
/// The last rows that were held back, few of any stretch of the stream so that a burst does not fill it, and what they come to
/// (<see cref="HeldSearch"/>): values that stand for something else than a measurement, which are held back from then on, and clusters too
/// small for a <see cref="ChangeWatch"/>. Part of the state.
/// </summary>
internal sealed class HeldRows(int dimension)
{
    /// <summary>Rows remembered.</summary>
    public const int Most = 256;

    /// <summary>Rows of the stream that make a stretch.</summary>
    public const int Stretch = 512;

    /// <summary>Rows remembered of a stretch.</summary>
    private const int MostOfStretch = 16;

    /// <summary>Rows that have to come before it is worth another look.</summary>
    private const int BetweenLooks = 16;

    private const int MostTies = 16;

    private readonly List<double[]> _values = [];
    private readonly List<long> _places = [];
    private readonly List<TiedValue> _ties = [];
    private int _fresh;
    private bool _areTiesMeasured;

    /// <summary>The values that are no measurements.</summary>
    public IReadOnlyList<TiedValue> Ties => _ties;

    /// <summary>The share of the stream of a cluster that no component can be spared for; 0 when there is none.</summary>
    public double WaitingShare { get; private set; }

    /// <summary>Whether so many rows have come that there may be something to see.</summary>
    public bool IsDue => _fresh >= BetweenLooks;

    /// <summary>Holds the rows back in which one of <see cref="Ties"/> stands.</summary>
    /// <param name="rows">In the user's units.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="bound">Begun for these rows.</param>
    /// <param name="unit">What weights are divided by.</param>
    /// <returns>Their weight.</returns>
    public double HoldTies(Minibatch rows, int count, InfluenceBound bound, double unit)
    {
        double weight = 0;
        for (int row = 0; row < count && _ties.Count > 0; row++)
        {
            if (!(rows.Weight(row) > 0) || TieOf(rows.Row(row)) is not (>= 0 and int tie)) continue;
            bound.HoldBefore(row);
            _ties[tie] = _ties[tie] with { Rows = _ties[tie].Rows + 1 };
            weight += rows.Weight(row) / unit;
        }
        return weight;
    }

    /// <summary>Remembers the rows of a minibatch that were held back because they are far.</summary>
    /// <param name="rows">In the user's units.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="bound">What held them back.</param>
    /// <param name="before">Rows of the stream before these.</param>
    public void Take(Minibatch rows, int count, InfluenceBound bound, long before)
    {
        for (int row = 0; row < count; row++)
        {
            if (!bound.IsHeld(row) || !(rows.Weight(row) > 0) || !double.IsFinite(bound.Square(row))) continue;
            long place = before + row;
            if (_places.Count >= MostOfStretch && place - _places[^MostOfStretch] < Stretch) continue;
            double[] values = new double[dimension];
            if (_values.Count == Most)
            {
                values = _values[0];
                _values.RemoveAt(0);
                _places.RemoveAt(0);
            }
            rows.Row(row).CopyTo(values);
            _values.Add(values);
            _places.Add(place);
            _fresh++;
        }
    }

    /// <summary>
    /// Looks at the rows under the parameters there are: forgets those that are far no more, learns which values are no measurements, and
    /// finds a cluster.
    /// </summary>
    /// <param name="from">Under what they are looked at.</param>
    /// <param name="isChange">Whether it is known that what is far keeps coming.</param>
    public HeldCluster? Look(Standpoint from, bool isChange)
    {
        (_fresh, WaitingShare) = (0, 0);
        if (_values.Count == 0 || HeldSearch.Begin(from, _values, _places) is not { } search) return null;
        foreach (TiedValue tie in _areTiesMeasured ? [] : search.Ties())
            if (_ties.Count < MostTies && !_ties.Exists(known => known.Feature == tie.Feature && known.Value == tie.Value)) _ties.Add(tie);
        for (int at = _values.Count - 1; at >= 0; at--)
            if (!search.IsFar(at) || TieOf(_values[at]) >= 0) RemoveAt(at);
        return search.Cluster(isChange, _areTiesMeasured);
    }

    /// <summary>A cluster has to wait: no component can be spared.</summary>
    public void Wait(HeldCluster cluster) => WaitingShare = cluster.Share;

    /// <summary>The rows are answered.</summary>
    public void Forget()
    {
        _values.Clear();
        _places.Clear();
        (_fresh, WaitingShare) = (0, 0);
    }

    /// <summary>Ties are so much of the stream that they are taken for measurements, for as long as a change lasts.</summary>
    public void MeasureTies(bool areMeasured)
    {
        _areTiesMeasured = areMeasured;
        if (areMeasured) _ties.Clear();
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_values.Count);
        for (int at = 0; at < _values.Count; at++)
        {
            writer.Write(_places[at]);
            writer.WriteDoubles(_values[at]);
        }
        writer.Write(_ties.Count);
        foreach (TiedValue tie in _ties)
        {
            writer.Write(tie.Feature);
            writer.Write(tie.Value);
            writer.Write(tie.Rows);
        }
        writer.Write(_fresh);
        writer.Write(_areTiesMeasured);
        writer.Write(WaitingShare);
    }

    public void Load(BinaryReader reader)
    {
        Forget();
        _ties.Clear();
        for (int count = Length(reader, Most); count > 0; count--)
        {
            _places.Add(reader.ReadInt64());
            _values.Add(reader.ReadDoubles());
            if (_values[^1].Length != dimension || _values[^1].Any(double.IsInfinity) || _places[^1] < 0)
                throw new InvalidDataException("The state is damaged: a record held back is not of these features.");
        }
        for (int count = Length(reader, MostTies); count > 0; count--)
        {
            _ties.Add(new TiedValue(reader.ReadInt32(), reader.ReadDouble(), reader.ReadInt64()));
            if ((uint)_ties[^1].Feature >= (uint)dimension || _ties[^1].Rows < 0)
                throw new InvalidDataException("The state is damaged: a value held back is of no feature.");
        }
        (_fresh, _areTiesMeasured, WaitingShare) = (reader.ReadInt32(), reader.ReadBoolean(), reader.ReadDouble());
        if (_fresh < 0 || !(WaitingShare is >= 0 and <= 1))
            throw new InvalidDataException("The state is damaged: the records held back have no share of the stream.");
    }

    /// <summary>Throws unless the rows are of these features: codes of levels there are.</summary>
    /// <exception cref="InvalidDataException">The state is damaged.</exception>
    public void Check(FeatureSpace space)
    {
        for (int d = 0; d < space.Dimension; d++)
        {
            if (space.Features[d].Kind != FeatureKind.Level) continue;
            int levels = space.Features[d].Levels.Count;
            foreach (double[] row in _values)
                if (!double.IsNaN(row[d]) && !(row[d] >= 0 && row[d] < levels && row[d] == Math.Floor(row[d])))
                    throw new InvalidDataException($"The state is damaged: a record held back has a level of '{space.Features[d].Name}' "
                        + $"that is none of its {levels}.");
        }
    }

    private static int Length(BinaryReader reader, int most) => reader.ReadInt32() is var length && length >= 0 && length <= most
        ? length
        : throw new InvalidDataException($"The state is damaged: {length} records or values held back; expected 0 to {most}.");

    /// <summary>The first of <see cref="Ties"/> that stands in a row; -1 for none.</summary>
    private int TieOf(ReadOnlySpan<double> row)
    {
        for (int at = 0; at < _ties.Count; at++)
            if (row[_ties[at].Feature] == _ties[at].Value) return at;
        return -1;
    }

    private void RemoveAt(int at)
    {
        if (TieOf(_values[at]) is >= 0 and int tie) _ties[tie] = _ties[tie] with { Rows = _ties[tie].Rows + 1 };
        _values.RemoveAt(at);
        _places.RemoveAt(at);
    }
}
