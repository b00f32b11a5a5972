namespace StreamEm.Core.Data;

/// <summary>
/// Terms and how often each stands in a row, row after row: as much memory as there are different terms in each, whatever the vocabulary.
/// Rows are added in their order; one that is passed over has none.
/// </summary>
internal sealed class TermCounts
{
    private int[] _ends = new int[64], _terms = new int[1024];
    private double[] _counts = new double[1024];

    /// <summary>Rows that were given terms, and those before them.</summary>
    public int Rows { get; private set; }

    /// <summary>The different terms of a row, ascending.</summary>
    public ReadOnlySpan<int> Terms(int row) => row < Rows ? _terms.AsSpan(Start(row), _ends[row] - Start(row)) : default;

    /// <summary>How often each of <see cref="Terms"/> stands in the row.</summary>
    public ReadOnlySpan<double> Counts(int row) => row < Rows ? _counts.AsSpan(Start(row), _ends[row] - Start(row)) : default;

    /// <summary>Gives a row, which comes after all that have any, its terms.</summary>
    public void Set(int row, ReadOnlySpan<int> terms, ReadOnlySpan<double> counts)
    {
        if (row < Rows) throw new ArgumentOutOfRangeException(nameof(row), row, $"{Rows} rows have their terms.");
        int end = Rows == 0 ? 0 : _ends[Rows - 1];
        if (row >= _ends.Length) Array.Resize(ref _ends, Math.Max(row + 1, 2 * _ends.Length));
        if (end + terms.Length > _terms.Length)
        {
            Array.Resize(ref _terms, Math.Max(end + terms.Length, 2 * _terms.Length));
            Array.Resize(ref _counts, _terms.Length);
        }
        _ends.AsSpan(Rows, row - Rows).Fill(end);
        terms.CopyTo(_terms.AsSpan(end));
        counts.CopyTo(_counts.AsSpan(end));
        _ends[row] = end + terms.Length;
        Rows = row + 1;
    }

    /// <summary>Removes the first rows.</summary>
    public void RemoveFirst(int rows)
    {
        if (rows >= Rows)
        {
            Rows = 0;
            return;
        }
        int first = rows == 0 ? 0 : _ends[rows - 1], length = _ends[Rows - 1] - first;
        _terms.AsSpan(first, length).CopyTo(_terms);
        _counts.AsSpan(first, length).CopyTo(_counts);
        for (int row = rows; row < Rows; row++) _ends[row - rows] = _ends[row] - first;
        Rows -= rows;
    }

    /// <summary>Forgets all rows and keeps the memory.</summary>
    public void Clear() => Rows = 0;

    public void Save(BinaryWriter writer)
    {
        int length = Rows == 0 ? 0 : _ends[Rows - 1];
        writer.WriteArray<int>(_ends.AsSpan(0, Rows));
        writer.WriteArray<int>(_terms.AsSpan(0, length));
        writer.WriteDoubles(_counts.AsSpan(0, length));
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        int[] ends = reader.ReadArray<int>(), terms = reader.ReadArray<int>();
        double[] counts = reader.ReadDoubles();
        int before = 0;
        foreach (int end in ends)
        {
            if (end < before) throw new InvalidDataException("A saved row has fewer terms than none.");
            before = end;
        }
        if (before != terms.Length || terms.Length != counts.Length || counts.Any(count => !(count > 0) || double.IsInfinity(count)))
            throw new InvalidDataException("The terms of the saved rows are not as many as their counts, or a count is not above 0.");
        (_ends, _terms, _counts, Rows) = (ends, terms, counts, ends.Length);
    }

    private int Start(int row) => row == 0 ? 0 : _ends[row - 1];
}
