using StreamEm.Core.Data;

namespace StreamEm.Core.Growing;

/// <summary>
/// Location and scale of the features from the first records: median and inter-decile range / 2.563, as wide as the standard deviation of a
/// normal; the standard deviation where that is 0. A feature without any spread is asleep: its first other value wakes it, ten units away,
/// and after as many values as the first records were it gets location and scale of these. Part of the state.
/// </summary>
/// <param name="dimension">D.</param>
internal sealed class RobustScale(int dimension)
{
    /// <summary>Values inside are held within this.</summary>
    private const double Limit = 1e6;

    /// <summary>What a spread has to be of the location to be one.</summary>
    private const double Tiny = 1e-9, LeastLocation = 1e-3;

    /// <summary>Below it no difference can be told.</summary>
    private const double LeastScale = 1e-300;

    /// <summary>What a byte says of a feature.</summary>
    private const int Asleep = 1, Known = 2, Fresh = 4;

    /// <summary>How many units away from its constant a feature wakes.</summary>
    private const double Waking = 10;

    private readonly bool[] _isAsleep = new bool[dimension], _isKnown = new bool[dimension];
    private readonly List<double>?[] _fresh = new List<double>?[dimension];
    private int _window;

    /// <summary>Location [D]; 0 while no value came.</summary>
    public double[] Location { get; } = new double[dimension];

    /// <summary>Scale [D].</summary>
    public double[] Scale { get; } = Ones(dimension);

    /// <summary>Takes location and scale from the first records.</summary>
    /// <param name="rows">User units, NaN = missing.</param>
    /// <param name="standardizes">Whether to look for them: else they stay 0 and 1.</param>
    public void Start(Minibatch rows, bool standardizes)
    {
        _window = Math.Max(2, rows.Count);
        if (!standardizes)
        {
            Array.Fill(_isKnown, true);
            return;
        }
        for (int d = 0; d < dimension; d++)
        {
            var values = new List<double>(rows.Count);
            for (int row = 0; row < rows.Count; row++)
                if (double.IsFinite(rows.Row(row)[d]) && rows.Weight(row) > 0) values.Add(rows.Row(row)[d]);
            _isKnown[d] = values.Count > 0;
            _isAsleep[d] = true;
            if (!_isKnown[d]) continue;
            (Location[d], double scale) = Of(values);
            _isAsleep[d] = scale == 0;
            Scale[d] = scale == 0 ? 1 : scale;
        }
    }

    /// <summary>Takes a row inside.</summary>
    /// <param name="row">D values, user units.</param>
    /// <param name="inside">D values, overwritten.</param>
    /// <param name="moves">Whether a feature that woke may get location and scale of its own.</param>
    /// <param name="components">Moved along with a feature that does.</param>
    /// <param name="hasMoved">Whether one did.</param>
    /// <returns>How many values the row has.</returns>
    public int Standardize(
        ReadOnlySpan<double> row, Span<double> inside, bool moves, GrowingComponents components, out bool hasMoved)
    {
        int observed = 0;
        hasMoved = false;
        for (int d = 0; d < dimension; d++)
        {
            double value = row[d];
            inside[d] = double.NaN;
            if (!double.IsFinite(value)) continue;
            observed++;
            if (!_isKnown[d]) (_isKnown[d], Location[d]) = (true, value);
            if (_isAsleep[d] && value != Location[d]) Wake(d, value);
            if (_fresh[d] is { } fresh && moves) hasMoved |= Collect(d, value, fresh, components);
            inside[d] = Math.Clamp((value - Location[d]) / Scale[d], -Limit, Limit);
        }
        return observed;
    }

    /// <summary>Takes a row inside, and nothing of it for the scale.</summary>
    /// <param name="row">D values, user units.</param>
    /// <param name="inside">D values, overwritten.</param>
    /// <returns>How many values the row has.</returns>
    public int Observe(ReadOnlySpan<double> row, Span<double> inside)
    {
        int observed = 0;
        for (int d = 0; d < dimension; d++)
        {
            bool isThere = double.IsFinite(row[d]);
            if (isThere) observed++;
            inside[d] = isThere ? Math.Clamp((row[d] - Location[d]) / Scale[d], -Limit, Limit) : double.NaN;
        }
        return observed;
    }

    public void CopyFrom(RobustScale other)
    {
        other.Location.CopyTo(Location, 0);
        other.Scale.CopyTo(Scale, 0);
        other._isAsleep.CopyTo(_isAsleep, 0);
        other._isKnown.CopyTo(_isKnown, 0);
        for (int d = 0; d < dimension; d++) _fresh[d] = other._fresh[d] is { } fresh ? [.. fresh] : null;
        _window = other._window;
    }

