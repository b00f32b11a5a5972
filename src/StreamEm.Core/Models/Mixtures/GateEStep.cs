using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>How probable every component is of a row, before the row is compared with any; immutable and thread-safe.</summary>
internal abstract class GateEStep
{
    /// <summary>Doubles of the gate's statistics, after the masses.</summary>
    public abstract int StatisticsLength { get; }

    /// <summary>Overwrites lanes with log P(z = k given x): K x <see cref="RowBlock.Stride"/>.</summary>
    public abstract void LogWeights(RowBlock block, Span<double> logWeights);

    /// <summary>Adds what rows of these weighted responsibilities say of the gate.</summary>
    /// <param name="block">The rows.</param>
    /// <param name="responsibilities">K x <see cref="RowBlock.Stride"/>; 0 in lanes that add nothing.</param>
    /// <param name="statistics">The gate's own.</param>
    public abstract void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics);
}
