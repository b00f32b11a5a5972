using System.Runtime.CompilerServices;

namespace StreamEm.Core.Data;

/// <summary>
/// N observations of D features, row-major, NaN = missing, with what may accompany an observation: a weight, a label, a target to be
/// predicted, the key of the sequence it belongs to, a time, the terms of a text. A minibatch grows by <see cref="Add"/> and is reused
/// after <see cref="Clear"/>: in steady state nothing is allocated, and a column that no observation has costs nothing.
/// </summary>
public sealed partial class Minibatch
{
    /// <summary>The key of an observation without one.</summary>
    public const int NoKey = TextTable.None;

    /// <summary>The time of an observation without one.</summary>
    public const long NoTimestamp = long.MinValue;

    private readonly int[] _textFeatures;
    private double[] _values;
    private int _capacity;
    private int[] _sequenceStarts = [];
    private int _sequences;
    private bool _hasMore;
    private OptionalColumn<double> _weights = new(1), _targets = new(double.NaN);
    private OptionalColumn<int> _labels = new(Unlabelled), _keys = new(NoKey);
    private OptionalColumn<long> _timestamps = new(NoTimestamp);

    /// <summary>An empty minibatch of <paramref name="dimension"/> features.</summary>
    /// <param name="dimension">D.</param>
    /// <param name="capacity">Rows it holds before it grows.</param>
    /// <param name="texts">What labels, keys and text features are numbers of; null where they are components, slots and codes.</param>
    /// <param name="textFeatures">The features whose values are numbers of texts.</param>
    public Minibatch(int dimension, int capacity = 256, TextTable? texts = null, IReadOnlyList<int>? textFeatures = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(dimension);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Dimension = dimension;
        Texts = texts;
        _textFeatures = [.. textFeatures ?? []];
        _capacity = capacity;
        _values = new double[capacity * dimension];
    }

    /// <summary>Number of observations N.</summary>
    public int Count { get; private set; }

    /// <summary>Number of features D.</summary>
    public int Dimension { get; }

    /// <summary>
    /// What labels, keys and the values of text features are numbers of, in rows as a source delivers them; null where labels are
    /// components, keys slots, and levels codes.
    /// </summary>
    public TextTable? Texts { get; set; }

    /// <summary>N x D values, row-major; NaN = missing.</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, Count * Dimension);

    /// <summary>N weights >= 0, or empty when every weight is 1.</summary>
    public ReadOnlySpan<double> Weights => _weights.Of(Count);

    /// <summary>The weights, to be written; empty when every weight is 1.</summary>
    internal Span<double> MutableWeights => _weights.Mutable(Count);

    /// <summary>N component numbers, <see cref="Unlabelled"/> where unknown, below it where <see cref="Evidence"/> says more; empty when
    /// no observation has a label.</summary>
    public ReadOnlySpan<int> Labels => _labels.Of(Count);

    /// <summary>N targets, NaN where unknown; empty when no observation has one. For models that predict.</summary>
    public ReadOnlySpan<double> Targets => _targets.Of(Count);

    /// <summary>N keys, <see cref="NoKey"/> where there is none; empty when no observation has one.</summary>
    public ReadOnlySpan<int> Keys => _keys.Of(Count);

    /// <summary>N times, ms since 1970, <see cref="NoTimestamp"/> where there is none; empty when no observation has one.</summary>
    public ReadOnlySpan<long> Timestamps => _timestamps.Of(Count);

    /// <summary>First row of every sequence, ascending; empty for exchangeable observations. For models of sequences.</summary>
    public ReadOnlySpan<int> SequenceStarts => _sequenceStarts.AsSpan(0, _sequences);

    /// <summary>Whether every observation is its features alone: weight 1, no label, target, key or time.</summary>
    public bool IsFeaturesOnly => !_hasMore;

    /// <summary>Sum of the weights.</summary>
    public double TotalWeight
    {
        get
        {
            if (!_weights.Any) return Count;
            double total = 0;
            foreach (double weight in Weights) total += weight;
            return total;
        }
    }

