using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Growing;

/// <summary>
/// Gaussian components whose number changes, each with its own count w: mean m and covariance S about it are the running averages of what
/// it was given, so that a component nobody visits stays what it is. Its covariance with the floor is V = w / (w + nu) S + f max(nu / (w +
/// nu), kappa) I. All sums are over records: components of two streams are put side by side and merged. Arrays of fixed size, the first
/// <see cref="Count"/> of which are used. Part of the state.
/// </summary>
internal sealed partial class GrowingComponents
{
    private readonly GrowthRule _rule;
    private readonly int _dimension, _square, _packed;
    private readonly double[] _scatters, _means, _covariances, _factors, _logVolumes, _floored, _scratch, _off;

    /// <summary>None.</summary>
    public GrowingComponents(GrowthRule rule)
    {
        (_rule, _dimension) = (rule, rule.Dimension);
        (_square, _packed) = (_dimension * _dimension, Packed.Length(_dimension));
        Capacity = rule.Growth.Max + 2 * rule.Quarantined + 2;
        Weights = new double[Capacity];
        LearningBases = new double[Capacity];
        ScoringBases = new double[Capacity];
        IsQuarantined = new bool[Capacity];
        Numbers = new int[Capacity];
        _means = new double[Capacity * _dimension];
        _scatters = new double[Capacity * _square];
        int forms = rule.Growth.IsShared ? 1 : Capacity;
        _covariances = new double[forms * _square];
        _factors = new double[forms * _packed];
        _logVolumes = new double[forms];
        _floored = new double[forms];
        _scratch = new double[_packed];
        _off = new double[_dimension];
    }

    /// <summary>Components there is room for.</summary>
    public int Capacity { get; }

    /// <summary>Components there are.</summary>
    public int Count { get; private set; }

    /// <summary>w: records each was given.</summary>
    public double[] Weights { get; }

    /// <summary>log w - (log det V + D log 2 pi) / 2: the log of what each learns with, at its mean.</summary>
    public double[] LearningBases { get; }

    /// <summary>
    /// log w - (tau log det (V + f I) + D log 2 pi) / 2: of what each scores with; its volume is never below the floor's.
    /// </summary>
    public double[] ScoringBases { get; }

    /// <summary>Whether each holds what is not confirmed as normal.</summary>
    public bool[] IsQuarantined { get; }

    /// <summary>A number for each that no other ever had.</summary>
    public int[] Numbers { get; }

    /// <summary>The number of the next one born.</summary>
    public int NextNumber { get; private set; }

    /// <summary>m [D].</summary>
    public Span<double> Mean(int k) => _means.AsSpan(k * _dimension, _dimension);

    /// <summary>S [D, D], without the floor.</summary>
    public Span<double> Scatter(int k) => _scatters.AsSpan(k * _square, _square);

    /// <summary>V [D, D].</summary>
    public ReadOnlySpan<double> Covariance(int k) => _covariances.AsSpan(Form(k) * _square, _square);

    /// <summary>Squared Mahalanobis distances of a row without missing values from all.</summary>
    public void Squares(ReadOnlySpan<double> row, Span<double> squares)
    {
        if (row.Length > 1 || _rule.Growth.IsShared)
        {
            for (int k = 0; k < Count; k++) squares[k] = Square(k, row);
            return;
        }
        double value = row[0];
        ReadOnlySpan<double> means = _means.AsSpan(0, Count), factors = _factors.AsSpan(0, Count);
        for (int k = 0; k < means.Length; k++)
        {
            double off = factors[k] * (value - means[k]);
            squares[k] = off * off;
        }
    }

    /// <summary>Squared Mahalanobis distance of a row without missing values.</summary>
    public double Square(int k, ReadOnlySpan<double> row)
    {
        ReadOnlySpan<double> mean = Mean(k), factor = _factors.AsSpan(Form(k) * _packed, _packed);
        Span<double> off = _off;
        double sum = 0;
        for (int i = 0, at = 0; i < row.Length; i++)
        {
            off[i] = row[i] - mean[i];
            double value = 0;
            for (int j = 0; j <= i; j++) value += factor[at++] * off[j];
            sum += value * value;
        }
        return sum;
    }

