namespace StreamEm.Core.Data;

/// <summary>Where sequences lie in a minibatch.</summary>
internal static class SequenceRows
{
    /// <summary>One past the last row of the sequence that begins at a row.</summary>
    /// <param name="starts"><see cref="Minibatch.SequenceStarts"/>.</param>
    /// <param name="row">Its first row.</param>
    /// <param name="end">One past the last row looked at.</param>
    public static int EndOf(ReadOnlySpan<int> starts, int row, int end)
    {
        int at = starts.BinarySearch(row + 1);
        if (at < 0) at = ~at;
        return at < starts.Length ? Math.Min(starts[at], end) : end;
    }

    /// <summary>One past the last row of a sequence that is learned from; those after it are ahead.</summary>
    /// <param name="ahead">Which rows are ahead (<c>Pass.Ahead</c>); null where none is.</param>
    /// <param name="from">The sequence's first row.</param>
    /// <param name="end">One past its last row.</param>
    public static int EndOfLearned(bool[]? ahead, int from, int end)
    {
        if (ahead is null) return end;
        while (end > from && ahead[end - 1]) end--;
        return end;
    }

    /// <summary>
    /// Whether the sequence that begins at a row is of the same key as the one before it: then it is another one of that key, and what is
    /// remembered of the key is of the one before.
    /// </summary>
    public static bool FollowsItsKey(Minibatch batch, int row) =>
        row > 0 && batch.Key(row) != Minibatch.NoKey && batch.Key(row) == batch.Key(row - 1);
}
