namespace StreamEm.Core.Data;

/// <summary>Rows put together by their keys' texts.</summary>
internal static class KeyedRows
{
    /// <summary>The sequences of every key, rows without one together; the numbers of the keys are those of their texts.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="options">What ends a sequence.</param>
    public static Minibatch Whole(Minibatch rows, SequenceOptions options)
    {
        int[] numbers = new int[rows.Count];
        bool[] begins = options.HasLimits ? new bool[rows.Count] : [];
        for (int row = 0; row < numbers.Length; row++) numbers[row] = rows.Key(row) + 1;
        if (options.HasLimits && rows.Count > 0)
        {
            var lengths = new SequenceLengths(numbers.Max() + 1, options);
            for (int row = 0; row < numbers.Length; row++)
                begins[row] = lengths.Take(numbers[row], rows.Timestamp(row), isNew: false, rows.IsLast(row));
        }
        var result = new Minibatch(rows.Dimension, Math.Max(1, rows.Count));
        new SequenceGroups().Group(rows, numbers, result, begins);
        return result;
    }
}
