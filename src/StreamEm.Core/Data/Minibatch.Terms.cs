namespace StreamEm.Core.Data;

/// <summary>The terms of rows that are texts, sparse: a row has as many as there are different ones in it.</summary>
public sealed partial class Minibatch
{
    private TermCounts? _terms;

    /// <summary>Whether rows have terms beside their values: they are as <see cref="SetTerms"/> gave them.</summary>
    public bool HasTerms => _terms is not null;

    /// <summary>The different terms of a row, codes of a vocabulary, ascending.</summary>
    public ReadOnlySpan<int> Terms(int row) => _terms is null ? default : _terms.Terms(row);

    /// <summary>How often each of <see cref="Terms"/> stands in the row; above 0.</summary>
    public ReadOnlySpan<double> CountsOfTerms(int row) => _terms is null ? default : _terms.Counts(row);

    /// <summary>From here on rows have terms, none of those so far any.</summary>
    internal void BeginTerms() => _terms ??= new TermCounts();

    /// <summary>Gives the last row, or the next one, its terms; rows before it have theirs.</summary>
    public void SetTerms(int row, ReadOnlySpan<int> terms, ReadOnlySpan<double> counts) =>
        (_terms ??= new TermCounts()).Set(row, terms, counts);

    /// <summary>Whether every term is one of a vocabulary of so many.</summary>
    internal bool HasTermsOf(int vocabulary)
    {
        for (int row = 0; row < (_terms?.Rows ?? 0); row++)
            foreach (int term in Terms(row))
                if ((uint)term >= (uint)vocabulary) return false;
        return (_terms?.Rows ?? 0) <= Count;
    }

    internal void SaveTerms(BinaryWriter writer) => _terms?.Save(writer);

    internal void LoadTerms(BinaryReader reader) => _terms?.Load(reader);

    /// <summary>Gives rows that were appended the terms of rows of another minibatch.</summary>
    private void TakeTerms(Minibatch other, int first, int count)
    {
        if (other._terms is not { } terms) return;
        BeginTerms();
        for (int row = 0; row < count; row++)
            _terms!.Set(Count - count + row, terms.Terms(first + row), terms.Counts(first + row));
    }
}
