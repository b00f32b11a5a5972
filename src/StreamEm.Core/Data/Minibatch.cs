namespace StreamEm.Core.Data;

/// <summary>
/// N observations of D features, row-major, NaN = missing, with what may accompany an observation: a weight, a label that clamps its
/// responsibility, a target to be predicted, a sequence it belongs to, or a bag of words instead of dense values.
/// A minibatch grows by <see cref="Add"/> and is reused after <see cref="Clear"/>: in steady state nothing is allocated.
/// </summary>
public sealed class Minibatch
{
    /// <summary>The label of an observation whose component is not known.</summary>
    public const int Unlabelled = -1;

    private double[] _values;
    private double[] _weights;
    private int[] _labels;
    private double[] _targets;
    private int[] _sequenceStarts = [];
    private bool _hasWeights, _hasLabels, _hasTargets;
    private int _sequences;

    /// <summary>An empty minibatch with room for <paramref name="capacity"/> observations of <paramref name="dimension"/> features.</summary>
    public Minibatch(int dimension, int capacity = 256)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(dimension);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Dimension = dimension;
        _values = new double[capacity * dimension];
        _weights = new double[capacity];
        _labels = new int[capacity];
        _targets = new double[capacity];
    }

    /// <summary>Number of observations N.</summary>
    public int Count { get; private set; }

    /// <summary>Number of features D.</summary>
    public int Dimension { get; }

    /// <summary>N x D values, row-major; NaN = missing.</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, Count * Dimension);

    /// <summary>N weights >= 0, or empty when every weight is 1.</summary>
    public ReadOnlySpan<double> Weights => _hasWeights ? _weights.AsSpan(0, Count) : default;

    /// <summary>N component numbers, <see cref="Unlabelled"/> where unknown; empty when no observation has one.</summary>
    public ReadOnlySpan<int> Labels => _hasLabels ? _labels.AsSpan(0, Count) : default;

    /// <summary>N targets, NaN where unknown; empty when no observation has one. For models that predict (mixture of experts, probit).</summary>
    public ReadOnlySpan<double> Targets => _hasTargets ? _targets.AsSpan(0, Count) : default;

    /// <summary>First row of every sequence, ascending; empty for exchangeable observations. For models of sequences (hidden Markov).</summary>
    public ReadOnlySpan<int> SequenceStarts => _sequenceStarts.AsSpan(0, _sequences);

    /// <summary>Bags of words, one per observation, beside or instead of <see cref="Values"/>. For models of sparse counts (LDA).</summary>
    public SparseRows? Sparse { get; init; }

    /// <summary>Sum of the weights.</summary>
    public double TotalWeight
    {
        get
        {
            if (!_hasWeights) return Count;
            double total = 0;
            foreach (double weight in Weights) total += weight;
            return total;
        }
    }

    /// <summary>Observation <paramref name="row"/>: D values.</summary>
    public ReadOnlySpan<double> Row(int row) => _values.AsSpan(row * Dimension, Dimension);

    /// <summary>Appends one observation; <paramref name="values"/> is copied.</summary>
    public void Add(ReadOnlySpan<double> values, double weight = 1, int label = Unlabelled, double target = double.NaN)
    {
        if (values.Length != Dimension)
            throw new ArgumentException($"An observation has {values.Length} values; this minibatch holds {Dimension} features.", nameof(values));
        if (Count == _weights.Length) Grow(Count + 1);
        values.CopyTo(_values.AsSpan(Count * Dimension));
        if (weight != 1) BeginWeights();
        if (label != Unlabelled) BeginLabels();
        if (!double.IsNaN(target)) BeginTargets();
        if (_hasWeights) _weights[Count] = weight;
        if (_hasLabels) _labels[Count] = label;
        if (_hasTargets) _targets[Count] = target;
        Count++;
    }

    /// <summary>Appends observations of weight 1 without label and target: N x D values, row-major, copied.</summary>
    public void AddRange(ReadOnlySpan<double> values)
    {
        int count = Dimension == 0 ? 0 : values.Length / Dimension;
        if (values.Length != count * Dimension)
            throw new ArgumentException($"{values.Length} values are not rows of {Dimension} features.", nameof(values));
        values.CopyTo(AppendSpace(count));
        ExtendExtras(Count - count, count);
    }

    /// <summary>Appends rows <paramref name="first"/> .. <paramref name="first"/> + <paramref name="count"/> of another minibatch.</summary>
    public void AddRange(Minibatch other, int first, int count) =>
        other.Values.Slice(first * Dimension, count * Dimension).CopyTo(AppendSpace(other, first, count));

    /// <summary>Appends what accompanies rows of another minibatch and returns where their values go.</summary>
    internal Span<double> AppendSpace(Minibatch other, int first, int count)
    {
        if (other.Dimension != Dimension)
            throw new ArgumentException($"The rows have {other.Dimension} features; this minibatch holds {Dimension}.", nameof(other));
        Span<double> values = AppendSpace(count);
        int start = Count - count;
        // What the rows have, not what their neighbours have: a minibatch must not depend on what it was cut from.
        ReadOnlySpan<double> weights = other.Weights.IsEmpty ? default : other.Weights.Slice(first, count);
        ReadOnlySpan<int> labels = other.Labels.IsEmpty ? default : other.Labels.Slice(first, count);
        ReadOnlySpan<double> targets = other.Targets.IsEmpty ? default : other.Targets.Slice(first, count);
        if (weights.ContainsAnyExcept(1.0)) BeginWeights();
        if (labels.ContainsAnyExcept(Unlabelled)) BeginLabels();
        if (targets.ContainsAnyExcept(double.NaN)) BeginTargets();
        ExtendExtras(start, count);
        if (_hasWeights && !weights.IsEmpty) weights.CopyTo(_weights.AsSpan(start));
        if (_hasLabels && !labels.IsEmpty) labels.CopyTo(_labels.AsSpan(start));
        if (_hasTargets && !targets.IsEmpty) targets.CopyTo(_targets.AsSpan(start));
        return values;
    }

    /// <summary>Makes the next observation added the first of a new sequence.</summary>
    public void BeginSequence()
    {
        if (_sequences == _sequenceStarts.Length) Array.Resize(ref _sequenceStarts, Math.Max(16, 2 * _sequences));
        _sequenceStarts[_sequences++] = Count;
    }

    /// <summary>Sets the component of one observation: its responsibility is then one-hot.</summary>
    public void SetLabel(int row, int label)
    {
        if (label != Unlabelled) BeginLabels();
        if (_hasLabels) _labels.AsSpan(0, Count)[row] = label;
    }

    /// <summary>Forgets all observations and keeps the memory.</summary>
    public void Clear()
    {
        Count = _sequences = 0;
        _hasWeights = _hasLabels = _hasTargets = false;
        Sparse?.Clear();
    }

    /// <summary>Removes the first <paramref name="count"/> observations.</summary>
    public void RemoveFirst(int count)
    {
        int kept = Count - count;
        _values.AsSpan(count * Dimension, kept * Dimension).CopyTo(_values);
        if (_hasWeights) _weights.AsSpan(count, kept).CopyTo(_weights);
        if (_hasLabels) _labels.AsSpan(count, kept).CopyTo(_labels);
        if (_hasTargets) _targets.AsSpan(count, kept).CopyTo(_targets);
        Count = kept;
        _hasWeights = Weights.ContainsAnyExcept(1.0);
        _hasLabels = Labels.ContainsAnyExcept(Unlabelled);
        _hasTargets = Targets.ContainsAnyExcept(double.NaN);
    }

    private Span<double> AppendSpace(int count)
    {
        if (Count + count > _weights.Length) Grow(Count + count);
        Count += count;
        return _values.AsSpan((Count - count) * Dimension, count * Dimension);
    }

    /// <summary>Gives rows what others have and they have not.</summary>
    private void ExtendExtras(int first, int count)
    {
        if (_hasWeights) _weights.AsSpan(first, count).Fill(1);
        if (_hasLabels) _labels.AsSpan(first, count).Fill(Unlabelled);
        if (_hasTargets) _targets.AsSpan(first, count).Fill(double.NaN);
    }

    private void BeginWeights()
    {
        if (!_hasWeights) _weights.AsSpan(0, Count).Fill(1);
        _hasWeights = true;
    }

    private void BeginLabels()
    {
        if (!_hasLabels) _labels.AsSpan(0, Count).Fill(Unlabelled);
        _hasLabels = true;
    }

    private void BeginTargets()
    {
        if (!_hasTargets) _targets.AsSpan(0, Count).Fill(double.NaN);
        _hasTargets = true;
    }

    private void Grow(int needed)
    {
        int capacity = Math.Max(needed, 2 * _weights.Length);
        Array.Resize(ref _values, capacity * Dimension);
        Array.Resize(ref _weights, capacity);
        Array.Resize(ref _labels, capacity);
        Array.Resize(ref _targets, capacity);
    }
}
