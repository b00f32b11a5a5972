namespace StreamEm.Core.Data;

/// <summary>Bags of words in compressed sparse row form: row i has the terms <c>Starts[i] .. Starts[i + 1]</c>.</summary>
public sealed class SparseRows
{
    private readonly List<int> _starts = [0];
    private readonly List<int> _indices = [];
    private readonly List<double> _counts = [];

    /// <summary>Number of rows.</summary>
    public int Count => _starts.Count - 1;

    /// <summary>Appends a row: term indices and their counts, equally many.</summary>
    public void Add(ReadOnlySpan<int> indices, ReadOnlySpan<double> counts)
    {
        if (indices.Length != counts.Length)
            throw new ArgumentException($"A sparse row has {indices.Length} indices and {counts.Length} counts.", nameof(counts));
        _indices.AddRange(indices);
        _counts.AddRange(counts);
        _starts.Add(_indices.Count);
    }

    /// <summary>Term indices of a row.</summary>
    public ReadOnlySpan<int> Indices(int row) => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_indices)[_starts[row].._starts[row + 1]];

    /// <summary>Term counts of a row.</summary>
    public ReadOnlySpan<double> Counts(int row) => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_counts)[_starts[row].._starts[row + 1]];

    /// <summary>Forgets all rows and keeps the memory.</summary>
    public void Clear()
    {
        _starts.RemoveRange(1, _starts.Count - 1);
        _indices.Clear();
        _counts.Clear();
    }
}
