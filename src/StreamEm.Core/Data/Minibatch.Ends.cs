namespace StreamEm.Core.Data;

/// <summary>Which observations are the last of their sequence, because they say so.</summary>
public sealed partial class Minibatch
{
    private OptionalColumn<bool> _lasts = new(false);

    /// <summary>Whether an observation says that it is the last of its sequence.</summary>
    public bool IsLast(int row) => _lasts.At(row);

    /// <summary>The observation added last is the last of its sequence.</summary>
    public void EndSequence()
    {
        _hasMore = true;
        _lasts.Set(Count - 1, true);
    }

    /// <summary>Whether a saved state says which observations are the last of their sequence: where something may.</summary>
    internal bool KeepsEnds { get; set; }

    /// <summary>Which observations are the last; empty when none is.</summary>
    internal ReadOnlySpan<bool> Lasts => _lasts.Of(Count);
}