    /// <summary>A component at a place, of one record.</summary>
    public void Add(ReadOnlySpan<double> mean, bool isQuarantined)
    {
        int k = Count++;
        (Weights[k], IsQuarantined[k], Numbers[k]) = (1, isQuarantined, NextNumber++);
        mean.CopyTo(Mean(k));
        Scatter(k).Clear();
        Refresh(k);
    }

    /// <summary>Gives a component a part r of a record: w += r, a = r / w, e = x - m, m += a e, S += a ((1 - a) e e' + C - S).</summary>
    /// <param name="k">Which.</param>
    /// <param name="part">r.</param>
    /// <param name="row">x, without missing values.</param>
    /// <param name="conditional">C [D, D], of those that were missing; empty where none was.</param>
    public void Take(int k, double part, ReadOnlySpan<double> row, ReadOnlySpan<double> conditional)
    {
        Weights[k] += part;
        double step = part / Weights[k];
        Span<double> mean = Mean(k), scatter = Scatter(k), off = _off;
        for (int d = 0; d < row.Length; d++)
        {
            off[d] = row[d] - mean[d];
            mean[d] += step * off[d];
        }
        for (int i = 0, at = 0; i < row.Length; i++)
            for (int j = 0; j < row.Length; j++, at++)
            {
                double given = conditional.IsEmpty ? 0 : conditional[at];
                scatter[at] += step * ((1 - step) * off[i] * off[j] + given - scatter[at]);
            }
        Refresh(k);
    }

    /// <summary>
    /// Makes one component of two by matching their moments: W = w + w', S = (w S + w' S') / W + w w' / W^2 e e'. The first keeps its
    /// number.
    /// </summary>
    public void Merge(int first, int second)
    {
        double w = Weights[first], other = Weights[second], all = w + other;
        Span<double> mean = Mean(first), from = Mean(second), scatter = Scatter(first), scattered = Scatter(second), off = _off;
        for (int d = 0; d < _dimension; d++) off[d] = mean[d] - from[d];
        for (int i = 0, at = 0; i < _dimension; i++)
            for (int j = 0; j < _dimension; j++, at++)
                scatter[at] = (w * scatter[at] + other * scattered[at]) / all + w * other / (all * all) * off[i] * off[j];
        for (int d = 0; d < _dimension; d++) mean[d] = (w * mean[d] + other * from[d]) / all;
        Weights[first] = all;
        Remove(second);
        Refresh(first);
    }

    /// <summary>
    /// Gives a component more weight w' and leaves its covariance with the floor what it is: S = (V - f max(nu / (w' + nu), kappa) I) (w' +
    /// nu) / w', where it has one of its own.
    /// </summary>
    public void Raise(int k, double weight)
    {
        double share = weight / (weight + _rule.PriorRecords), floor = FloorOf(weight);
        ReadOnlySpan<double> covariance = Covariance(k);
        Span<double> scatter = Scatter(k);
        for (int at = 0; at < _square && !_rule.Growth.IsShared; at++)
            scatter[at] = (covariance[at] - (at % (_dimension + 1) == 0 ? floor : 0)) / share;
        Weights[k] = weight;
        Refresh(k);
    }

    /// <summary>Takes a component away; the last one takes its place.</summary>
    public void Remove(int k)
    {
        int last = --Count;
        if (k < last)
        {
            (Weights[k], IsQuarantined[k], Numbers[k]) = (Weights[last], IsQuarantined[last], Numbers[last]);
            (LearningBases[k], ScoringBases[k]) = (LearningBases[last], ScoringBases[last]);
            Mean(last).CopyTo(Mean(k));
            Scatter(last).CopyTo(Scatter(k));
            if (!_rule.Growth.IsShared) CopyForm(last, k);
        }
        if (_rule.Growth.IsShared && Count > 0) Refresh(0);
    }

    /// <summary>Multiplies the weight of all.</summary>
    public void Fade(double factor)
    {
        for (int k = 0; k < Count; k++) Weights[k] *= factor;
        RefreshAll();
    }

    /// <summary>Confirms all as normal.</summary>
    public void Release() => Array.Clear(IsQuarantined, 0, Count);

