using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Learning;

/// <summary>
/// Features that were constant or absent in the first records, so that nothing is known of their scale. A row in which one of them has
/// another value is held back. When such rows keep coming, the feature comes to life: its location and scale are those of its last 512
/// values, glitches left out, and the parameters are moved to the new units: what they say of the other features stays as it is. Part of
/// the state.
/// </summary>
internal sealed class SleepingFeatures
{
    /// <summary>Values remembered of a feature.</summary>
    private const int Remembered = 512;

    private const int FewTiny = 3;

    private readonly bool[] _isAsleep;
    private readonly double[] _constants, _offWeight;
    private readonly int[] _tiny;
    private readonly List<double>[] _values;

    /// <summary>Features of which some are asleep at their constants, NaN for one without a value.</summary>
    public SleepingFeatures(bool[] asleep, double[] constants, int[] tiny)
    {
        (_isAsleep, _constants, _tiny, _offWeight) = ([.. asleep], [.. constants], [.. tiny], new double[asleep.Length]);
        _values = new List<double>[asleep.Length];
        for (int d = 0; d < _values.Length; d++) _values[d] = [];
    }

    /// <summary>No feature asleep.</summary>
    public SleepingFeatures(int dimension)
        : this(new bool[dimension], new double[dimension], new int[dimension])
    {
    }

    /// <summary>Number of features D.</summary>
    public int Dimension => _isAsleep.Length;

    /// <summary>Whether any is asleep.</summary>
    public bool Any => _isAsleep.Contains(true);

    /// <summary>Whether a feature is asleep.</summary>
    public bool IsAsleep(int feature) => _isAsleep[feature];

    /// <summary>
    /// Whether a feature varies, and by so little that no variance can be told: three values that differ from its constant by less than
    /// <see cref="FeatureStatistics.LeastSpread"/>.
    /// </summary>
    public bool IsTooSmall(int feature) => _isAsleep[feature] && _tiny[feature] >= FewTiny;

    /// <summary>Holds the rows back in which one of them has another value than ever before.</summary>
    /// <param name="rows">In the user's units.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="bound">Begun for these rows, in their order.</param>
    /// <param name="unit">What weights are divided by.</param>
    public void Look(Minibatch rows, int count, InfluenceBound bound, double unit)
    {
        for (int d = 0; d < _isAsleep.Length; d++)
        {
            if (!_isAsleep[d]) continue;
            for (int row = 0; row < count; row++)
            {
                double value = rows.Row(row)[d], weight = rows.Weight(row);
                bool isOff = FirstRecords.IsOff(value, _constants[d]);
                if (isOff) bound.HoldBefore(row);
                else if (_tiny[d] < FewTiny && FirstRecords.IsTiny(value, _constants[d])) _tiny[d]++;
                // From the first other value on, all are remembered: a feature may be at its constant for most of the time.
                if (!(weight > 0) || double.IsNaN(value) || !(isOff || _values[d].Count > 0)) continue;
                if (isOff) _offWeight[d] += weight / unit;
                if (_values[d].Count == Remembered) _values[d].RemoveAt(0);
                _values[d].Add(value);
            }
        }
    }

    /// <summary>Forgets what came while the records held back were few.</summary>
    public void Forget()
    {
        Array.Clear(_offWeight);
        foreach (List<double> values in _values) values.Clear();
    }

    /// <summary>
    /// The space in which those features are awake whose other values are a share of the change; null when there is none.
    /// </summary>
    /// <param name="space">The features as they are.</param>
    /// <param name="watch">What the change is.</param>
    /// <param name="awake">The features that came to life.</param>
    public FeatureSpace? Awaken(FeatureSpace space, ChangeWatch watch, List<int> awake)
    {
        Feature[] features = [.. space.Features];
        bool any = false;
        for (int d = 0; d < features.Length; d++)
        {
            if (!_isAsleep[d] || _values[d].Count == 0 || !watch.IsShare(_offWeight[d])) continue;
            any = true;
            (double mean, double deviation) = Moments(_values[d]);
            if (!(deviation > FeatureStatistics.LeastSpread))
            {
                // Another constant: still asleep, there.
                _constants[d] = mean;
                features[d] = features[d] with { Location = features[d].Scaling == FeatureScaling.ScaleOnly ? 0 : mean, Scale = 1 };
                awake.Add(d);
                continue;
            }
            _isAsleep[d] = false;
            features[d] = features[d].Scaling == FeatureScaling.ScaleOnly
                ? features[d] with { Location = 0, Scale = Math.Abs(mean), Mean = 1, Variance = deviation * deviation / (mean * mean) }
                : features[d] with { Location = mean, Scale = deviation, Mean = 0, Variance = 1 };
            awake.Add(d);
        }
        Forget();
        return any ? new FeatureSpace(features) : null;
    }

    /// <summary>
    /// Moves parameters to a space in which one feature has other units and has just come to life: it gets mean and variance of the space
    /// in every component and no covariance, whatever blocks the model has. What other features have is not touched.
    /// </summary>
    public static void Move(VectorLayout layout, Span<double> parameters, int feature, Feature moved)
    {
        foreach (VectorBlock block in layout.Blocks)
        {
            if (block.Units == Units.None) continue;
            int at = block.Features is { } of ? IndexOf(of, feature) : feature, width = block.Shape[^1];
            if (at < 0) continue;
            Span<double> values = block.Of(parameters);
            int step = block.Units == Units.Product ? width * width : width;
            for (int first = 0; first < values.Length; first += step)
            {
                if (block.Units == Units.Value) values[first + at] = moved.Mean;
                else if (block.Units == Units.Deviation) values[first + at] = Math.Sqrt(moved.Variance);
                else if (block.Units == Units.Square) values[first + at] = moved.Variance;
                for (int i = 0; i < width && block.Units == Units.Product; i++)
                    values[first + at * width + i] = values[first + i * width + at] = i == at ? moved.Variance : 0;
            }
        }
    }

    public void Save(BinaryWriter writer)
    {
        for (int d = 0; d < _isAsleep.Length; d++)
        {
            writer.Write(_isAsleep[d]);
            writer.Write(_constants[d]);
            writer.Write(_offWeight[d]);
            writer.Write(_tiny[d]);
            writer.WriteDoubles([.. _values[d]]);
        }
    }

    public void Load(BinaryReader reader)
    {
        for (int d = 0; d < _isAsleep.Length; d++)
        {
            (_isAsleep[d], _constants[d], _offWeight[d]) = (reader.ReadBoolean(), reader.ReadDouble(), reader.ReadDouble());
            _tiny[d] = reader.ReadInt32();
            _values[d].Clear();
            _values[d].AddRange(reader.ReadDoubles());
        }
    }

    /// <summary>Mean and deviation, glitches left out; deviation 0 of values that are all the same.</summary>
    private static (double Mean, double Deviation) Moments(List<double> values)
    {
        var rows = new Minibatch(1, values.Count);
        foreach (double value in values) rows.Add([value]);
        var first = new FirstRecords(new FeatureSpace([new Feature("")]), rows);
        Feature feature = first.Space.Features[0];
        return (feature.Location, first.IsAsleep[0] ? 0 : feature.Scale);
    }

    private static int IndexOf(IReadOnlyList<int> features, int feature)
    {
        for (int at = 0; at < features.Count; at++)
            if (features[at] == feature) return at;
        return -1;
    }
}
