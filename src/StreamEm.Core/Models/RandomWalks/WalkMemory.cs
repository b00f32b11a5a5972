namespace StreamEm.Core.Models.RandomWalks;

/// <summary>Of every key its particles after its last row, of equal weight, and how many rows it has had.</summary>
internal sealed class WalkMemory(int keys, int particles) : SlotMemory(keys, particles + 1)
{
    /// <inheritdoc/>
    protected override string? Problem(ReadOnlySpan<double> values)
    {
        if (values[..particles].ContainsAnyInRange(double.NegativeInfinity, 0)) return "has a level that is not above 0";
        return values[particles] >= 1 ? null : $"has had {values[particles]:R} rows";
    }
}
