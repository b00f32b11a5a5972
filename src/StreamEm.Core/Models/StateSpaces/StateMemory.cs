namespace StreamEm.Core.Models.StateSpaces;

/// <summary>Of every key the filtered state after its last row: its mean [d] and covariance [d, d].</summary>
internal sealed class StateMemory(int keys, int dimension) : SlotMemory(keys, dimension + dimension * dimension)
{
    /// <inheritdoc/>
    protected override string? Problem(ReadOnlySpan<double> values)
    {
        for (int i = 0; i < dimension; i++)
            if (!(values[dimension + i * (dimension + 1)] >= 0)) return $"has a variance below 0 in dimension {i}";
        return null;
    }
}
