using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Growing;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>What the mixture of a record's key says of the record.</summary>
/// <param name="PValue">The share of the key's normal records at least as unlike; NaN until that is known.</param>
/// <param name="NoveltyPValue">The same against everything the key has shown; NaN until that is known.</param>
public readonly record struct KeyedScore(double PValue, double NoveltyPValue);

/// <summary>
/// A small mixture that grows for every key (<see cref="GrowingMixture"/>), each as if the records of its key were the only ones: the first
/// 100 give location and scale, and each is scored before it is learned from. One machine serves the states of all keys, which are bytes in
/// a <see cref="KeyStates"/>. In steady state nothing is allocated. One thread at a time.
/// </summary>
public sealed class KeyedMixtures
{
    private const byte WarmingUp = 0, Started = 1;

    private readonly KeyStates _states;
    private readonly GrowingMixture _mixture, _fresh;
    private readonly Minibatch _first;
    private readonly CompactWriter _writer = new();
    private string? _key;
    private bool _isStarted, _isChanged;

    /// <summary>The mixtures of a model's keys.</summary>
    /// <param name="model">A mixture that grows.</param>
    /// <param name="schema">Its features.</param>
    /// <param name="learning">Which records are learned from.</param>
    /// <param name="states">The keys' states.</param>
    /// <exception cref="ArgumentException">The model does not grow.</exception>
    public KeyedMixtures(LatentModelOptions model, RecordSchema schema, LearningOptions learning, KeyStates states)
    {
        GrowthOptions growth = model.Growth ?? throw new ArgumentException(
            "A model per key is a mixture that grows; this one has a fixed number of components.", nameof(model));
        _states = states;
        GrowingMixture Begun() => new(schema.Width, growth, LearnerCore.GuardOf(learning)) { TellsDensity = false };
        (_mixture, _fresh) = (Begun(), Begun());
        _first = new Minibatch(schema.Width, GrowingMixture.FirstRows);
    }

    /// <summary>Scores a record under the mixture of its key, which then learns from it.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="row">D values, user units, NaN = missing.</param>
    /// <param name="learns">Whether it may be learned from.</param>
    /// <exception cref="InvalidDataException">The state of the key is damaged.</exception>
    public KeyedScore Take(string key, ReadOnlySpan<double> row, bool learns)
    {
        Load(key);
        _isChanged |= learns;
        if (_isStarted)
        {
            GrowingScore score = _mixture.Step(row, learns);
            return new KeyedScore(score.PValue, score.NoveltyPValue);
        }
        if (learns) _first.Add(row);
        if (_first.Count == GrowingMixture.FirstRows) Start();
        return new KeyedScore(double.NaN, double.NaN);
    }

    /// <summary>Takes a person's word for a record of a key; see <see cref="Learner.Judge"/>.</summary>
    /// <returns>Components that are other than they were; null where the key has no mixture yet.</returns>
    public int? Judge(string key, ReadOnlySpan<double> row, bool isNormal)
    {
        Load(key);
        if (!_isStarted) return null;
        _isChanged = true;
        return _mixture.Judge(row, isNormal);
    }

    /// <summary>Has the states know of all that was taken.</summary>
    public void Flush()
    {
        if (_key is null || !_isChanged) return;
        _isChanged = false;
        _writer.Clear();
        if (_isStarted)
        {
            _writer.Byte(Started);
            _mixture.Write(_writer);
        }
        else
        {
            _writer.Byte(WarmingUp);
            _writer.Count(_first.Count);
            _writer.Numbers(_first.Values);
        }
        _states.Write(_key, _writer.Written);
    }

    /// <summary>What the mixture of a key has learned; null of a key that never came.</summary>
    /// <exception cref="InvalidDataException">The state of the key is damaged.</exception>
    public KeySummary? Describe(string key)
    {
        Load(key);
        if (!_isStarted && _first.Count == 0) return null;
        if (!_isStarted) return new KeySummary("warming_up", _first.Count, [], [], []);
        GrowingComponents components = _mixture.Components;
        (double[] location, double[] scale) = (_mixture.Scale.Location, _mixture.Scale.Scale);
        double total = 0;
        for (int k = 0; k < components.Count; k++) total += components.Weights[k];
        KeyComponent Of(int k)
        {
            double[] mean = components.Mean(k).ToArray(), variances = components.Covariance(k).ToArray();
            return new KeyComponent(
                string.Create(CultureInfo.InvariantCulture, $"c{components.Numbers[k]}"), components.Weights[k] / total,
                [.. mean.Select((value, d) => value * scale[d] + location[d])],
                [.. mean.Select((_, d) => Math.Sqrt(variances[d * mean.Length + d]) * scale[d])],
                components.IsQuarantined[k] ? DetectionJson.Quarantined : "ok");
        }
        return new KeySummary(
            _mixture.IsCalibrated ? "learning" : "calibrating", _mixture.Records, [.. location], [.. scale],
            [.. Enumerable.Range(0, components.Count).Select(Of)]);
    }

    private void Start()
    {
        _mixture.CopyFrom(_fresh);
        _mixture.Start(_first);
        for (int row = 0; row < _first.Count; row++) _mixture.Step(_first.Row(row));
        _isStarted = true;
        _first.Clear();
    }

    /// <summary>Makes the machine that of a key.</summary>
    private void Load(string key)
    {
        if (ReferenceEquals(key, _key) || key == _key) return;
        Flush();
        // Until it is known whose the machine is, it is nobody's.
        _key = null;
        _first.Clear();
        _isStarted = false;
        ReadOnlySpan<byte> state = _states.Read(key);
        if (!state.IsEmpty)
        {
            var reader = new CompactReader(state);
            bool isStarted = reader.Byte() == Started;
            if (isStarted) Read(ref reader);
            else ReadFirst(ref reader);
            _isStarted = isStarted;
        }
        _key = key;
    }

    private void Read(ref CompactReader reader)
    {
        try
        {
            _mixture.Read(ref reader);
        }
        catch (ArithmeticException failure)
        {
            throw new InvalidDataException($"The state of a key is damaged: {failure.Message}", failure);
        }
    }

    private void ReadFirst(ref CompactReader reader)
    {
        for (int left = reader.Count(GrowingMixture.FirstRows - 1); left > 0; left--)
        {
            foreach (ref double value in _first.NextRow) value = reader.Number();
            _first.Commit();
        }
        if (!reader.IsAtEnd) throw new InvalidDataException("The state of a key is damaged: it is of other features.");
    }
}