    public void Write(CompactWriter writer)
    {
        writer.Count(_window);
        writer.Numbers(Location);
        writer.Numbers(Scale);
        for (int d = 0; d < dimension; d++)
        {
            writer.Byte((byte)((_isAsleep[d] ? Asleep : 0) | (_isKnown[d] ? Known : 0) | (_fresh[d] is not null ? Fresh : 0)));
            if (_fresh[d] is not { } fresh) continue;
            writer.Count(fresh.Count);
            foreach (double value in fresh) writer.Number(value);
        }
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Read(ref CompactReader reader)
    {
        _window = reader.Count(int.MaxValue);
        reader.Numbers(Location);
        reader.Numbers(Scale);
        for (int d = 0; d < dimension; d++)
        {
            if (!(Scale[d] > 0)) throw new InvalidDataException("The state of a key is damaged: a scale is none.");
            byte state = reader.Byte();
            (_isAsleep[d], _isKnown[d], _fresh[d]) = ((state & Asleep) != 0, (state & Known) != 0, null);
            if ((state & Fresh) == 0) continue;
            _fresh[d] = [];
            for (int left = reader.Count(_window); left > 0; left--) _fresh[d]!.Add(reader.Number());
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_window);
        writer.WriteDoubles(Location);
        writer.WriteDoubles(Scale);
        for (int d = 0; d < dimension; d++)
        {
            writer.Write(_isAsleep[d]);
            writer.Write(_isKnown[d]);
            writer.Write(_fresh[d] is not null);
            if (_fresh[d] is { } fresh) writer.WriteDoubles([.. fresh]);
        }
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        _window = reader.ReadInt32();
        double[] location = reader.ReadDoubles(), scale = reader.ReadDoubles();
        if (location.Length != dimension || scale.Length != dimension || !location.All(double.IsFinite)
            || scale.Any(value => !(value > 0) || !double.IsFinite(value)))
            throw new InvalidDataException("The state is damaged: locations and scales are not those of the features.");
        location.CopyTo(Location, 0);
        scale.CopyTo(Scale, 0);
        for (int d = 0; d < dimension; d++)
        {
            (_isAsleep[d], _isKnown[d]) = (reader.ReadBoolean(), reader.ReadBoolean());
            _fresh[d] = reader.ReadBoolean() ? [.. reader.ReadDoubles()] : null;
        }
    }

    /// <summary>Location and scale of some values; scale 0 where they do not vary.</summary>
    internal static (double Location, double Scale) Of(List<double> values)
    {
        values = [.. values];
        values.Sort();
        double location = Quantile(values, 0.5), scale = (Quantile(values, 0.9) - Quantile(values, 0.1)) / 2.563;
        double tiny = Tiny * Math.Max(Math.Abs(location), LeastLocation);
        if (!(scale > tiny))
        {
            double mean = values.Average(), squares = 0;
            foreach (double value in values) squares += (value - mean) * (value - mean);
            scale = Math.Sqrt(squares / values.Count);
        }
        return (location, scale > tiny && double.IsFinite(scale) ? scale : 0);
    }

    private void Wake(int d, double value)
    {
        _isAsleep[d] = false;
        Scale[d] = Math.Max(Math.Abs(value - Location[d]) / Waking, LeastScale);
        _fresh[d] = [];
    }

    /// <summary>Takes a value of a feature that woke; returns whether it has got location and scale of its own.</summary>
    private bool Collect(int d, double value, List<double> fresh, GrowingComponents components)
    {
        fresh.Add(value);
        if (fresh.Count < _window) return false;
        (double location, double scale) = Of(fresh);
        _fresh[d] = null;
        if (scale == 0) return false;
        components.Rescale(d, (Location[d] - location) / scale, Scale[d] / scale);
        (Location[d], Scale[d]) = (location, scale);
        return true;
    }

    /// <summary>By linear interpolation between the sorted values, as numpy's default.</summary>
    private static double Quantile(List<double> sorted, double share)
    {
        double at = share * (sorted.Count - 1);
        int low = (int)at;
        double within = at - low;
        return within == 0 ? sorted[low] : sorted[low] + within * (sorted[low + 1] - sorted[low]);
    }

    private static double[] Ones(int count)
    {
        double[] ones = new double[count];
        Array.Fill(ones, 1);
        return ones;
    }
}
