namespace StreamEm.Core.Data;

/// <summary>What is known of the keys of some rows.</summary>
/// <param name="Slots">The slot of each row's key when the row came.</param>
/// <param name="Begins">Which rows begin a sequence.</param>
internal readonly record struct SlottedRows(int[] Slots, bool[] Begins)
{
    /// <summary>How many rows; 0 of none.</summary>
    public int Count => Slots?.Length ?? 0;
}