    /// <summary>Moves all to other units of one feature: m = shift + factor m, its covariances times the factor.</summary>
    public void Rescale(int feature, double shift, double factor)
    {
        for (int k = 0; k < Count; k++)
        {
            Mean(k)[feature] = shift + factor * Mean(k)[feature];
            Span<double> scatter = Scatter(k);
            for (int d = 0; d < _dimension; d++) scatter[feature * _dimension + d] *= factor;
            for (int d = 0; d < _dimension; d++) scatter[d * _dimension + feature] *= factor;
        }
        RefreshAll();
    }

    /// <summary>Takes over all of another of the same rule.</summary>
    public void CopyFrom(GrowingComponents other)
    {
        (Count, NextNumber) = (other.Count, other.NextNumber);
        Array.Copy(other.Weights, Weights, Count);
        Array.Copy(other.LearningBases, LearningBases, Count);
        Array.Copy(other.ScoringBases, ScoringBases, Count);
        Array.Copy(other.IsQuarantined, IsQuarantined, Count);
        Array.Copy(other.Numbers, Numbers, Count);
        Array.Copy(other._means, _means, Count * _dimension);
        Array.Copy(other._scatters, _scatters, Count * _square);
        int forms = Math.Min(Count, _logVolumes.Length);
        Array.Copy(other._covariances, _covariances, forms * _square);
        Array.Copy(other._factors, _factors, forms * _packed);
        Array.Copy(other._logVolumes, _logVolumes, forms);
        Array.Copy(other._floored, _floored, forms);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(NextNumber);
        writer.WriteDoubles(Weights.AsSpan(0, Count));
        writer.WriteArray<int>(Numbers.AsSpan(0, Count));
        writer.WriteArray<bool>(IsQuarantined.AsSpan(0, Count));
        writer.WriteDoubles(_means.AsSpan(0, Count * _dimension));
        writer.WriteDoubles(_scatters.AsSpan(0, Count * _square));
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        NextNumber = reader.ReadInt32();
        double[] weights = reader.ReadDoubles();
        int[] numbers = reader.ReadArray<int>();
        bool[] quarantined = reader.ReadArray<bool>();
        double[] means = reader.ReadDoubles(), scatters = reader.ReadDoubles();
        bool isWhole = weights.Length <= Capacity && numbers.Length == weights.Length && quarantined.Length == weights.Length
            && means.Length == weights.Length * _dimension && scatters.Length == weights.Length * _square
            && numbers.Distinct().Count() == numbers.Length && numbers.All(number => number >= 0 && number < NextNumber)
            && weights.All(weight => weight > 0 && double.IsFinite(weight)) && means.All(double.IsFinite) && scatters.All(double.IsFinite);
        if (!isWhole) throw new InvalidDataException("The state is damaged: the components that grew are not those of the model.");
        Count = weights.Length;
        weights.CopyTo(Weights, 0);
        numbers.CopyTo(Numbers, 0);
        quarantined.CopyTo(IsQuarantined, 0);
        means.CopyTo(_means, 0);
        scatters.CopyTo(_scatters, 0);
        RefreshAll();
    }

    public void Write(CompactWriter writer)
    {
        writer.Count(NextNumber);
        writer.Count(Count);
        for (int k = 0; k < Count; k++)
        {
            writer.Number(Weights[k]);
            writer.Count(2L * Numbers[k] + (IsQuarantined[k] ? 1 : 0));
            writer.Numbers(Mean(k));
            writer.Numbers(Scatter(k));
        }
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Read(ref CompactReader reader)
    {
        (NextNumber, Count) = (reader.Count(int.MaxValue), reader.Count(Capacity));
        for (int k = 0; k < Count; k++)
        {
            Weights[k] = reader.Number();
            long number = reader.Count();
            (Numbers[k], IsQuarantined[k]) = ((int)(number >> 1), (number & 1) != 0);
            reader.Numbers(Mean(k));
            reader.Numbers(Scatter(k));
            if (!(Weights[k] > 0) || !double.IsFinite(Weights[k]) || number >> 1 >= NextNumber)
                throw new InvalidDataException("The state of a key is damaged: a component has no weight, or a number too large.");
        }
        RefreshAll();
    }

    private int Form(int k) => _rule.Growth.IsShared ? 0 : k;
}
