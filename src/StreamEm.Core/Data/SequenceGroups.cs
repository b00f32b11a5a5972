namespace StreamEm.Core.Data;

/// <summary>
/// Rows put together by a number each has (the slot of its key), in their order, the groups in the order of their first rows. Reused; one
/// thread at a time.
/// </summary>
internal sealed class SequenceGroups
{
    private readonly Dictionary<int, int> _groups = [];
    private int[] _groupOf = [], _next = [], _order = [];

    /// <summary>For every row of the last result, the row it came from.</summary>
    public ReadOnlySpan<int> Order => _order.AsSpan(0, Count);

    /// <summary>Rows of the last result.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Overwrites <paramref name="result"/> with the first rows of a minibatch, a sequence for each number, its keys these numbers.
    /// </summary>
    /// <param name="rows">The rows.</param>
    /// <param name="numbers">The number of each of the first rows; at least 0.</param>
    /// <param name="result">Overwritten.</param>
    /// <param name="begins">Which of these rows begin another sequence of their number; empty where none does.</param>
    public void Group(Minibatch rows, ReadOnlySpan<int> numbers, Minibatch result, ReadOnlySpan<bool> begins = default)
    {
        Count = numbers.Length;
        Reserve(Count);
        _groups.Clear();
        int groups = 0;
        for (int row = 0; row < Count; row++)
        {
            if (!_groups.TryGetValue(numbers[row], out int group))
            {
                _groups.Add(numbers[row], group = groups);
                _next[groups++] = 0;
            }
            _groupOf[row] = group;
            _next[group]++;
        }
        for (int group = 0, first = 0; group < groups; group++) (_next[group], first) = (first, first + _next[group]);
        for (int row = 0; row < Count; row++) _order[_next[_groupOf[row]]++] = row;

        result.Clear();
        for (int at = 0; at < Count; at++)
        {
            int row = _order[at];
            if (at == 0 || _groupOf[row] != _groupOf[_order[at - 1]] || (!begins.IsEmpty && begins[row])) result.BeginSequence();
            result.Add(rows.Row(row), rows.Weight(row), result.TakeLabel(rows, row), rows.Target(row), numbers[row], rows.Timestamp(row));
        }
    }

    private void Reserve(int rows)
    {
        if (_order.Length >= rows) return;
        _groupOf = new int[rows];
        _next = new int[rows];
        _order = new int[rows];
    }
}