    /// <summary>Observation <paramref name="row"/>: D values.</summary>
    public ReadOnlySpan<double> Row(int row) => _values.AsSpan(row * Dimension, Dimension);

    /// <summary>Weight of an observation.</summary>
    public double Weight(int row) => _weights.At(row);

    /// <summary>Label of an observation: as in <see cref="Labels"/>, or the number of a text in <see cref="Texts"/>.</summary>
    public int Label(int row) => _labels.At(row);

    /// <summary>Target of an observation; NaN where unknown.</summary>
    public double Target(int row) => _targets.At(row);

    /// <summary>Key of an observation: a slot, or the number of a text in <see cref="Texts"/>.</summary>
    public int Key(int row) => _keys.At(row);

    /// <summary>Time of an observation, ms since 1970.</summary>
    public long Timestamp(int row) => _timestamps.At(row);

    /// <summary>Where the D values of the next observation go; <see cref="Commit()"/> takes it.</summary>
    public Span<double> NextRow
    {
        get
        {
            if (Count == _capacity) Grow(Count + 1);
            return _values.AsSpan(Count * Dimension, Dimension);
        }
    }

    /// <summary>Takes the observation whose values are in <see cref="NextRow"/> and that has nothing else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit()
    {
        if (_hasMore) SetMore(1, Unlabelled, double.NaN, NoKey, NoTimestamp);
        Count++;
    }

    /// <summary>Takes the observation whose values are in <see cref="NextRow"/>.</summary>
    public void Commit(double weight, int label = Unlabelled, double target = double.NaN, int key = NoKey, long timestamp = NoTimestamp)
    {
        SetMore(weight, label, target, key, timestamp);
        Count++;
    }

    /// <summary>Appends one observation; <paramref name="values"/> is copied.</summary>
    public void Add(
        ReadOnlySpan<double> values, double weight = 1, int label = Unlabelled, double target = double.NaN, int key = NoKey,
        long timestamp = NoTimestamp)
    {
        if (values.Length != Dimension)
            throw new ArgumentException(
                $"An observation has {values.Length} values; this minibatch holds {Dimension} features.", nameof(values));
        values.CopyTo(NextRow);
        Commit(weight, label, target, key, timestamp);
    }

    /// <summary>Appends observations that are their features alone: N x D values, row-major, copied.</summary>
    public void AddRange(ReadOnlySpan<double> values)
    {
        int count = Dimension == 0 ? 0 : values.Length / Dimension;
        if (values.Length != count * Dimension)
            throw new ArgumentException($"{values.Length} values are not rows of {Dimension} features.", nameof(values));
        values.CopyTo(AppendSpace(count));
        if (_hasMore) AppendMore(count, default, default, default, default, default, default);
    }

    /// <summary>Appends rows of another minibatch with all that accompanies them. Numbers of texts become those of this one's table; an
    /// empty minibatch without a table takes the other's.</summary>
    public void Append(Minibatch other, int first, int count)
    {
        Span<double> values = AppendSpace(other, first, count);
        other.Values.Slice(first * Dimension, count * Dimension).CopyTo(values);
        if (other.Texts is not null && other.Texts != Texts) Translate(other.Texts, Count - count, count);
    }

    /// <summary>Appends some rows of another minibatch of the same table, in the order given; sequences are not carried over.</summary>
    public void Append(Minibatch other, ReadOnlySpan<int> rows)
    {
        foreach (int row in rows)
        {
            Add(other.Row(row), other.Weight(row), TakeLabel(other, row), other.Target(row), other.Key(row), other.Timestamp(row));
            if (other.IsLast(row)) EndSequence();
            TakeTerms(other, row, 1);
        }
    }

