using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Intervals;

/// <summary>
/// The information of a record, from the outer products of minibatches' scores, which is what it is when the model is right (Louis 1982;
/// McLachlan &amp; Krishnan 2008, section 4.3), and its inverse. Part of the state.
/// </summary>
/// <param name="size">P, the coordinates.</param>
internal sealed class InformationSums(int size)
{
    /// <summary>A pivot below this share of its diagonal is rounding: the coordinate follows from those before it.</summary>
    private const double Aliased = 1e-9;

    /// <summary>The fewest scores that a matrix of them says anything from, and as many for every coordinate.</summary>
    private const int FewestScores = 64, ScoresPerCoordinate = 5;

    /// <summary>By how much more scores the inverse is made anew.</summary>
    private const double Growth = 1.25;

    private readonly double[] _sums = new double[Packed.Length(size)], _inverse = new double[Packed.Length(size)];
    private double _records;
    private long _scores, _inverted;

    /// <summary>Whether there is an inverse.</summary>
    public bool IsKnown => _inverted > 0;

    /// <summary>Adds the score of a minibatch.</summary>
    /// <param name="score">The gradient of the log-likelihood of its records, their sum.</param>
    /// <param name="records">How many they are worth.</param>
    /// <returns>Whether the inverse was made anew.</returns>
    public bool Add(ReadOnlySpan<double> score, double records)
    {
        for (int i = 0, at = 0; i < size; at += ++i)
        {
            double own = score[i];
            Span<double> row = _sums.AsSpan(at, i + 1);
            for (int j = 0; j < row.Length; j++) row[j] = Math.FusedMultiplyAdd(own, score[j], row[j]);
        }
        _records += records;
        if (++_scores < Math.Max(Math.Max(FewestScores, (long)ScoresPerCoordinate * size), (long)(Growth * _inverted))) return false;
        Invert();
        _inverted = _scores;
        return true;
    }

    /// <summary>V x, V the inverse of the information of one record; coordinates of which nothing is known are left out.</summary>
    public void Multiply(ReadOnlySpan<double> x, Span<double> result)
    {
        result.Clear();
        for (int i = 0, at = 0; i < size; at += ++i)
        {
            if (!IsKnownAt(i)) continue;
            ReadOnlySpan<double> row = _inverse.AsSpan(at, i + 1);
            double sum = 0;
            for (int j = 0; j < i; j++)
            {
                sum = Math.FusedMultiplyAdd(row[j], x[j], sum);
                result[j] = Math.FusedMultiplyAdd(row[j], x[i], result[j]);
            }
            result[i] += sum + row[i] * x[i];
        }
    }

    /// <summary>V_ij; NaN on the diagonal of a coordinate of which nothing is known, 0 beside it.</summary>
    public double this[int i, int j] => _inverse[Packed.Index(Math.Max(i, j), Math.Min(i, j))];

    /// <summary>Whether anything is known of a coordinate.</summary>
    public bool IsKnownAt(int coordinate) => !double.IsNaN(_inverse[Packed.Index(coordinate, coordinate)]);

    /// <summary>Nothing is known any more.</summary>
    public void Clear()
    {
        Array.Clear(_sums);
        Array.Clear(_inverse);
        (_records, _scores, _inverted) = (0, 0, 0);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_records);
        writer.Write(_scores);
        writer.Write(_inverted);
        writer.WriteDoubles(_sums);
        writer.WriteDoubles(_inverse);
    }

    /// <exception cref="InvalidDataException">It is of another shape.</exception>
    public void Load(BinaryReader reader)
    {
        (_records, _scores, _inverted) = (reader.ReadDouble(), reader.ReadInt64(), reader.ReadInt64());
        double[] sums = reader.ReadDoubles(), inverse = reader.ReadDoubles();
        bool isValid = sums.Length == _sums.Length && inverse.Length == _inverse.Length && _records >= 0 && _scores >= _inverted
            && _inverted >= 0 && sums.All(double.IsFinite);
        if (!isValid) throw new InvalidDataException("The state is damaged: the information is none of these parameters.");
        sums.CopyTo(_sums, 0);
        inverse.CopyTo(_inverse, 0);
    }

    /// <summary>
    /// V = (T - P - 1) / T n (sum of the products)^-1, T the scores: without the factor, the inverse of an estimate is too large on average
    /// (Hartlap, Simon &amp; Schneider 2007). By the factor of a correlation matrix; a coordinate without information, or that follows from
    /// those before it, is left out.
    /// </summary>
    private void Invert()
    {
        double[] scale = new double[size], factor = new double[_sums.Length], column = new double[size];
        for (int i = 0; i < size; i++) scale[i] = _sums[Packed.Index(i, i)] is > 0 and var own ? 1 / Math.Sqrt(own) : 0;
        bool[] isKnown = new bool[size];
        int known = 0;
        for (int i = 0; i < size; i++)
        {
            Span<double> row = factor.AsSpan(Packed.Index(i, 0), i + 1);
            for (int j = 0; j <= i; j++)
            {
                ReadOnlySpan<double> other = factor.AsSpan(Packed.Index(j, 0), j + 1);
                double value = _sums[Packed.Index(i, j)] * scale[i] * scale[j];
                for (int n = 0; n < j; n++) value = Math.FusedMultiplyAdd(-row[n], other[n], value);
                if (j < i) row[j] = isKnown[j] ? value / other[j] : 0;
                else isKnown[i] = value > Aliased;
                if (j == i) row[i] = isKnown[i] ? Math.Sqrt(value) : 1;
            }
            if (!isKnown[i]) row[..i].Clear();
            if (isKnown[i]) known++;
        }
        double worth = _records * Math.Max(1, _scores - known - 1) / _scores;
        for (int j = 0; j < size; j++)
        {
            Array.Clear(column);
            column[j] = 1;
            Cholesky.Solve(factor, size, column);
            for (int i = j; i < size; i++)
                _inverse[Packed.Index(i, j)] = isKnown[i] && isKnown[j] ? worth * scale[i] * scale[j] * column[i] : i == j ? double.NaN : 0;
        }
    }
}
