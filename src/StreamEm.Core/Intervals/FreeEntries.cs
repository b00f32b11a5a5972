using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Intervals;

/// <summary>
/// Coordinates of what is free in Theta: entries that may move by themselves. The row of a simplex has all but one, which gives what the
/// others take; a symmetric matrix has its lower triangle. What is held still or is a constant of the model has none. Part of the state.
/// </summary>
internal sealed class FreeEntries
{
    private readonly List<(int At, int Size)> _rows = [];
    private readonly List<Free> _free = [];
    private readonly bool[] _isAtEnd;

    /// <summary>Of a model; the entry left out of a simplex is its last until <see cref="Choose"/>.</summary>
    public FreeEntries(LatentModel model)
    {
        _isAtEnd = new bool[model.ParameterLayout.Length];
        foreach (VectorBlock block in model.ParameterLayout.Blocks)
        {
            if (block.IsOptional || model.FixedBlocks.Contains(block)) continue;
            int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
            (double least, double most) = BoundsOf(block.Domain);
            for (int at = block.Offset; at < block.Offset + block.Length;)
                if (block.Domain == Domain.Simplex)
                {
                    _rows.Add((at, last));
                    for (int entry = 0; entry + 1 < last; entry++) _free.Add(new Free(at + entry, at + last - 1, -1, least, most));
                    at += last;
                }
                else if (block.Domain == Domain.PositiveDefinite)
                {
                    for (int i = 0; i < last; i++)
                        for (int j = 0; j <= i; j++) _free.Add(new Free(at + i * last + j, at + j * last + i, i == j ? 0 : 1, least, most));
                    at += last * last;
                }
                else _free.Add(new Free(at, at++, 0, least, most));
        }
    }

    /// <summary>How many there are.</summary>
    public int Count => _free.Count;

    /// <summary>The least and the largest value of a domain.</summary>
    public static (double Least, double Most) BoundsOf(Domain domain) => domain switch
    {
        Domain.Positive => (0, double.PositiveInfinity),
        Domain.Probability or Domain.Simplex => (0, 1),
        _ => (double.NegativeInfinity, double.PositiveInfinity),
    };

    /// <summary>Leaves out the largest entry of every simplex, of which there is the most to give.</summary>
    public void Choose(ReadOnlySpan<double> parameters)
    {
        int free = 0;
        foreach ((int at, int size) in _rows)
        {
            int largest = at;
            for (int entry = at; entry < at + size; entry++)
                if (parameters[entry] > parameters[largest]) largest = entry;
            while (free < _free.Count && (_free[free].Sign >= 0 || _free[free].At < at)) free++;
            for (int entry = at; entry < at + size; entry++)
                if (entry != largest) _free[free++] = new Free(entry, largest, -1, 0, 1);
        }
    }

    /// <summary>The gradient by the coordinates, from that by every entry; 0 where one is at an end of its domain.</summary>
    public void Project(ReadOnlySpan<double> gradient, ReadOnlySpan<double> parameters, Span<double> result)
    {
        for (int at = 0; at < result.Length; at++)
        {
            Free free = _free[at];
            bool isAtEnd = _isAtEnd[free.At] || (free.Sign < 0 && !(parameters[free.At] > 0));
            result[at] = isAtEnd ? 0 : gradient[free.At] + free.Sign * gradient[free.Other];
        }
    }

    /// <summary>Moves parameters along a coordinate.</summary>
    public void Move(int coordinate, double by, Span<double> parameters)
    {
        Free free = _free[coordinate];
        parameters[free.At] += by;
        if (free.Sign != 0) parameters[free.Other] += free.Sign * by;
    }

    /// <summary>Whether a coordinate is at an end of its domain, where its maximum is no stationary point.</summary>
    public bool IsAtEnd(int coordinate) => _isAtEnd[_free[coordinate].At];

    /// <summary>Leaves out the coordinates whose estimates are beyond the ends of their domains.</summary>
    public void LeaveOutBeyond(ReadOnlySpan<double> estimates)
    {
        foreach (Free free in _free)
            if (!(estimates[free.At] > free.Least && estimates[free.At] < free.Most)) _isAtEnd[free.At] = true;
    }

    /// <summary>All coordinates are in again.</summary>
    public void Clear() => Array.Clear(_isAtEnd);

    public void Save(BinaryWriter writer)
    {
        int[] given = new int[_rows.Count];
        for (int row = 0; row < given.Length; row++) given[row] = _rows[row].At + _rows[row].Size - 1;
        foreach (Free free in _free)
            if (free.Sign < 0) given[_rows.FindIndex(row => free.At >= row.At && free.At < row.At + row.Size)] = free.Other;
        writer.WriteArray<int>(given);
        writer.WriteArray<byte>([.. _isAtEnd.Select(isAtEnd => isAtEnd ? (byte)1 : (byte)0)]);
    }

    /// <exception cref="InvalidDataException">It is of another model.</exception>
    public void Load(BinaryReader reader)
    {
        int[] given = reader.ReadArray<int>();
        byte[] isAtEnd = reader.ReadArray<byte>();
        double[] ones = new double[_isAtEnd.Length];
        bool isValid = given.Length == _rows.Count && isAtEnd.Length == _isAtEnd.Length;
        for (int row = 0; isValid && row < given.Length; row++)
        {
            isValid = given[row] >= _rows[row].At && given[row] < _rows[row].At + _rows[row].Size;
            if (isValid) ones[given[row]] = 1;
        }
        if (!isValid) throw new InvalidDataException("The state is damaged: what intervals leave out is none of these parameters.");
        Choose(ones);
        for (int at = 0; at < isAtEnd.Length; at++) _isAtEnd[at] = isAtEnd[at] != 0;
    }

    /// <summary>A coordinate: an entry, one that moves with it or against it, and the ends of its domain.</summary>
    private readonly record struct Free(int At, int Other, int Sign, double Least, double Most);
}