    /// <summary>Appends what accompanies rows of another minibatch and returns where their values go.</summary>
    internal Span<double> AppendSpace(Minibatch other, int first, int count)
    {
        if (other.Dimension != Dimension)
            throw new ArgumentException($"The rows have {other.Dimension} features; this minibatch holds {Dimension}.", nameof(other));
        if (Texts is null && Count == 0) Texts = other.Texts;
        foreach (int start in other.SequenceStarts)
            if (start >= first && start < first + count) BeginSequence(Count + start - first);
        Span<double> values = AppendSpace(count);
        if (_hasMore || other._hasMore)
            AppendMore(
                count, Slice(other.Weights, first, count), Slice(other.Labels, first, count), Slice(other.Targets, first, count),
                Slice(other.Keys, first, count), Slice(other.Timestamps, first, count), Slice(other.Lasts, first, count));
        TakeEvidence(other, first, count);
        TakeTerms(other, first, count);
        return values;
    }

    /// <summary>Makes the next observation added the first of a new sequence.</summary>
    public void BeginSequence() => BeginSequence(Count);

    /// <summary>Gives one observation other values [D].</summary>
    internal void Overwrite(int row, ReadOnlySpan<double> values) => values.CopyTo(_values.AsSpan(row * Dimension, Dimension));

    /// <summary>Forgets all observations and keeps the memory.</summary>
    public void Clear()
    {
        Count = _sequences = 0;
        _hasMore = _hasAhead = false;
        _weights.Clear();
        _labels.Clear();
        _evidence?.Keep(0);
        _terms?.Clear();
        _targets.Clear();
        _keys.Clear();
        _timestamps.Clear();
        _lasts.Clear();
    }

    /// <summary>Removes the first <paramref name="count"/> observations.</summary>
    public void RemoveFirst(int count)
    {
        int kept = Count - count;
        _values.AsSpan(count * Dimension, kept * Dimension).CopyTo(_values);
        _weights.RemoveFirst(count, Count);
        _labels.RemoveFirst(count, Count);
        _targets.RemoveFirst(count, Count);
        _keys.RemoveFirst(count, Count);
        _timestamps.RemoveFirst(count, Count);
        _lasts.RemoveFirst(count, Count);
        _terms?.RemoveFirst(count);
        int sequences = 0;
        foreach (int start in SequenceStarts)
            if (start >= count) _sequenceStarts[sequences++] = start - count;
        (Count, _sequences) = (kept, sequences);
        CompactEvidence();
        _hasMore = HasColumns;
    }

    private bool HasColumns => _weights.Any || _labels.Any || _targets.Any || _keys.Any || _timestamps.Any || _lasts.Any;

    private static ReadOnlySpan<T> Slice<T>(ReadOnlySpan<T> column, int first, int count) =>
        column.IsEmpty ? default : column.Slice(first, count);

    private void BeginSequence(int row)
    {
        if (_sequences == _sequenceStarts.Length) Array.Resize(ref _sequenceStarts, Math.Max(16, 2 * _sequences));
        _sequenceStarts[_sequences++] = row;
    }

    private Span<double> AppendSpace(int count)
    {
        if (Count + count > _capacity) Grow(Count + count);
        Count += count;
        return _values.AsSpan((Count - count) * Dimension, count * Dimension);
    }

    private void AppendMore(
        int count, ReadOnlySpan<double> weights, ReadOnlySpan<int> labels, ReadOnlySpan<double> targets, ReadOnlySpan<int> keys,
        ReadOnlySpan<long> timestamps, ReadOnlySpan<bool> lasts)
    {
        int start = Count - count;
        _weights.Append(start, count, weights);
        _labels.Append(start, count, labels);
        _targets.Append(start, count, targets);
        _keys.Append(start, count, keys);
        _timestamps.Append(start, count, timestamps);
        _lasts.Append(start, count, lasts);
        _hasMore = HasColumns;
    }

    private void SetMore(double weight, int label, double target, int key, long timestamp)
    {
        _weights.Set(Count, weight);
        _labels.Set(Count, label);
        _targets.Set(Count, target);
        _keys.Set(Count, key);
        _timestamps.Set(Count, timestamp);
        _lasts.Set(Count, false);
        _hasMore = HasColumns;
    }

    private void Grow(int needed)
    {
        _capacity = Math.Max(needed, 2 * _capacity);
        Array.Resize(ref _values, _capacity * Dimension);
    }
}
