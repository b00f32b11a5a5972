namespace StreamEm.Core.Data;

/// <summary>What some observations have and most have not: nothing is stored before the first value that is not the absent one.</summary>
/// <typeparam name="T">The values' type.</typeparam>
/// <param name="absent">What an observation has that has none.</param>
internal struct OptionalColumn<T>(T absent)
    where T : IEquatable<T>
{
    private T[] _values = [];

    /// <summary>Whether any observation has a value of its own.</summary>
    public bool Any { get; private set; }

    /// <summary>The first <paramref name="count"/> values; empty when none has one.</summary>
    public readonly ReadOnlySpan<T> Of(int count) => Any ? _values.AsSpan(0, count) : default;

    /// <summary>The first <paramref name="count"/> values, to be written; empty when none has one.</summary>
    public readonly Span<T> Mutable(int count) => Any ? _values.AsSpan(0, count) : default;

    /// <summary>The value of a row.</summary>
    public readonly T At(int row) => Any ? _values[row] : absent;

    /// <summary>Gives row <paramref name="row"/>, one of the rows so far or the next one, a value.</summary>
    public void Set(int row, T value)
    {
        if (!Any)
        {
            if (value.Equals(absent)) return;
            Begin(row);
        }
        Reserve(row + 1);
        _values[row] = value;
    }

    /// <summary>
    /// Gives rows <paramref name="start"/> .. + <paramref name="count"/> the values of others, or the absent one where there are none.
    /// </summary>
    public void Append(int start, int count, ReadOnlySpan<T> values)
    {
        // What the rows have, not what their neighbours have: a minibatch must not depend on what it was cut from.
        bool any = values.ContainsAnyExcept(absent);
        if (!Any && !any) return;
        if (!Any) Begin(start);
        Reserve(start + count);
        if (any) values.CopyTo(_values.AsSpan(start));
        else _values.AsSpan(start, count).Fill(absent);
    }

    /// <summary>Removes the first <paramref name="removed"/> of <paramref name="count"/> rows.</summary>
    public void RemoveFirst(int removed, int count)
    {
        if (!Any) return;
        _values.AsSpan(removed, count - removed).CopyTo(_values);
        Any = _values.AsSpan(0, count - removed).ContainsAnyExcept(absent);
    }

    /// <summary>Forgets all values and keeps the memory.</summary>
    public void Clear() => Any = false;

    private void Begin(int rows)
    {
        Any = true;
        Reserve(rows);
        _values.AsSpan(0, rows).Fill(absent);
    }

    private void Reserve(int rows)
    {
        if (rows > _values.Length) Array.Resize(ref _values, Math.Max(Math.Max(rows, 256), 2 * _values.Length));
    }
}
