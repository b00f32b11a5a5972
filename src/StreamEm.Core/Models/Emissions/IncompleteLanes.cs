using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>The lanes of rows with missing values: kernels run over them like all others, and then they are set anew.</summary>
internal static class IncompleteLanes
{
    /// <summary>What the lanes of incomplete rows held before a kernel added to them: lanes x K, in the block's scratch memory.</summary>
    public static ReadOnlySpan<double> Keep(RowBlock block, ReadOnlySpan<double> logJoint, int components)
    {
        ReadOnlySpan<int> lanes = block.Incomplete;
        if (lanes.Length == 0) return default;
        Span<double> kept = block.Scratch(lanes.Length * components);
        for (int at = 0; at < lanes.Length; at++)
            for (int k = 0; k < components; k++) kept[at * components + k] = logJoint[k * RowBlock.Stride + lanes[at]];
        return kept;
    }
}
