namespace StreamEm.Core.Models.Sequences;

/// <summary>Of every key, the probabilities of its state after its last row: p(z_t given x_1 .. x_t) [keys, K].</summary>
internal sealed class FilterMemory(int keys, int components) : SlotMemory(keys, components)
{
    /// <inheritdoc/>
    protected override string? Problem(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double probability in values)
        {
            if (!(probability >= 0)) return "has a probability below 0";
            sum += probability;
        }
        return Math.Abs(sum - 1) < 1e-6 ? null : $"has probabilities that sum to {sum:R}";
    }
}
