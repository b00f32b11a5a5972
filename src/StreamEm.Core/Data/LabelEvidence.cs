namespace StreamEm.Core.Data;

/// <summary>
/// What labels say that name no single class: a number for each of the K classes, p(what was said given the class) up to a factor, the
/// largest 1. A set of classes is 1 for those in it and 0 for the others; probabilities are what they are to the largest of them.
/// </summary>
internal sealed class LabelEvidence
{
    private double[] _values = [];

    /// <summary>K; 0 while there is none.</summary>
    public int Width { get; private set; }

    /// <summary>How many labels there are of this kind.</summary>
    public int Count { get; private set; }

    /// <summary>All of them, one after another.</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, Count * Width);

    /// <summary>What label <paramref name="number"/> says [K].</summary>
    public ReadOnlySpan<double> this[int number] => _values.AsSpan(number * Width, Width);

    /// <summary>Adds one and returns its number.</summary>
    /// <exception cref="ArgumentException">It is of another number of classes than those before.</exception>
    public int Add(ReadOnlySpan<double> evidence)
    {
        if (Count == 0) Width = evidence.Length;
        if (evidence.Length != Width)
            throw new ArgumentException($"A label speaks of {evidence.Length} classes; those before it of {Width}.", nameof(evidence));
        if (_values.Length < (Count + 1) * Width) Array.Resize(ref _values, Math.Max(8 * Width, 2 * (Count + 1) * Width));
        evidence.CopyTo(_values.AsSpan(Count * Width));
        return Count++;
    }

    /// <summary>Moves one to a lower number.</summary>
    public void Move(int from, int to) => this[from].CopyTo(_values.AsSpan(to * Width));

    /// <summary>Forgets all but the first.</summary>
    public void Keep(int count) => Count = count;
}
